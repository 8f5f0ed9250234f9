"""Shared by layers and networks: arrays by name, copies, dtypes, and checks of arguments."""
