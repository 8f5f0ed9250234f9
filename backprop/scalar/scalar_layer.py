"""The base class of the scalar layers, which checks operands and keeps them for backward."""

from numbers import Complex
from typing import Any

from backends import backend_of, describe, kind, one_backend, owner_of, shown


class ScalarLayer:
    """A function of numbers, or of arrays of one backend: `forward(*operands)`, `backward(dout)`.

    `backward` returns the gradients of the last forward: a tuple in the order of the operands, or a bare
    gradient if the layer takes a single operand. Integer arrays are computed in float64. NumPy scalars are
    treated as Python numbers.

    Raises
    ------
    TypeError
        If an operand or dout is neither a number nor an array of numbers.
    ValueError
        If shapes do not broadcast, or an integer is too large for a float.
    RuntimeError
        If backward runs before any forward.
    """

    def __init__(self) -> None:
        self._kept: tuple[Any, ...] | None = None

    def _taken(self, **operands: Any) -> list[Any]:
        """Return the operands, checked and converted, in order."""
        if {*map(type, operands.values())} == {float}:  # the common case
            return list(operands.values())
        where = f"{type(self).__name__}.forward"
        taken = {name: as_numbers(where, name, operand) for name, operand in operands.items()}
        arrays = {name: operand for name, operand in taken.items() if is_array(operand)}
        if len(arrays) > 1:
            one_backend(where, **arrays)
            _require_broadcast(where, {name: array.shape for name, array in arrays.items()})
        return list(taken.values())

    def _recall(self, dout: Any) -> tuple[tuple[Any, ...], Any]:
        """Return (operands…, output) of the last forward, and dout in the shape of that output."""
        where = f"{type(self).__name__}.backward"
        if self._kept is None:
            raise RuntimeError(f"{where}: call forward first")
        out = self._kept[-1]
        if type(dout) is type(out) is float:
            return self._kept, dout
        dout = as_numbers(where, "dout", dout)
        if shape_of(dout) == shape_of(out):
            return self._kept, dout
        if shape_of(dout) != ():
            rule = f"dout must have the shape of the output, {shape_of(out)}"
            raise ValueError(f"{where}: {rule}, got {shape_of(dout)}")
        if isinstance(dout, complex) and kind(out) != "c":
            raise TypeError(f"{where}: dout must be real, as the output is, got {shown(dout)}")
        backend = one_backend(where, out=out)
        return self._kept, backend.xp.broadcast_to(backend.asarray(dout, out.dtype), out.shape)


def is_array(value: Any) -> bool:
    """Return whether an operand is an array. NumPy scalars count as numbers."""
    return owner_of(value) is not None and not isinstance(value, Complex)


def as_numbers(where: str, name: str, value: Any) -> Any:
    """Return a number as a Python number, an array as floating-point, where integers cannot wrap around.

    Raises TypeError if it is neither a number nor an array of numbers, ValueError as `require_float`.
    """
    if is_array(value):
        if kind(value) not in "iufc":
            cure = f"cast it: asarray({name}, 'float64')"
            raise TypeError(f"{where}: {name} must hold numbers, got an array of {value.dtype}; {cure}")
        return backend_of(value).asarray(value, "float64") if kind(value) in "iu" else value
    number = bare(value)
    if not isinstance(number, Complex):
        cure = f"asarray({name}) converts a list of numbers, float({name}) a string"
        raise TypeError(f"{where}: {name} must be a number or an array, got {describe(value)}; {cure}")
    require_float(where, name, number)
    return number


def bare(value: Any) -> Any:
    """Return a NumPy scalar as a Python number (but not a timedelta64), anything else unchanged."""
    return value.item() if isinstance(value, Complex) and hasattr(value, "item") else value


def require_float(where: str, name: str, number: Any) -> None:
    """Raise ValueError for an integer or fraction that is too large for a float."""
    try:
        complex(number)
    except OverflowError:
        raise ValueError(
            f"{where}: {name} must fit into a float, got {describe(number)} beyond 1.8e308; scale it down"
        ) from None


def _require_broadcast(where: str, shapes: dict[str, tuple[int, ...]]) -> None:
    for axis in range(1, 1 + max(map(len, shapes.values()))):
        sizes = {shape[-axis] for shape in shapes.values() if len(shape) >= axis}
        if len(sizes - {1}) > 1:
            got = " and ".join(map(str, shapes.values()))
            raise ValueError(f"{where}: {', '.join(shapes)} must have shapes that broadcast, got {got}")


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of an array, () for a number."""
    return getattr(value, "shape", ())


def sum_to(operand: Any, gradient: Any) -> Any:
    """Return a gradient summed over the axes along which its operand was broadcast."""
    if shape_of(gradient) == shape_of(operand):
        return gradient
    xp, shape = one_backend("sum_to", gradient=gradient).xp, shape_of(operand)
    extra = len(gradient.shape) - len(shape)
    if extra:
        gradient = xp.sum(gradient, axis=tuple(range(extra)))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and gradient.shape[i] != 1)
    return xp.sum(gradient, axis=stretched, keepdims=True) if stretched else gradient
