"""The command `backprop`, also `python -m backprop`."""

import sys

from backprop.start import guard


def main() -> int:
    """Run the command line and return its exit code."""
    guard()
    try:
        from backprop.cli import run
    except ModuleNotFoundError as error:
        if error.name not in ("click", "tqdm"):
            raise
        print(f"backprop: the command line needs {error.name}: pip install {error.name}", file=sys.stderr)
        return 3
    return run()


if __name__ == "__main__":
    sys.exit(main())
