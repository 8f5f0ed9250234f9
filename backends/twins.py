"""Twins: faster functions in place of formulas, by backend and dtype.

A formula is a pure function of arrays in the file of its layer, loss or optimizer: `compute(self, xp, …)`.
A twin is the same function for one backend, `(self, ws, …)`: it takes a workspace (see workspace.py) in
place of the namespace `xp`. A twin may also fuse neighbours: "Affine+ReLU.compute" stands for the two
formulas, one after the other, and gets the tuple of the layers in place of `self`.

A twin is looked up by the formula's function object. So a subclass that inherits a formula gets its twin,
and one that overrides it does not. Twins come in pairs, as formulas do: only the twin of `derive` reads
what the twin of `compute` saves. But twins of a single layer save the same as its formulas, because a
derivative in another dtype (complex, say) is left to the formula.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from backends.dtypes import dtype_name

HOME = "backprop."  # the package whose formulas have short names
REAL = ("float32", "float64")

F = TypeVar("F", bound=Callable[..., Any])


class Twin(NamedTuple):
    """A faster function, the dtypes that it accepts, and a rule for the layers that it stands for."""

    function: Callable[..., Any]
    dtypes: tuple[str, ...]
    suits: Callable[..., bool]


TWINS: dict[tuple[str, str], Twin] = {}  # by (backend, formula)


def twin(
    backend: str,
    formula: str,
    dtypes: tuple[str, ...] = REAL,
    suits: Callable[..., bool] = lambda *layers: True,
) -> Callable[[F], F]:
    """Register the decorated function as a twin.

    Parameters
    ----------
    backend : str
    formula : str
        "Affine.compute", "Affine+ReLU.compute" for neighbours, or "minibatch" for a plain function of this
        library; "module:Layer.compute" for one of another package.
    dtypes : tuple of str
        Dtypes that it accepts.
    suits : callable
        Takes the layers and returns whether it accepts their settings.
    """

    def register(function: F) -> F:
        TWINS[backend, formula] = Twin(function, dtypes, suits)
        return function

    return register


def find(backend: str, dtype: Any, *formulas: Any) -> Callable[..., Any] | None:
    """Return the twin of a formula, or of several neighbours together; None if there is none.

    Parameters
    ----------
    backend : str
    dtype : dtype
    *formulas : callable
        Functions or bound methods. The twin is returned unbound.
    """
    if dtype is None or not getattr(dtype, "isnative", True):
        return None  # twins write native byte order
    if any(hasattr(formula, "__wrapped__") for formula in formulas):
        return None  # a wrapper has the name of its function but may compute something else
    *before, last = map(name_of, formulas)
    found = TWINS.get((backend, "+".join((*(name.rpartition(".")[0] for name in before), last))))
    if found is None or dtype_name(dtype) not in found.dtypes:
        return None
    owners = [getattr(formula, "__self__", None) for formula in formulas]
    return found.function if None in owners or found.suits(*owners) else None


def name_of(formula: Any) -> str:
    """Return the name under which a formula's twins are registered."""
    name: str = getattr(formula, "__qualname__", type(formula).__qualname__)
    module = str(getattr(formula, "__module__", ""))
    return name if module.startswith(HOME) else f"{module}:{name}"
