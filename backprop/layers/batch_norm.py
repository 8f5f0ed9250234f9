"""BatchNorm: every feature normalized to mean 0 and variance 1 over the batch, then scaled and shifted."""

from math import prod
from typing import Any

from backends import Array, Namespace
from backprop.arrays.checked_number import CheckedNumber
from backprop.arrays.checks import flag
from backprop.arrays.dtypes import NORMAL
from backprop.arrays.initializers import constant
from backprop.layers.layer import Layer
from backprop.layers.requirements import require_scales


class BatchNorm(Layer):
    """Batch normalization: out = γ x̂ + β, with x̂ = (x - mean) / √(variance + ε).

    Mean and variance are those of each feature over the batch. The gradients are::

        dL/dx = γ / √(variance + ε) · (dout - mean(dout) - x̂ mean(dout x̂))
        dL/dγ = Σ dout x̂        dL/dβ = Σ dout

    x and out have shape (N, C) or (N, C, …), with one feature for each index along C.

    Parameters
    ----------
    gamma, beta : array (C,), optional
        γ and β, used without a copy. By default a network creates them when it is made: γ = 1, β = 0.
    momentum : float in [0, 1)
        Share of the running statistics that a batch leaves unchanged.
    eps : float
        ε, at least 1.18e-38, the smallest normal number of float32.
    synchronized : bool
        If several processes train a network together: take mean and variance over the batch of all of them,
        not over the share of each. Files of weights do not keep it.

    Raises
    ------
    ValueError, TypeError
        If shapes or settings are wrong, or the arrays differ in backend or dtype. In training also if x has
        only one value per feature, which would be normalized to 0.

    Notes
    -----
    The state is running_mean and running_var, (C,), at first 0 and 1. Each pass in training moves them by a
    share 1 - momentum towards the mean and variance of its batch; the variance is divided by the number of
    values, not by one less. In evaluation they replace those of the batch.

    dL/dx has three terms, since x acts on x̂ in three ways. With s = 1 / √(variance + ε) and M values of a
    feature, the derivative of x̂_i with respect to x_j is the sum of::

        s                    directly, if i = j
        - s / M              through the mean
        - s x̂_i x̂_j / M      through the variance: (x_i - mean) ∂s/∂x_j, where ∂s/∂x_j = -s² x̂_j / M

    Multiplied by γ dout_i and summed over i, they are the three terms.

    Source: book section 6.3; Ioffe and Szegedy, arXiv 1502.03167, 2015.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import BatchNorm
    >>> layer = BatchNorm(xp.ones(1), xp.zeros(1))
    >>> layer.forward(xp.asarray([[1.0], [3.0]])).round(4)
    array([[-1.],
           [ 1.]])
    >>> layer.state["running_mean"]
    array([0.2])
    """

    def compute(
        self, xp: Namespace, x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array
    ) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]:
        axes, per_feature, keep = _axes(x), _per_feature(x), self.momentum
        mean = xp.mean(x, axis=axes, keepdims=True)
        centred = x - mean
        variance = xp.mean(centred * centred, axis=axes, keepdims=True)
        scale = 1.0 / xp.sqrt(variance + self.eps)
        x_hat, gamma, beta = centred * scale, xp.reshape(gamma, per_feature), xp.reshape(beta, per_feature)
        state = (
            keep * running_mean + (1.0 - keep) * xp.real(xp.reshape(mean, (-1,))),
            keep * running_var + (1.0 - keep) * xp.real(xp.reshape(variance, (-1,))),
        )
        return gamma * x_hat + beta, (x_hat, gamma * scale), state

    def derive(self, xp: Namespace, dout: Array, x_hat: Array, factor: Array) -> tuple[Array, Array, Array]:
        axes = _axes(dout)
        mean = xp.mean(dout, axis=axes, keepdims=True)
        along = xp.mean(dout * x_hat, axis=axes, keepdims=True)
        dx = factor * (dout - mean - x_hat * along)
        return dx, xp.sum(dout * x_hat, axis=axes), xp.sum(dout, axis=axes)

    def evaluate(
        self, xp: Namespace, x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array
    ) -> Array:
        per_feature = _per_feature(x)
        scale = gamma / xp.sqrt(running_var + self.eps)
        shift = beta - running_mean * scale
        return x * xp.reshape(scale, per_feature) + xp.reshape(shift, per_feature)

    momentum = CheckedNumber(
        "Share of the running statistics that stays.", or_zero=True, below=1.0, default=0.9
    )
    eps = CheckedNumber("ε, added to the variance.", least=NORMAL["float32"].smallest, default=1e-5)

    def __init__(
        self,
        gamma: Any = None,
        beta: Any = None,
        *,
        momentum: float = 0.9,
        eps: float = 1e-5,
        synchronized: bool = False,
    ) -> None:
        self.momentum, self.eps = momentum, eps
        self.synchronized = flag("BatchNorm", "synchronized", synchronized)
        if gamma is None and beta is None:
            super().__init__()
            return
        backend = require_scales("BatchNorm", gamma, beta)
        if len(gamma.shape) != 1 or gamma.shape != beta.shape:
            got = f"{gamma.shape} and {beta.shape}"
            raise ValueError(f"BatchNorm: gamma and beta must have shape (C,), got {got}")
        _, state = self.initial(gamma.shape, None)
        state = {name: backend.asarray(values, gamma.dtype) for name, values in state.items()}
        super().__init__(state=state, gamma=gamma, beta=beta)

    def initial(self, shape: tuple[int, ...], rng: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        if not shape:
            raise ValueError("BatchNorm: x must have shape (N, C, …), but a sample here has shape ()")
        ones, zeros = constant(shape[:1], 1.0), constant(shape[:1], 0.0)
        return {"gamma": ones, "beta": zeros}, {"running_mean": zeros, "running_var": ones}

    def check(self, x: Array) -> None:
        size = self.params["gamma"].shape[0]
        if len(x.shape) < 2 or x.shape[1] != size or 0 in x.shape:
            raise ValueError(
                f"BatchNorm.forward: x must have shape (N, {size}, …) with N at least 1, got {x.shape}"
            )

    def check_training(self, x: Array) -> None:
        if prod(x.shape) == x.shape[1]:
            rule = "training needs at least two values per feature to normalize"
            raise ValueError(f"BatchNorm.forward: {rule}, got x of shape {tuple(x.shape)}; pass more samples")

    def __repr__(self) -> str:
        return f"BatchNorm({self.params['gamma'].shape[0] if self.params else ''})"


def _axes(x: Array) -> tuple[int, ...]:
    """Return the axes to average a feature over: all but the second."""
    return (0, *range(2, len(x.shape)))


def _per_feature(x: Array) -> tuple[int, ...]:
    """Return the shape that makes (C,) broadcast along the second axis of x."""
    return (-1, *[1] * (len(x.shape) - 2))
