"""The identity of a run: what must be the same, by name, in the run that resumes from its checkpoint."""

from typing import Any

from backends import dtype_name, to_numpy
from backprop.arrays.checked_number import numbers_of
from backprop.data.fingerprint import fingerprint
from backprop.networks import Network
from backprop.networks.tensor_file import require_writable
from backprop.optimizers import Optimizer
from backprop.training.checkpoint import plain
from backprop.training.rates import Rates
from backprop.training.sets import Sets


def identity(
    net: Network,
    sets: Sets,
    optimizer: Optimizer,
    rates: Rates | None,
    rng: Any,
    seeded: bool,
    **plain_settings: Any,
) -> dict[str, Any]:
    """Return the settings and fingerprints that identify a run, for JSON, in the order to compare them in.

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
    **plain_settings
        The arguments of `train` that are numbers or text.

    Raises
    ------
    TypeError
        If the generator or a layer has a state that cannot be kept.
    """
    require_writable("train", net.state)
    state, seeds = plain(rng.bit_generator.state), getattr(rng.bit_generator, "seed_seq", None)
    data = {"training": sets.train, "validation": sets.validation, "test": sets.test}
    return {
        "dtype": dtype_name(net.dtype),
        **{f"shape of {name}": shape for name, shape in net.params.shapes.items()},
        **{f"{name} data": each and fingerprint(*map(to_numpy, each)) for name, each in data.items()},
        **plain_settings,
        "precision": net.backend.precision(net.dtype),
        "optimizer": f"{type(optimizer).__module__}.{type(optimizer).__name__}",
        **numbers_of(optimizer),
        "decayed": optimizer.decayed,
        "schedule": None if rates is None else rates.digest(),
        "generator": state["bit_generator"],
        "rng": plain([seeds.entropy, *seeds.spawn_key]) if seeded and seeds is not None else None,
    }
