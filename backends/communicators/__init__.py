"""Several processes as one training run: who they are (launch.py), and what they say to each other.

Each process is a rank, 0, …, size - 1. Engines move the numbers: MPI (mpi.py) and NCCL (nccl.py).
"""

from backends.communicators.communicator import Alone, Communicator, RankFailed, WholeBatch
from backends.communicators.launch import Launch, launched
from backends.communicators.mpi import Mpi
from backends.communicators.nccl import Nccl
from backends.communicators.selection import choose_communicator

__all__ = ["Alone", "Communicator", "Launch", "Mpi", "Nccl", "RankFailed"]
__all__ += ["WholeBatch", "choose_communicator", "launched"]
