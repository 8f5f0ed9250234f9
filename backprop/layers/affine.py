"""Affine (also Linear, Dense): out = x W + b."""

from math import prod
from typing import Any

from backends import Array
from backprop.arrays import checks
from backprop.arrays.initializers import constant, gaussian
from backprop.layers.layer import Layer


class Affine(Layer):
    """The affine map of each sample: out = x W + b.

        dL/dx = dout Wᵀ        dL/dW = xᵀ dout        dL/db = Σ_n dout

    x: (N, …) with D values per sample.  W: (D, M).  b: (M,).  out: (N, M).  dx: the shape of x.
    Affine(W, b) uses these arrays as they are; Affine(M) leaves them to the network that it becomes part of:
    normal random weights of standard deviation `weight_init_std`, and biases of 0.
    Raises ValueError for wrong shapes, TypeError for mixed backends or dtypes.  Source: book section 5.6.2.

    >>> from backprop import xp
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

    def compute(self, xp: Any, x: Array, W: Array, b: Array) -> Any:
        rows = xp.reshape(x, (x.shape[0], W.shape[0]))
        return rows @ W + b, (x, W)

    def derive(self, xp: Any, dout: Array, x: Array, W: Array) -> Any:
        rows = xp.reshape(x, (x.shape[0], W.shape[0]))
        return xp.reshape(dout @ W.T, x.shape), rows.T @ dout, xp.sum(dout, axis=0)

    def __init__(self, W: Any, b: Any = None, *, weight_init_std: float = 0.01) -> None:
        std = checks.positive_number("Affine", "weight_init_std", weight_init_std, or_zero=True)
        self.weight_init_std = std
        if b is None and getattr(W, "shape", ()) == ():
            self.width = checks.positive_integer("Affine", "the number of values out", W)
            super().__init__()
            return
        if isinstance(W, int):
            others = f"Affine.create({W}, {b}), or Affine({b}) in a network"
            raise TypeError(f"Affine: give W and b as arrays, or {others}")
        checks.require_alike("Affine", W=W, b=b)
        if len(W.shape) != 2 or b.shape != W.shape[1:]:
            raise ValueError(f"Affine: W must have shape (D, M) and b (M,), got {W.shape} and {b.shape}")
        self.width = W.shape[1]
        super().__init__(W=W, b=b)

    def initial(self, shape: tuple[int, ...], rng: Any) -> Any:
        W = gaussian((prod(shape), self.width), self.weight_init_std, rng)
        return {"W": W, "b": constant((self.width,), 0.0)}, {}

    @classmethod
    def create(
        cls,
        n_in: int,
        n_out: int,
        *,
        weight_init_std: float = 0.01,
        rng: Any = None,
        dtype: Any = None,
        backend: Any = None,
    ) -> "Affine":
        """Return a layer from n_in to n_out values per sample, with arrays of its own.

        rng: a seed or numpy.random.Generator.  dtype: float32 or float64.  backend: a name or Backend.

        >>> Affine.create(784, 50, rng=0)
        Affine(784, 50)
        """
        layer = cls(n_out, weight_init_std=weight_init_std)
        layer.build((checks.positive_integer("Affine.create", "n_in", n_in),), rng, dtype, backend)
        return layer

    def check(self, x: Array) -> None:
        checks.require_samples("Affine.forward", x, self.params["W"].shape[0])

    def __repr__(self) -> str:
        sizes = self.params["W"].shape if self.params else (self.width,)
        return f"Affine({', '.join(map(str, sizes))})"
