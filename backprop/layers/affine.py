"""Affine (also Linear, Dense): out = x W + b."""

from math import prod
from numbers import Integral
from typing import Any

from backends import Array, Namespace, choose, cut, shown
from backprop.arrays.checks import memory, positive_integer
from backprop.arrays.dtypes import network_dtype
from backprop.arrays.entering import require_alike, require_samples
from backprop.arrays.initial_weights import Rule, rule_of
from backprop.arrays.initializers import constant, generator
from backprop.layers.layer import Layer


class Affine(Layer):
    """The affine map of each sample: out = x W + b.

    The gradients are::

        dL/dx = dout Wᵀ        dL/dW = xᵀ dout        dL/db = Σ_n dout

    x has shape (N, …) with D values per sample, out (N, M), and dx the shape of x.

    Parameters
    ----------
    W : array (D, M) or int
        Weights, used without a copy. Or only the number of outputs M: then the network that the layer is
        added to creates random normal weights and zero biases.
    b : array (M,), optional
        Biases.
    weight_init_std : float, str or callable, optional
        Standard deviation of the random weights; or "he" for √(2/D), "xavier" for √(1/D), "zeros"; or a
        function f(shape, rng) that returns them. By default the network decides: "he" before ReLU and its
        kind, else "xavier".

    Raises
    ------
    ValueError, TypeError
        If shapes are wrong, or the arrays differ in backend or dtype.

    Notes
    -----
    Source: book section 5.6.2.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import Affine
    >>> layer = Affine(xp.asarray([[1.0, 0.0], [0.0, 2.0]]), xp.asarray([10.0, 20.0]))
    >>> layer.forward(xp.asarray([[1.0, 1.0], [2.0, 3.0]]))
    array([[11., 22.],
           [12., 26.]])
    >>> layer.backward(xp.asarray([[1.0, 1.0], [1.0, 1.0]]))
    array([[1., 2.],
           [1., 2.]])
    >>> layer.grads["b"]
    array([2., 2.])
    """

    def compute(self, xp: Namespace, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
        rows = xp.reshape(x, (x.shape[0], W.shape[0]))
        return rows @ W + b, (x, W)

    def derive(self, xp: Namespace, dout: Array, x: Array, W: Array) -> tuple[Array, Array, Array]:
        rows = xp.reshape(x, (x.shape[0], W.shape[0]))
        return xp.reshape(dout @ W.T, x.shape), rows.T @ dout, xp.sum(dout, axis=0)

    def __init__(self, W: Any, b: Any = None, *, weight_init_std: Rule | None = None) -> None:
        self.weight_init_std = None if weight_init_std is None else rule_of("Affine", weight_init_std)
        if isinstance(W, Integral) and b is None:
            self.width = positive_integer("Affine", "the number of outputs", W)
            super().__init__()
            return
        if isinstance(W, Integral) and isinstance(b, Integral):
            others = f"Affine.create({cut(str(W))}, {cut(str(b))}), or Affine({cut(str(b))}) in a network"
            raise TypeError(f"Affine: W and b must be arrays, got integers; use {others}")
        if b is None:
            rule = "W and b must be arrays, or W alone the number of outputs"
            raise TypeError(f"Affine: {rule}, got {shown(W)}; or Affine.create(n_in, n_out)")
        require_alike("Affine", W=W, b=b)
        if len(W.shape) != 2 or b.shape != W.shape[1:]:
            raise ValueError(f"Affine: W must have shape (D, M) and b (M,), got {W.shape} and {b.shape}")
        self.width = W.shape[1]
        super().__init__(W=W, b=b)

    def initial(self, shape: tuple[int, ...], rng: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        inputs = prod(shape)
        W = self.draw_weights((inputs, self.width), inputs, rng)
        return {"W": W, "b": constant((self.width,), 0.0)}, {}

    @classmethod
    def create(
        cls,
        n_in: int,
        n_out: int,
        *,
        weight_init_std: Rule = 0.01,
        rng: Any = None,
        dtype: Any = None,
        backend: Any = None,
    ) -> "Affine":
        """Return a layer from n_in to n_out values per sample, with its own arrays.

        Parameters
        ----------
        n_in, n_out : int
        weight_init_std : float, str or callable
            Standard deviation of the weights; or "he", "xavier", "zeros" or a function f(shape, rng).
        rng : int or numpy.random.Generator, optional
        dtype : str or dtype, optional
            float32 or float64.
        backend : str or Backend, optional

        Examples
        --------
        >>> from backprop.layers import Affine
        >>> Affine.create(784, 50, rng=0)
        Affine(784, 50)
        """
        where = "Affine.create"
        n_in, n_out = (positive_integer(where, *named) for named in (("n_in", n_in), ("n_out", n_out)))
        rule = rule_of(where, weight_init_std)
        rng, dtype = generator(rng, where), network_dtype(dtype, where)
        backend = choose(backend, where).backend
        layer = cls(n_out, weight_init_std=rule)
        with memory(where, "lower n_in or n_out"):
            layer.build((n_in,), rng, dtype, backend)
        return layer

    def check(self, x: Array) -> None:
        require_samples("Affine.forward", x, self.params["W"].shape[0])

    def __repr__(self) -> str:
        sizes = self.params["W"].shape if self.params else (self.width,)
        return f"Affine({', '.join(map(str, sizes))})"
