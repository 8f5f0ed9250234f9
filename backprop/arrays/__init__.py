"""What all layers and networks share: arrays by name, copies, dtypes, and checks of what users pass in."""
