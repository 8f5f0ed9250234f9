"""Clipping by norm: a gradient that is too long is scaled down, in its own direction."""

from backends import Array, Namespace


def clipped(xp: Namespace, g: Array, most: Array) -> Array:
    """Return g · min(1, most / ‖g‖), with ‖g‖ = √(Σ g²) over all parameters.

    g: (P,).  most: 0-d.  Source: Pascanu, Mikolov and Bengio, arXiv 1211.5063, 2013, algorithm 1.
    """
    norm = xp.sqrt(xp.sum(g * g))
    return g * (most / xp.maximum(norm, most))
