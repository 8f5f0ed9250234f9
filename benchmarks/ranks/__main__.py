"""Time several processes: `python -m benchmarks.ranks [--ranks 2 4] [--markdown] [--json FILE]`.

It needs mpi4py and an mpiexec: beside this Python, else on the path.
"""

from benchmarks.ranks.command import main

if __name__ == "__main__":
    main()
