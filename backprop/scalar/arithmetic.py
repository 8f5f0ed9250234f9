"""Addition, multiplication and division: the nodes of the apple graph and of the chapter's other graphs.

Operands and dout are numbers, or arrays of one backend with shapes that broadcast.
"""

from typing import Any

from backends import shown
from backprop.scalar.scalar_layer import ScalarLayer, is_array, sum_to


class MulLayer(ScalarLayer):
    """The product of two operands.

    ::

        out = x y
        dL/dx = dout y,  dL/dy = dout x

    The operands and dout are numbers, or arrays of one backend with shapes that broadcast. Each gradient has
    the shape of its operand.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As for `ScalarLayer`.

    Notes
    -----
    Source: book section 5.4.1.

    Examples
    --------
    >>> from backprop import MulLayer
    >>> layer = MulLayer()
    >>> layer.forward(3.0, 4.0), layer.backward(1.0)
    (12.0, (4.0, 3.0))
    """

    def forward(self, x: Any, y: Any) -> Any:
        """Return x y."""
        x, y = self._taken(x=x, y=y)
        out = x * y
        self._kept = x, y, out
        return out

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """Return the gradients with respect to x and y.  dout: in the shape of the output, or one number."""
        (x, y, _), dout = self._recall(dout)
        return sum_to(x, dout * y), sum_to(y, dout * x)


class AddLayer(ScalarLayer):
    """The sum of two operands.

    ::

        out = x + y
        dL/dx = dout,  dL/dy = dout

    The operands and dout are numbers, or arrays of one backend with shapes that broadcast. Each gradient has
    the shape of its operand.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As for `ScalarLayer`.

    Notes
    -----
    Source: book section 5.4.2.

    Examples
    --------
    >>> from backprop import AddLayer
    >>> layer = AddLayer()
    >>> layer.forward(3.0, 4.0), layer.backward(1.5)
    (7.0, (1.5, 1.5))
    """

    def forward(self, x: Any, y: Any) -> Any:
        """Return x + y."""
        x, y = self._taken(x=x, y=y)
        out = x + y
        self._kept = x, y, out
        return out

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """Return the gradients with respect to x and y.  dout: in the shape of the output, or one number."""
        (x, y, _), dout = self._recall(dout)
        return sum_to(x, dout), sum_to(y, dout)


class SumLayer(ScalarLayer):
    """The sum of any number of operands, as in the denominator of softmax.

    ::

        out = x_1 + … + x_n
        dL/dx_k = dout

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As for `ScalarLayer`.

    Notes
    -----
    Source: book appendix A.

    Examples
    --------
    >>> from backprop.scalar import SumLayer
    >>> layer = SumLayer()
    >>> layer.forward(1.0, 2.0, 4.0), layer.backward(1.5)
    (7.0, (1.5, 1.5, 1.5))
    """

    def forward(self, x: Any, *others: Any) -> Any:
        """Return the sum of all operands, added from first to last."""
        first, *rest = self._taken(x=x, **{f"x_{k}": other for k, other in enumerate(others, start=2)})
        out = first
        for other in rest:
            out = out + other
        self._kept = first, *rest, out
        return out

    def backward(self, dout: Any) -> tuple[Any, ...]:
        """Return a gradient per operand, as a tuple.  dout: in the shape of the output, or one number."""
        (*operands, _), dout = self._recall(dout)
        return tuple(sum_to(operand, dout) for operand in operands)


class DivLayer(ScalarLayer):
    """The quotient of two operands.

    ::

        out = x / y
        dL/dx = dout / y,  dL/dy = -dout x / y²

    Raises
    ------
    ZeroDivisionError
        If y is the number 0. An array follows the rules of its library.
    TypeError, ValueError, RuntimeError
        As for `ScalarLayer`.

    Examples
    --------
    >>> from backprop.scalar import DivLayer
    >>> layer = DivLayer()
    >>> layer.forward(3.0, 4.0), layer.backward(1.0)
    (0.75, (0.25, -0.1875))
    """

    def forward(self, x: Any, y: Any) -> Any:
        """Return x / y."""
        x, y = self._taken(x=x, y=y)
        out = _divided("DivLayer.forward: y", x, y)
        self._kept = x, y, out
        return out

    def backward(self, dout: Any) -> tuple[Any, Any]:
        """Return the gradients with respect to x and y.  dout: in the shape of the output, or one number."""
        (x, y, out), dout = self._recall(dout)
        return sum_to(x, dout / y), sum_to(y, -dout * out / y)


class ReciprocalLayer(ScalarLayer):
    """The reciprocal of one operand, the book's node "/".

    ::

        out = 1 / x
        dL/dx = -dout out²

    Raises
    ------
    ZeroDivisionError
        If x is the number 0. An array follows the rules of its library.
    TypeError, ValueError, RuntimeError
        As for `ScalarLayer`.

    Notes
    -----
    Source: book section 5.5.2.

    Examples
    --------
    >>> from backprop.scalar import ReciprocalLayer
    >>> layer = ReciprocalLayer()
    >>> layer.forward(4.0), layer.backward(1.0)
    (0.25, -0.0625)
    """

    def forward(self, x: Any) -> Any:
        """Return 1 / x."""
        [x] = self._taken(x=x)
        out = _divided("ReciprocalLayer.forward: x", 1.0, x)
        self._kept = x, out
        return out

    def backward(self, dout: Any) -> Any:
        """Return the gradient with respect to x.  dout: in the shape of the output, or one number."""
        (_, out), dout = self._recall(dout)
        return -dout * out * out


def _divided(where: str, x: Any, y: Any) -> Any:
    if not is_array(y) and y == 0:
        raise ZeroDivisionError(f"{where} must not be 0, got {shown(x)} / {shown(y)}")
    return x / y
