"""Conv2D: filters slide over images, each a sum of products with what lies under it."""

from math import prod
from numbers import Integral
from typing import Any

from backends import Array, Namespace, shown
from backprop.arrays.checked_number import FixedInteger
from backprop.arrays.checks import positive_integer, sizes
from backprop.arrays.entering import require_alike
from backprop.arrays.initial_weights import Rule, rule_of
from backprop.arrays.initializers import constant
from backprop.layers.layer import Layer
from backprop.layers.windows import added_back, require_images, window_counts, windows


class Conv2D(Layer):
    """The convolution of images with F filters.

    Each filter W[f] slides over the padded image; s is the stride::

        out[n, f, y, x] = b[f] + Σ W[f, c, i, j] x[n, c, s y + i, s x + j]        over c, i, j

    What the filters meet at one place is one column of a matrix (the book's im2col). So out is a product of
    matrices for each image, and the gradients are::

        out = W columns + b        dL/dW = Σ_n dout columnsᵀ        dL/db = Σ dout
                                   dL/dcolumns = Wᵀ dout

    dL/dx adds up the entries of dL/dcolumns that stem from the same value of x.

    x has shape (N, C, H, W). out has shape (N, F, H', W') with H' = (H + 2 padding - height) // stride + 1,
    and W' likewise: the last rows and columns are left out where the kernel does not fit.

    Parameters
    ----------
    W : array (F, C, height, width) or int
        Filters, used without a copy. Or only their number F: then the network that the layer is added to
        creates random normal filters and zero biases.
    b : array (F,) or int or tuple of two int
        Biases. Or, if W is a number, the size of the kernel: one number for a square, or height and width.
    stride : int
        Step between two places of the kernel, in both directions.
    padding : int
        Rows and columns of zeros on each side of the image.
    weight_init_std : float, str or callable, optional
        As for `Affine`, with D = C · height · width.

    Raises
    ------
    ValueError, TypeError
        If shapes or settings are wrong, the arrays differ in backend or dtype, or the kernel is larger than
        the padded image.

    Notes
    -----
    Source: book sections 7.2 and 7.4.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import Conv2D
    >>> edges = Conv2D(xp.asarray([[[[-1.0, 1.0]]]]), xp.zeros(1))  # 1 filter, 1 × 2
    >>> edges.forward(xp.asarray([[[[0.0, 0.0, 5.0, 5.0]]]]))
    array([[[[0., 5., 0.]]]])
    >>> edges.backward(xp.asarray([[[[1.0, 1.0, 1.0]]]]))
    array([[[[-1.,  0.,  0.,  1.]]]])
    >>> edges.grads["W"]
    array([[[[ 5., 10.]]]])
    """

    def compute(self, xp: Namespace, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
        filters, columns = self._matrices(xp, x, W)
        out = filters @ columns + xp.reshape(b, (b.shape[0], 1))
        counts = window_counts(x.shape[2:], W.shape[2:], self.stride, self.padding)
        return xp.reshape(out, (x.shape[0], W.shape[0], *counts)), (x, W)

    def derive(self, xp: Namespace, dout: Array, x: Array, W: Array) -> tuple[Array, Array, Array]:
        filters, columns = self._matrices(xp, x, W)  # again, since they take K times the memory of x
        counts = dout.shape[2:]
        rows = xp.reshape(dout, (*dout.shape[:2], prod(counts)))
        dW = xp.reshape(xp.tensordot(rows, columns, axes=((0, 2), (0, 2))), W.shape)
        values = xp.reshape(filters.T @ rows, (*x.shape[:2], prod(W.shape[2:]), *counts))
        dx = added_back(xp, values, x.shape, W.shape[2:], self.stride, self.padding)
        return dx, dW, xp.sum(rows, axis=(0, 2))

    def _matrices(self, xp: Namespace, x: Array, W: Array) -> tuple[Array, Array]:
        """Return the filters as a matrix (F, C K), and the windows of each image as one, (N, C K, H' W')."""
        seen = windows(xp, x, W.shape[2:], self.stride, self.padding)
        N, C, K, *counts = seen.shape
        return xp.reshape(W, (W.shape[0], C * K)), xp.reshape(seen, (N, C * K, prod(counts)))

    stride = FixedInteger("Step between two places of the kernel.")
    padding = FixedInteger("Rows and columns of zeros on each side.", or_zero=True)

    def __init__(
        self, W: Any, b: Any = None, *, stride: int = 1, padding: int = 0, weight_init_std: Rule | None = None
    ) -> None:
        self.stride, self.padding = stride, padding
        self.weight_init_std = None if weight_init_std is None else rule_of("Conv2D", weight_init_std)
        if isinstance(W, Integral):
            self.filters = positive_integer("Conv2D", "the number of filters", W)
            self.kernel = _kernel(b)
            super().__init__()
            return
        if b is None:
            rule = "W and b must be arrays, or the number of filters and the size of the kernel"
            raise TypeError(f"Conv2D: {rule}, got {shown(W)}; for example Conv2D(30, 5)")
        require_alike("Conv2D", W=W, b=b)
        if len(W.shape) != 4 or 0 in W.shape or b.shape != W.shape[:1]:
            rule = "W must have shape (F, C, height, width) and b (F,)"
            raise ValueError(f"Conv2D: {rule}, got {tuple(W.shape)} and {tuple(b.shape)}")
        self.filters, self.kernel = W.shape[0], (W.shape[2], W.shape[3])
        super().__init__(W=W, b=b)

    def initial(self, shape: tuple[int, ...], rng: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        if len(shape) != 3:
            cure = "for flat images, too, give the network this shape"
            raise ValueError(f"Conv2D: a sample must have shape (C, H, W), got {shape}; {cure}")
        size = (self.filters, shape[0], *self.kernel)
        return {"W": self.draw_weights(size, prod(size[1:]), rng), "b": constant(size[:1], 0.0)}, {}

    def check(self, x: Array) -> None:
        W = self.params["W"]
        require_images("Conv2D.forward", x, W.shape[2:], self.padding, W.shape[1])

    def multiply_adds(self, out_shape: tuple[int, ...]) -> int:
        return prod(self.params["W"].shape) * prod(out_shape[1:])

    def __repr__(self) -> str:
        height, width = self.kernel
        kernel = f"{height}" if height == width else f"({height}, {width})"
        stride = "" if self.stride == 1 else f", stride={self.stride}"
        padding = f", padding={self.padding}" if self.padding else ""
        return f"Conv2D({self.filters}, {kernel}{stride}{padding})"


def _kernel(size: Any) -> tuple[int, int]:
    """Return the kernel's height and width, of one number or two."""
    if size is None:
        raise TypeError("Conv2D: the size of the kernel is missing; for example Conv2D(30, 5)")
    pair = sizes("Conv2D", "the size of the kernel", size)
    if len(pair) not in (1, 2):
        raise ValueError(f"Conv2D: the kernel must have a height and a width, got {shown(size)}")
    return pair[0], pair[-1]
