"""Time the library beside its peers: `python -m benchmarks.peers [--job] [--grid] [--json FILE]`.

Only the book's loop is required. Peers that are not installed are left out, with the reason.
"""

from benchmarks.peers.one_thread import set_variables

set_variables()  # before NumPy is imported

from benchmarks.peers.command import main  # noqa: E402

if __name__ == "__main__":
    main()
