"""Updates in place, of large parameters block by block."""

from math import expm1, inf, log, sqrt
from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.blocks import blocks, with_work
from backends.numpy.constants import number
from backends.twins import twin
from backends.workspace import NewArrays

LEAST = 2.0**-149  # the smallest float32 above 0


@twin("numpy", "SGD.compute")
def sgd(self: Any, ws: NewArrays, w: Array, g: Array, rate: Array) -> tuple[Array, tuple[()]]:
    for block, gradient, step in blocks(w, g, ws["step", g.shape]):
        np.multiply(gradient, rate, step)
        np.subtract(block, step, block)
    return w, ()


@twin("numpy", "Momentum.compute")
def momentum(
    self: Any, ws: NewArrays, w: Array, g: Array, rate: Array, momentum: Array, v: Array
) -> tuple[Array, tuple[Array]]:
    for block, gradient, velocity, step in blocks(w, g, v, ws["step", g.shape]):
        np.multiply(gradient, rate, step)
        velocity *= momentum
        velocity -= step
        block += velocity
    return w, (v,)


@twin("numpy", "Nesterov.compute")
def nesterov(
    self: Any, ws: NewArrays, w: Array, g: Array, rate: Array, momentum: Array, v: Array
) -> tuple[Array, tuple[Array]]:
    for block, gradient, velocity, step in blocks(w, g, v, ws["step", g.shape]):
        np.multiply(gradient, rate, step)
        velocity *= momentum
        velocity -= step
        block -= step
        np.multiply(velocity, momentum, step)
        block += step
    return w, (v,)


@twin("numpy", "AdaGrad.compute")
def ada_grad(
    self: Any, ws: NewArrays, w: Array, g: Array, rate: Array, h: Array
) -> tuple[Array, tuple[Array]]:
    eps = number(self.eps, w.dtype)
    for block, gradient, squares, work in with_work(ws, w, g, h):
        np.multiply(gradient, gradient, work)
        squares += work
        divide(block, gradient, squares, rate, eps, work)
    return w, (h,)


@twin("numpy", "RMSProp.compute")
def rms_prop(
    self: Any, ws: NewArrays, w: Array, g: Array, rate: Array, h: Array
) -> tuple[Array, tuple[Array]]:
    eps = number(self.eps, w.dtype)
    for block, gradient, squares, work in with_work(ws, w, g, h):
        average(squares, gradient, self.beta, work, squared=True)
        divide(block, gradient, squares, rate, eps, work)
    return w, (h,)


@twin("numpy", "Adam.compute")
def adam(
    self: Any, ws: NewArrays, w: Array, g: Array, rate: Array, m: Array, v: Array, t: Array
) -> tuple[Array, tuple[Array, Array, Array]]:
    t += 1
    steps = float(t)
    of_m, root_of_v = correction(self.beta1, steps), sqrt(correction(self.beta2, steps))
    # The factors of m̂ and v̂, taken out of the fraction, cost nothing per number.
    rate = np.array(float(rate) * root_of_v / of_m, w.dtype)
    eps = np.array(max(self.eps * root_of_v, LEAST), w.dtype)
    for block, gradient, mean, squares, work in with_work(ws, w, g, m, v):
        average(mean, gradient, self.beta1, work)
        average(squares, gradient, self.beta2, work, squared=True)
        divide(block, mean, squares, rate, eps, work)
    return w, (m, v, t)


def average(kept: Array, gradient: Array, beta: float, work: Array, squared: bool = False) -> None:
    """Move an average: kept ← beta · kept + (1 - beta) · gradient, or gradient²."""
    np.multiply(gradient, number(1.0 - beta, kept.dtype), work)
    if squared:
        work *= gradient
    kept *= number(beta, kept.dtype)
    kept += work


def divide(block: Array, along: Array, squares: Array, rate: Array, eps: Array, work: Array) -> None:
    """Move parameters: block ← block - rate · along / (√squares + eps)."""
    np.sqrt(squares, work)
    work += eps
    np.divide(along, work, work)
    work *= rate
    block -= work


def correction(beta: float, steps: float) -> float:
    """Return 1 - betaᵗ for t = steps."""
    return -expm1(steps * (log(beta) if beta else -inf))
