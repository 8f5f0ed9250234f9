"""A command that ends with its parent, even if the parent is killed: `python tied.py PARENT COMMAND…`.

This process becomes the command. A hook between fork and exec would not do, since JAX warns of every fork.
"""

import ctypes
import os
import signal
import sys

if __name__ == "__main__":
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":  # elsewhere the process runs on to its limit
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() == int(parent):
        os.execvp(command[0], command)
