"""A part of the batch: its samples, and the memory that it gets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy import ndarray as Array

from backends.numpy.batch_parts import for_each
from backends.numpy.conv2d.geometry import Pair
from backends.workspace import NewArrays

BOOL = np.dtype(bool)


@dataclass(frozen=True)
class Part:
    """A part of the batch: its number, its samples, and the thread that works on it."""

    ws: NewArrays
    index: int
    samples: slice
    worker: int

    @property
    def count(self) -> int:
        """The number of samples."""
        return int(self.samples.stop - self.samples.start)

    def lasting(self, name: str, shape: Pair) -> Array:
        """Return memory that is kept from `compute` to `derive`."""
        array: Array = self.ws[f"{name} of part {self.index}", shape]
        return array

    def bits(self, name: str, shape: Pair) -> Array:
        """Return such memory for true and false."""
        array: Array = self.ws[f"{name} of part {self.index}", shape, BOOL]
        return array

    def scratch(self, name: str, shape: Pair) -> Array:
        """Return memory to work in, which the thread's next part overwrites."""
        array: Any = self.ws.scratch(f"{name} of thread {self.worker}", shape)
        return cast(Array, array)


def for_parts(ws: NewArrays, samples: list[slice], run: Callable[[Part], Any]) -> list[Any]:
    """Return what `run` returns for each part of the batch, which several threads may work on."""
    return for_each(lambda index, worker: run(Part(ws, index, samples[index], worker)), len(samples))
