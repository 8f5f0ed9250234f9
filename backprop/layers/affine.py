"""Affine (also Linear, Dense): out = x W + b."""

from collections.abc import Mapping
from typing import Any

from backends import Array, backend_of, get_backend
from backprop.checks import flatten_samples, positive_integer, positive_number
from backprop.dtypes import network_dtype
from backprop.initializers import gaussian
from backprop.layers.layer import Layer, require_float, require_one_dtype


class Affine(Layer):
    """The affine map of each sample: out = x W + b.

        dL/dx = dout Wᵀ        dL/dW = xᵀ dout        dL/db = Σ_n dout

    x: (N, …) with D values a sample, flattened.  W: (D, M).  b: (M,).  out: (N, M).  dx: the shape of x.
    W and b are used as they are, not copied.  Raises ValueError for wrong shapes, TypeError for mixed
    backends or dtypes.  Source: book section 5.6.2.

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

    stateless = True
    capturable = True
    can_spare_dx = True
    samplewise = True

    def __init__(self, W: Array, b: Array) -> None:
        backend_of(W, b)
        if len(W.shape) != 2 or b.shape != W.shape[1:]:
            raise ValueError(f"Affine: W must have shape (D, M) and b (M,), got {W.shape} and {b.shape}")
        require_one_dtype("Affine", W=W, b=b)
        require_float("Affine: W", W)
        super().__init__(W=W, b=b)

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
        """A layer from n_in to n_out values a sample, with normal random weights and zero biases.

        rng: a seed or numpy.random.Generator.  dtype: float32 or float64.  backend: a name or Backend.

        >>> Affine.create(784, 50, rng=0)
        Affine(784, 50)
        """
        backend, dtype = get_backend(backend), network_dtype(dtype)
        shape = (
            positive_integer("Affine.create", "n_in", n_in),
            positive_integer("Affine.create", "n_out", n_out),
        )
        std = positive_number("Affine.create", "weight_init_std", weight_init_std, or_zero=True)
        weights = gaussian(shape, std, rng)
        return cls(backend.asarray(weights, dtype), backend.zeros(shape[1:], dtype))

    def forward(self, x: Array, training: bool = True) -> Array:
        """x W + b.  x: (N, …) with D values a sample.  Returns (N, M)."""
        W, b = self.params["W"], self.params["b"]
        backend, shape, (d, m) = backend_of(x, W, b), x.shape, W.shape
        if shape[1:] != (d,) or x.dtype != W.dtype:
            x = self._samples(x, W)
        self._keep(training, x, shape)
        return backend.affine(x, W, b, self._buffers["out", (shape[0], m)])

    def backward(self, dout: Array, needs_dx: bool = True) -> Array | None:
        """dx in the shape of x, and the gradients of W and b in `grads`; None where dx is not needed.

        dout: (N, M).  needs_dx: False spares the product for dx, a third of a first layer's work.
        """
        x, shape = self._recall()
        W, grads = self.params["W"], self.grads
        backend = backend_of(dout, x, W)
        self._check_and_consume(dout, (shape[0], W.shape[1]), W.dtype)
        dx, grads["W"], grads["b"] = backend.affine_backward(
            dout,
            x,
            W,
            grads.for_writing("W"),
            grads.for_writing("b"),
            self._buffers["dx", x.shape] if needs_dx else None,
            needs_dx,
        )
        return dx if dx is None or dx.shape == shape else backend.reshape(dx, shape)

    def _samples(self, x: Array, W: Array) -> Array:
        """x as (N, D).  Raises ValueError for another number of values, TypeError for another dtype."""
        x = flatten_samples("Affine.forward", x, W.shape[0])
        require_one_dtype("Affine.forward", x=x, W=W)
        return x

    def forward_copies(self, x: Array, params: Mapping[str, Array]) -> Array:
        """x W_k + b_k for K copies of the parameters.  x: (1, N, …) or (K, N, …).  Returns (K, N, M)."""
        backend = backend_of(x)
        return backend.affine_of_copies(backend.reshape(x, (*x.shape[:2], -1)), params["W"], params["b"])

    def moves(self, name: str, entries: Array, x: Array) -> Array:
        """How forward(x) moves with each of these entries of a parameter: d out / d entry, (K, N, M)."""
        backend, size = backend_of(x, entries), self.params["b"].shape[0]
        if name == "b":
            return backend.one_hot(entries, size, x.dtype)[:, None, :]  # every sample alike: (K, 1, M)
        return backend.affine_moves(
            flatten_samples("Affine.moves", x, self.params["W"].shape[0]), entries, size
        )

    def __repr__(self) -> str:
        return f"Affine({self.params['W'].shape[0]}, {self.params['W'].shape[1]})"
