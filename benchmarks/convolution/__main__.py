"""Time convolution beside its peers: `python -m benchmarks.convolution [--threads 2] [--stages] [--memory]`.

Only the book's loop is required. PyTorch is left out, with the reason, if it is not installed.
"""

import sys

from benchmarks.convolution.threads import threads_asked_for
from benchmarks.peers.one_thread import set_variables

set_variables(threads_asked_for(sys.argv[1:]))  # before NumPy is imported

from benchmarks.convolution.command import main  # noqa: E402

if __name__ == "__main__":
    main()
