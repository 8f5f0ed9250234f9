"""A racer: one library that trains by a recipe, timed from the first batch drawn to the final weights."""

import time
from typing import NamedTuple

import numpy as np

from benchmarks.race.course import Course, Weights


class Finish(NamedTuple):
    """The outcome of one seed. seconds: of the training alone.  accuracy: of the test set, in [0, 1]."""

    seed: int
    steps: int
    seconds: float
    accuracy: float


class Racer:
    """The network 784-hidden-10 of a recipe, with the data in the library's own form.

    library: the module that must be importable; only methods import it.
    rate_outside: as for `course.reference`.

    Parameters
    ----------
    course : Course
    device : str
        "cpu" or "cuda".
    """

    name: str
    library = "numpy"
    rate_outside = False

    def __init__(self, course: Course, device: str = "cpu") -> None:
        self.course, self.rates, self.device = course, course.rates(), device
        self.build()

    def build(self) -> None:
        """Take the data, and compile what `train` will run."""
        raise NotImplementedError

    def begin(self, weights: Weights) -> None:
        """Take initial weights, and set the velocity to 0."""
        raise NotImplementedError

    def train(self, batches: np.ndarray) -> None:
        """Make one update per batch, with the first rates. Returns when all of them are done."""
        raise NotImplementedError

    def accuracy(self) -> float:
        """Return the accuracy over the test samples."""
        raise NotImplementedError

    def weights(self) -> Weights:
        """Return the weights in the layout of `TwoLayerNet`."""
        raise NotImplementedError

    def run(self, seed: int, steps: int | None = None) -> Finish:
        """Train by the recipe, or only its first steps, and evaluate."""
        steps = self.course.recipe.steps if steps is None else steps
        weights, rng = self.course.start(seed)
        self.begin(weights)
        started = time.perf_counter()
        self.train(self.course.batches(rng, steps))
        seconds = time.perf_counter() - started
        return Finish(seed, steps, seconds, self.accuracy())
