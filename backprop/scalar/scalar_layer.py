"""What the scalar layers share: they keep what forward saw, and a gradient has the shape of its operand."""

from typing import Any

from backends import one_backend


class ScalarLayer:
    """A function of numbers, or of arrays of one backend: `forward(*operands)`, `backward(dout)`.

    backward gives the gradients of the last forward: a tuple in the operands' order, or a bare one in a layer
    that takes a single operand.
    Raises RuntimeError for a backward before any forward.
    """

    def __init__(self) -> None:
        self._kept: tuple[Any, ...] | None = None

    def _recall(self, dout: Any) -> tuple[tuple[Any, ...], Any]:
        """The operands and the output of the last forward, and dout in the shape of that output."""
        where = f"{type(self).__name__}.backward"
        if self._kept is None:
            raise RuntimeError(f"{where} needs a forward before it")
        out = self._kept[-1]
        if shape_of(dout) == shape_of(out):
            return self._kept, dout
        if shape_of(dout) != ():
            rule = f"dout must have the shape of the output, {shape_of(out)}"
            raise ValueError(f"{where}: {rule}, got {shape_of(dout)}")
        backend = one_backend(where, out=out)
        return self._kept, backend.xp.broadcast_to(backend.asarray(dout, out.dtype), out.shape)


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array; () of a number."""
    return getattr(value, "shape", ())


def sum_to(operand: Any, gradient: Any) -> Any:
    """A gradient in the shape of the output, summed over the axes along which its operand was broadcast."""
    if shape_of(gradient) == shape_of(operand):
        return gradient
    xp, shape = one_backend("sum_to", gradient=gradient).xp, shape_of(operand)
    extra = len(gradient.shape) - len(shape)
    if extra:
        gradient = xp.sum(gradient, axis=tuple(range(extra)))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and gradient.shape[i] != 1)
    return xp.sum(gradient, axis=stretched, keepdims=True) if stretched else gradient
