"""The scalar teaching layers of the apples: multiplication and addition, on numbers or arrays.

Unlike all other layers they keep what they saw, so that a notebook cell may run twice.

>>> apple, tax = MulLayer(), MulLayer()                     # two apples at 100 yen, 10 % tax
>>> price = tax.forward(apple.forward(100, 2), 1.1)
>>> dprice_before_tax, dtax = tax.backward(1)
>>> dapple, dapple_num = apple.backward(dprice_before_tax)
>>> print(round(price, 6), dapple, round(dapple_num, 6), dtax)
220.0 2.2 110.0 200

>>> apples, oranges, fruit, tax = MulLayer(), MulLayer(), AddLayer(), MulLayer()
>>> price = tax.forward(fruit.forward(apples.forward(100, 2), oranges.forward(150, 3)), 1.1)
>>> dfruit, dtax = tax.backward(1)
>>> dapples, doranges = fruit.backward(dfruit)
>>> dapple, dapple_num = apples.backward(dapples)
>>> dorange, dorange_num = oranges.backward(doranges)
>>> print(*(f"{value:.4g}" for value in (price, dapple, dapple_num, dorange, dorange_num, dtax)))
715 2.2 110 3.3 165 650

Source: book section 5.4.
"""

from typing import Any

from backends import backend_of


class _ScalarLayer:
    """Keeps what the last forward saw: its two inputs and its output."""

    def __init__(self) -> None:
        self._kept: tuple[Any, Any, Any] | None = None

    def _recall(self, dout: Any) -> tuple[Any, Any, Any]:
        """The inputs of the last forward, and dout in the shape of its output."""
        where = f"{type(self).__name__}.backward"
        if self._kept is None:
            raise RuntimeError(f"{where} needs a forward before it")
        x, y, out = self._kept
        if _shape(dout) == _shape(out):
            return x, y, dout
        if _shape(dout) != ():
            raise ValueError(
                f"{where}: dout must have the shape of the output, {_shape(out)}, got {_shape(dout)}"
            )
        backend = backend_of(out)
        return x, y, backend.broadcast_to(backend.asarray(dout, out.dtype), out.shape)


class MulLayer(_ScalarLayer):
    """out = x y;  dL/dx = dout y, dL/dy = dout x.

    x, y, dout: numbers, or arrays of one backend and of shapes that broadcast; a gradient has its operand's
    shape.  Raises RuntimeError for a backward before any forward.

    >>> layer = MulLayer()
    >>> layer.forward(3.0, 4.0), layer.backward(1.0)
    (12.0, (4.0, 3.0))
    """

    def forward(self, x: Any, y: Any) -> Any:
        """The product x y."""
        out = x * y
        self._kept = x, y, out
        return out

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """The gradients with respect to x and y.  dout: in the shape of the output, or one number for all."""
        x, y, dout = self._recall(dout)
        return _sum_to(x, dout * y), _sum_to(y, dout * x)


class AddLayer(_ScalarLayer):
    """out = x + y;  dL/dx = dout, dL/dy = dout.

    x, y, dout: numbers, or arrays of one backend and of shapes that broadcast; a gradient has its operand's
    shape.  Raises RuntimeError for a backward before any forward.

    >>> layer = AddLayer()
    >>> layer.forward(3.0, 4.0), layer.backward(1.5)
    (7.0, (1.5, 1.5))
    """

    def forward(self, x: Any, y: Any) -> Any:
        """The sum x + y."""
        out = x + y
        self._kept = x, y, out
        return out

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """The gradients with respect to x and y.  dout: in the shape of the output, or one number for all."""
        x, y, dout = self._recall(dout)
        return _sum_to(x, dout), _sum_to(y, dout)


def _shape(value: Any) -> tuple[int, ...]:
    return getattr(value, "shape", ())


def _sum_to(operand: Any, gradient: Any) -> Any:
    """A gradient in the shape of the output, summed over the axes along which its operand was broadcast."""
    if _shape(gradient) == _shape(operand):
        return gradient
    return backend_of(gradient).sum_to(gradient, _shape(operand))
