"""`python -m backprop.cli`: the same as `python -m backprop`."""

import sys

from backprop.cli import run

if __name__ == "__main__":
    sys.exit(run())
