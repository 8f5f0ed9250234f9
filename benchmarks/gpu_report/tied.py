"""A command that ends with its parent, even with one that is killed: `python tied.py PARENT COMMAND…`.

It becomes the command.  Why not between fork and exec: JAX warns of every fork of a process that it is in.
"""

import ctypes
import os
import signal
import sys

if __name__ == "__main__":
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":  # elsewhere it goes on to its limit
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() == int(parent):
        os.execvp(command[0], command)
