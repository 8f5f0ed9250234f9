"""LayerNorm: every sample normalized to mean 0 and variance 1 over its values, then scaled and shifted."""

from typing import Any

from backends import Array, Namespace
from backprop.arrays.checked_number import CheckedNumber
from backprop.arrays.dtypes import NORMAL
from backprop.arrays.initializers import constant
from backprop.layers.layer import Layer
from backprop.layers.requirements import require_scales


class LayerNorm(Layer):
    """Layer normalization: out = γ x̂ + β, with x̂ = (x - mean) / √(variance + ε).

    Mean and variance are those of all values of one sample. The gradients, with g = dout γ, are::

        dL/dx = (g - mean(g) - x̂ mean(g x̂)) / √(variance + ε)
        dL/dγ = Σ_n dout x̂        dL/dβ = Σ_n dout

    x and out have shape (N, …), γ and β that of one sample, (…).

    Parameters
    ----------
    gamma, beta : array (…), optional
        γ and β, used without a copy. By default a network creates them when it is made: γ = 1, β = 0.
    eps : float
        ε, at least 1.18e-38, the smallest normal number of float32.

    Raises
    ------
    ValueError, TypeError
        If shapes or settings are wrong, or the arrays differ in backend or dtype.

    Notes
    -----
    A sample's output does not depend on the other samples of its batch. So the layer has no running
    statistics, and training and evaluation are the same.
    BatchNorm derives the three terms of dL/dx. Here γ differs from value to value, so it is inside the means.
    Source: Ba, Kiros and Hinton, arXiv 1607.06450, 2016.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import LayerNorm
    >>> layer = LayerNorm(xp.ones(2), xp.zeros(2))
    >>> layer.forward(xp.asarray([[1.0, 3.0], [50.0, 10.0]])).round(4)
    array([[-1.,  1.],
           [ 1., -1.]])
    """

    def compute(
        self, xp: Namespace, x: Array, gamma: Array, beta: Array
    ) -> tuple[Array, tuple[Array, Array, Array]]:
        axes = tuple(range(1, len(x.shape)))
        centred = x - xp.mean(x, axis=axes, keepdims=True)
        variance = xp.mean(centred * centred, axis=axes, keepdims=True)
        scale = 1.0 / xp.sqrt(variance + self.eps)
        x_hat = centred * scale
        return gamma * x_hat + beta, (x_hat, scale, gamma)

    def derive(
        self, xp: Namespace, dout: Array, x_hat: Array, scale: Array, gamma: Array
    ) -> tuple[Array, Array, Array]:
        axes, g = tuple(range(1, len(dout.shape))), dout * gamma
        along = xp.mean(g * x_hat, axis=axes, keepdims=True)
        dx = scale * (g - xp.mean(g, axis=axes, keepdims=True) - x_hat * along)
        return dx, xp.sum(dout * x_hat, axis=0), xp.sum(dout, axis=0)

    eps = CheckedNumber("ε, added to the variance.", least=NORMAL["float32"].smallest, default=1e-5)

    def __init__(self, gamma: Any = None, beta: Any = None, *, eps: float = 1e-5) -> None:
        self.eps = eps
        if gamma is None and beta is None:
            super().__init__()
            return
        require_scales("LayerNorm", gamma, beta)
        if not gamma.shape or 0 in gamma.shape or gamma.shape != beta.shape:
            rule, got = "the shape of one sample, (…)", f"{tuple(gamma.shape)} and {tuple(beta.shape)}"
            raise ValueError(f"LayerNorm: gamma and beta must have {rule}, got {got}")
        super().__init__(gamma=gamma, beta=beta)

    def initial(self, shape: tuple[int, ...], rng: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"gamma": constant(shape, 1.0), "beta": constant(shape, 0.0)}, {}

    def check(self, x: Array) -> None:
        sample = tuple(self.params["gamma"].shape)
        if tuple(x.shape[1:]) != sample:
            wanted = ", ".join(map(str, sample))
            raise ValueError(f"LayerNorm.forward: x must have shape (N, {wanted}), got {tuple(x.shape)}")

    def multiply_adds(self, out_shape: tuple[int, ...]) -> int:
        return 0  # as in BatchNorm: γ scales values, it does not combine them

    def __repr__(self) -> str:
        sizes = self.params["gamma"].shape if self.params else ()
        return f"LayerNorm({', '.join(map(str, sizes))})"
