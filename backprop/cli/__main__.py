"""`python -m backprop.cli` runs the command line, as `python -m backprop` does."""

import sys

from backprop.cli import run

if __name__ == "__main__":
    sys.exit(run())
