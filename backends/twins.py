"""Twins: which faster function stands in for which formula, on which backend and for which dtypes.

A formula is a pure function of arrays in the file of its layer, loss or optimizer: `compute(self, xp, …)`.
A twin is the same function for one backend, `(self, ws, …)`, which takes its memory from a workspace (see
workspace.py) in place of the namespace `xp`. Two neighbours that one function computes are rows of the
table, too: "Affine+ReLU.compute" stands for the two formulas one after the other.

A twin is found by the very function that it stands in for. So a subclass that inherits a formula gets its
twin, and one that has a formula of its own does not. Twins come in pairs, as formulas do: what the twin of
`compute` saves, only the twin of `derive` need understand. But the twins of a single layer save what its
formulas save, since a derivative in another dtype (a complex one, say) is left to the formula.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from backends.dtypes import dtype_name

HOME = "backprop."  # the package whose formulas are known by their short names
REAL = ("float32", "float64")

F = TypeVar("F", bound=Callable[..., Any])


class Twin(NamedTuple):
    """A faster function and the dtypes that it takes."""

    function: Callable[..., Any]
    dtypes: tuple[str, ...]


TWINS: dict[tuple[str, str], Twin] = {}  # by the name of the backend and that of the formula


def twin(backend: str, formula: str, dtypes: tuple[str, ...] = REAL) -> Callable[[F], F]:
    """Register the decorated function as a twin.

    formula: "Affine.compute", "Affine+ReLU.compute" for neighbours, or "minibatch" for a plain function, of
    this library; "module:Layer.compute" for one of yours.
    """

    def register(function: F) -> F:
        TWINS[backend, formula] = Twin(function, dtypes)
        return function

    return register


def find(backend: str, dtype: Any, *formulas: Any) -> Callable[..., Any] | None:
    """Return the twin of a formula, or of several neighbours' as one; None where there is none.

    backend: its name.  formulas: functions or bound methods.  What is found is not bound.
    """
    if dtype is None or not getattr(dtype, "isnative", True):
        return None  # a twin writes numbers in the machine's own byte order
    if any(hasattr(formula, "__wrapped__") for formula in formulas):
        return None  # what wraps a function bears its name, and may compute something else
    *before, last = map(name_of, formulas)
    found = TWINS.get((backend, "+".join((*(name.rpartition(".")[0] for name in before), last))))
    return found.function if found and dtype_name(dtype) in found.dtypes else None


def name_of(formula: Any) -> str:
    """The name under which a formula's twins are registered."""
    name: str = getattr(formula, "__qualname__", type(formula).__qualname__)
    module = str(getattr(formula, "__module__", ""))
    return name if module.startswith(HOME) else f"{module}:{name}"
