"""The communicator of a run: the argument, else the environment, else none but this process."""

import os

from backends.backend import Backend
from backends.communicators.communicator import Alone, Communicator
from backends.communicators.launch import launched
from backends.communicators.mpi import Mpi
from backends.communicators.nccl import Nccl
from backends.messages import shown

VARIABLE = "BACKPROP_COMMUNICATOR"
ENGINES = {"alone": Alone, "mpi": Mpi, "nccl": Nccl}
_made: dict[str, Communicator] = {}  # one of each, since making one takes all ranks


def choose_communicator(
    communicator: str | Communicator | None, backend: Backend, where: str
) -> Communicator:
    """Return the communicator of a run.

    Precedence: the argument, the variable BACKPROP_COMMUNICATOR, and for several processes that were launched
    together MPI, or NCCL with arrays on a GPU.

    Parameters
    ----------
    communicator : Communicator, str or None
        An engine by its name: "mpi", "nccl" or "alone".
    backend : Backend
        Of the network.
    where : str
        Name of the caller, for errors.

    Raises
    ------
    TypeError, ValueError
        If it is no communicator, or the name is unknown.
    ImportError, RuntimeError
        If the engine cannot be used here.
    """
    if isinstance(communicator, Communicator):
        return communicator
    what, name = "communicator", communicator
    if name is None:
        what, name = f"the environment variable {VARIABLE}", os.environ.get(VARIABLE) or None
    if name is None:
        several = launched().size > 1
        name = ("mpi" if backend.on_host else "nccl") if several else "alone"
    if not isinstance(name, str):
        rule = 'communicator must be a Communicator such as Mpi(), or "mpi", "nccl" or "alone"'
        raise TypeError(f"{where}: {rule}, got {shown(name)}")
    if name not in ENGINES:
        raise ValueError(f"{where}: {what} must be {', '.join(ENGINES)}, got {shown(name)}")
    if name not in _made:
        _made[name] = ENGINES[name]()
    return _made[name]
