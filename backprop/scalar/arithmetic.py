"""Addition, multiplication and division: the nodes of the apples and of the chapter's other graphs.

Operands and dout are numbers, or arrays of one backend and of shapes that broadcast.
"""

from typing import Any

from backends import shown
from backprop.scalar.scalar_layer import ScalarLayer, is_array, sum_to


class MulLayer(ScalarLayer):
    """out = x y;  dL/dx = dout y, dL/dy = dout x.

    x, y, dout: numbers, or arrays of one backend and of shapes that broadcast; a gradient has its operand's
    shape.  Raises RuntimeError for a backward before any forward.

    >>> layer = MulLayer()
    >>> layer.forward(3.0, 4.0), layer.backward(1.0)
    (12.0, (4.0, 3.0))
    """

    def forward(self, x: Any, y: Any) -> Any:
        """The product x y."""
        x, y = self._taken(x=x, y=y)
        out = x * y
        self._kept = x, y, out
        return out

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """The gradients with respect to x and y.  dout: in the shape of the output, or one number for all."""
        (x, y, _), dout = self._recall(dout)
        return sum_to(x, dout * y), sum_to(y, dout * x)


class AddLayer(ScalarLayer):
    """out = x + y;  dL/dx = dout, dL/dy = dout.

    x, y, dout: numbers, or arrays of one backend and of shapes that broadcast; a gradient has its operand's
    shape.  Raises RuntimeError for a backward before any forward.

    >>> layer = AddLayer()
    >>> layer.forward(3.0, 4.0), layer.backward(1.5)
    (7.0, (1.5, 1.5))
    """

    def forward(self, x: Any, y: Any) -> Any:
        """The sum x + y."""
        x, y = self._taken(x=x, y=y)
        out = x + y
        self._kept = x, y, out
        return out

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """The gradients with respect to x and y.  dout: in the shape of the output, or one number for all."""
        (x, y, _), dout = self._recall(dout)
        return sum_to(x, dout), sum_to(y, dout)


class SumLayer(ScalarLayer):
    """out = x_1 + … + x_n;  dL/dx_k = dout for each: the sum in softmax.  Raises as AddLayer, whose n is 2.

    >>> layer = SumLayer()
    >>> layer.forward(1.0, 2.0, 4.0), layer.backward(1.5)
    (7.0, (1.5, 1.5, 1.5))
    """

    def forward(self, x: Any, *others: Any) -> Any:
        """The sum of all operands, from the first to the last."""
        first, *rest = self._taken(x=x, **{f"x_{k}": other for k, other in enumerate(others, start=2)})
        out = first
        for other in rest:
            out = out + other
        self._kept = first, *rest, out
        return out

    def backward(self, dout: Any) -> tuple[Any, ...]:
        """The gradients, one an operand.  dout: in the shape of the output, or one number for all."""
        (*operands, _), dout = self._recall(dout)
        return tuple(sum_to(operand, dout) for operand in operands)


class DivLayer(ScalarLayer):
    """out = x / y;  dL/dx = dout / y, dL/dy = -dout x / y².  Raises ZeroDivisionError for the number y = 0.

    >>> layer = DivLayer()
    >>> layer.forward(3.0, 4.0), layer.backward(1.0)
    (0.75, (0.25, -0.1875))
    """

    def forward(self, x: Any, y: Any) -> Any:
        """The quotient x / y."""
        x, y = self._taken(x=x, y=y)
        out = _divided("DivLayer.forward: y", x, y)
        self._kept = x, y, out
        return out

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """The gradients with respect to x and y.  dout: in the shape of the output, or one number for all."""
        (x, y, out), dout = self._recall(dout)
        return sum_to(x, dout / y), sum_to(y, -dout * out / y)


class ReciprocalLayer(ScalarLayer):
    """out = 1 / x, the node "/" of the book;  dL/dx = -dout out².  Raises ZeroDivisionError for the number 0.

    >>> layer = ReciprocalLayer()
    >>> layer.forward(4.0), layer.backward(1.0)
    (0.25, -0.0625)
    """

    def forward(self, x: Any) -> Any:
        """The reciprocal of x."""
        [x] = self._taken(x=x)
        out = _divided("ReciprocalLayer.forward: x", 1.0, x)
        self._kept = x, out
        return out

    def backward(self, dout: Any) -> Any:
        """The gradient with respect to x.  dout: in the shape of the output, or one number for all."""
        (_, out), dout = self._recall(dout)
        return -dout * out * out


def _divided(where: str, x: Any, y: Any) -> Any:
    if not is_array(y) and y == 0:
        raise ZeroDivisionError(f"{where} must not be 0, got {shown(x)} / {shown(y)}")
    return x / y
