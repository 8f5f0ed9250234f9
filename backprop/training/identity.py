"""The identity of a run: what must be the same, by name, in the run that resumes from its checkpoint."""

from typing import Any

from backends import to_numpy
from backprop.arrays.checked_number import numbers_of
from backprop.data.fingerprint import fingerprint
from backprop.networks import Network
from backprop.optimizers import Optimizer
from backprop.training.checkpoint import plain
from backprop.training.rates import Rates
from backprop.training.sets import Sets


def identity(
    net: Network, sets: Sets, optimizer: Optimizer, rates: Rates | None, rng: Any, seeded: bool
) -> dict[str, Any]:
    """Return what a run is known by besides the plain arguments of `train`: numbers, text, lists and None.

    Parameters
    ----------
    net : Network
    sets : Sets
        Before samples are held out.
    optimizer : Optimizer
    rates : Rates or None
        The factors of the schedule are taken, since a schedule may be any function.
    rng : numpy.random.Generator
    seeded : bool
        The caller has given it, or its seed.

    Raises
    ------
    TypeError
        If the generator has a state that cannot be kept.
    """
    state, seeds = plain(rng.bit_generator.state), getattr(rng.bit_generator, "seed_seq", None)
    found = {
        **{f"shape of {name}": shape for name, shape in net.params.shapes.items()},
        "precision": net.backend.precision(net.dtype),
        "held_out": sets.held,
        "optimizer": f"{type(optimizer).__module__}.{type(optimizer).__name__}",
        **numbers_of(optimizer),
        "decayed": optimizer.decayed,
        "schedule": None if rates is None else rates.digest(),
        "generator": state["bit_generator"],
        "rng": plain([seeds.entropy, *seeds.spawn_key]) if seeded and seeds is not None else None,
    }
    for name, data in (("training", sets.train), ("validation", sets.validation), ("test", sets.test)):
        found[f"{name} data"] = None if data is None else fingerprint(*map(to_numpy, data))
    return found
