"""Frameworks and hand-written loops that train the same network, and the command that times all of them."""
