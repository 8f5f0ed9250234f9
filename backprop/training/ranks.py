"""Several ranks as one run: a common start, the same parameters, a share of every batch and evaluation.

All of them draw the same batches from generators in the same state, and each takes its share. So nothing
depends on how many they are but the rounding of sums.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from backends import kind, shown, to_numpy
from backends.communicators import Communicator
from backprop.arrays.checked_number import numbers_of
from backprop.networks import Network
from backprop.training.checkpoint import DIGESTS


def require_multiple(communicator: Communicator, batch_size: int) -> None:
    """Raise ValueError unless a batch can be divided equally among the ranks."""
    size = communicator.size
    if batch_size % size:
        nearest = max(1, (batch_size + size // 2) // size) * size
        rule = f"batch_size must be a multiple of the {size} ranks"
        raise ValueError(f"train: {rule}, got {batch_size}; the nearest is {nearest}")


def require_same_run(communicator: Communicator, known: Mapping[str, Any]) -> None:
    """Raise ValueError on all ranks unless they have the same settings and data.  known: as of `identity`."""
    first, *others = communicator.gather(known)
    for rank, other in enumerate(others, start=1):
        for name in first | other:
            one, two = first.get(name), other.get(name)
            if one != two:
                got = "" if name in DIGESTS else f", {shown(two, 40)} and {shown(one, 40)}"
                rule = f"all ranks must be given the same {name}"
                raise ValueError(f"train: {rule}, but rank {rank} has other than rank 0{got}")


def start_as_first(run: Any, communicator: Communicator) -> None:
    """Give a Run the parameters, the state and the place of that of rank 0, which may be resumed."""
    if communicator.size == 1:
        return
    net, optimizer, stopping = run.trainer.net, run.trainer.optimizer, run.stopping
    kept = [] if stopping is None else stopping.kept
    for array in (net.params.flat, *net.state.values(), *optimizer.arrays, *kept):
        communicator.broadcast(array)
    facts: dict[str, Any] = {"done": run.done, "history": vars(run.history), "numbers": numbers_of(optimizer)}
    facts["place"] = run.batches.position(run.done) if run.done else None
    facts["stopping"] = {} if stopping is None else {"best": stopping.best, "waited": stopping.waited}
    facts = communicator.gather(facts if communicator.rank == 0 else None)[0]
    if communicator.rank == 0:
        return
    for name, number in facts["numbers"].items():
        setattr(optimizer, name, number)
    if stopping is not None:
        vars(stopping).update(facts["stopping"])
    if facts["place"] is not None:
        run.batches.restore(facts["done"], *facts["place"])
    vars(run.history).update(facts["history"])
    run.begun -= run.history.seconds
    run.done = facts["done"]


@contextmanager
def own_rows(net: Network, communicator: Communicator, rows: int) -> Iterator[None]:
    """Tell layers in a `with` block where this rank's rows of each batch begin: Dropout's `first_row`."""
    states = (getattr(layer, "state", {}) for layer in net.layers.values())
    firsts = [state["first_row"] for state in states if "first_row" in state]
    before = [net.backend.copy(first) for first in firsts]
    try:
        for first in firsts if communicator.rank else ():
            first += communicator.rank * rows
        yield
    finally:
        for first, value in zip(firsts, before, strict=True):
            net.backend.write(first, value)


def average_state(net: Network, communicator: Communicator) -> None:
    """Replace running statistics by their means over the ranks, each of which has seen other samples."""
    if communicator.size > 1:
        for array in net.state.values():
            if kind(array) == "f":
                communicator.mean(array)


def require_same_parameters(net: Network, communicator: Communicator, done: int) -> None:
    """Raise RuntimeError on all ranks unless their parameters are the same to the last bit.

    done: updates so far.
    """
    if communicator.size == 1:
        return
    digests = communicator.gather(sha256(to_numpy(net.params.flat).tobytes()).digest())
    for rank, digest in enumerate(digests):
        if digest != digests[0]:
            what = f"rank {rank} and rank 0 have different parameters after {done:,} iterations"
            cause = "a layer computes at random, or they are changed in a callback or by another thread"
            raise RuntimeError(f"train: {what}; {cause}, on one of them")
