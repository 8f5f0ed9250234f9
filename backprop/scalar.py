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
    """Keeps the two inputs of the last forward."""

    def __init__(self) -> None:
        self.x: Any = None
        self.y: Any = None

    def _keep(self, x: Any, y: Any) -> None:
        self.x, self.y = x, y

    def _require_forward(self) -> None:
        if self.x is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs a forward before it")


class MulLayer(_ScalarLayer):
    """out = x y;  dL/dx = dout y, dL/dy = dout x.

    x, y, dout: numbers, or arrays of one backend and of shapes that broadcast; a gradient has its operand's
    shape.

    >>> layer = MulLayer()
    >>> layer.forward(3.0, 4.0), layer.backward(1.0)
    (12.0, (4.0, 3.0))
    """

    def forward(self, x: Any, y: Any) -> Any:
        """The product x y."""
        self._keep(x, y)
        return x * y

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """The gradients with respect to x and y.  Raises RuntimeError before any forward."""
        self._require_forward()
        return _shaped_like(self.x, dout * self.y), _shaped_like(self.y, dout * self.x)


class AddLayer(_ScalarLayer):
    """out = x + y;  dL/dx = dout, dL/dy = dout.

    x, y, dout: numbers, or arrays of one backend and of shapes that broadcast; a gradient has its operand's
    shape.

    >>> layer = AddLayer()
    >>> layer.forward(3.0, 4.0), layer.backward(1.5)
    (7.0, (1.5, 1.5))
    """

    def forward(self, x: Any, y: Any) -> Any:
        """The sum x + y."""
        self._keep(x, y)
        return x + y

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """The gradients with respect to x and y.  Raises RuntimeError before any forward."""
        self._require_forward()
        return _shaped_like(self.x, dout), _shaped_like(self.y, dout)


def _shaped_like(operand: Any, gradient: Any) -> Any:
    """A gradient summed over the axes along which its operand was broadcast."""
    shape = getattr(operand, "shape", ())
    return (
        gradient if getattr(gradient, "shape", ()) == shape else backend_of(gradient).sum_to(gradient, shape)
    )
