"""Clipping and weight decay, which every optimizer can do before its formula."""

from collections.abc import Callable
from functools import partial
from typing import Any

from backends import Array, Workspace, find
from backprop.arrays.arrays import Arrays
from backprop.optimizers.clipping import clipped
from backprop.optimizers.decay import decayed, shrunk


class Preparation:
    """Clipping and weight decay of one set of parameters, with the arrays that they read.

    Parameters
    ----------
    memory : Workspace
        Memory for twins, with the backend and dtype of the parameters.
    params : Arrays
    names : list of str
        Parameters that decay.
    decoupled : bool
        The decay moves the parameters directly.
    in_place : bool
        Decoupled decay may write into the parameters.
    """

    def __init__(
        self, memory: Workspace, params: Arrays, names: list[str], decoupled: bool, in_place: bool
    ) -> None:
        self.memory, self.names, self.decoupled = memory, names, decoupled
        self.shapes, self.size = params.shapes, params.flat.shape
        self.most: Array | None = None  # the largest norm
        self.decay: Arrays | None = None  # of each parameter
        self.clipped, self.decayed = self._fastest(clipped), self._fastest(decayed)
        self.shrunk = self._fastest(shrunk) if in_place else partial(shrunk, memory.backend.xp)

    def __call__(self, w: Array, g: Array, rate: Array) -> tuple[Array, Array]:
        """Return the parameters and the gradient for the formula."""
        if self.most is not None:
            g = self.clipped(g, self.most)
        if self.decay is None:
            return w, g
        if self.decoupled:
            return self.shrunk(w, rate, self.decay.flat), g
        return w, self.decayed(w, g, self.decay.flat)

    def set_clip(self, most: float | None) -> None:
        """Clip at this norm from now on, or not at all."""
        if most is None or self.most is None:
            self.most = None if most is None else self._array(most)
        else:
            self.memory.backend.write(self.most, self._array(most))

    def set_decay(self, decay: float) -> None:
        """Make the parameters decay at this rate from now on."""
        if self.decay is None:
            if not decay:
                return
            self.decay = Arrays(self.shapes, self.memory.backend.zeros(self.size, self.memory.dtype))
        for name in self.names:
            self.decay[name][...] = decay

    def _array(self, number: float) -> Array:
        return self.memory.backend.asarray(number, self.memory.dtype)

    def _fastest(self, formula: Callable[..., Any]) -> Callable[..., Any]:
        """Return the twin of a plain function, or the function itself, with its first argument."""
        twin = find(self.memory.backend.name, self.memory.dtype, formula)
        return partial(twin, self.memory) if twin else partial(formula, self.memory.backend.xp)
