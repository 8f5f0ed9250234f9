"""Time the race of all libraries: `python -m benchmarks.race [--to 98] [--seeds N] [--json FILE]`.

Only the book's loop is required. Libraries that are not installed are left out, with the reason.
"""

from benchmarks.peers.one_thread import set_variables

set_variables()  # before NumPy is imported

from benchmarks.race.command import main  # noqa: E402

if __name__ == "__main__":
    main()
