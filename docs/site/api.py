"""The public packages, and the full name under which the API documents each of their names."""

from collections.abc import Iterator
from importlib import import_module

import backprop

PACKAGES = (
    *("backends", "backprop", "backprop.data", "backprop.gradient_check", "backprop.graph"),
    *("backprop.layers", "backprop.losses", "backprop.networks", "backprop.numerical"),
    *("backprop.optimizers", "backprop.plots", "backprop.scalar", "backprop.training"),
)


def public() -> Iterator[tuple[str, str]]:
    """Yield every public name, as (package, name)."""
    for package in PACKAGES:
        yield from ((package, name) for name in import_module(package).__all__)


def home(package: str, name: str) -> str:
    """Return the full name under which the API documents a public name of a package.

    A name that `backprop` re-exports from one of its packages is documented in that package. A name from
    `backends` that `backprop` re-exports is documented under the name that users type.
    """
    thing = getattr(import_module(package), name)
    origin = ".".join(str(getattr(thing, "__module__", "")).split(".")[:2])
    if package.startswith("backprop") and origin.startswith("backprop."):
        return f"{origin}.{name}"
    if package == "backends" and name in backprop.__all__:
        return f"backprop.{name}"
    return f"{package}.{name}"


def classes() -> dict[str, str]:
    """Return the full names of the public classes, which may be types of parameters, by their names."""
    found = (each for each in public() if isinstance(getattr(import_module(each[0]), each[1]), type))
    return {name: home(package, name) for package, name in found}
