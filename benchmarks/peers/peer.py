"""A peer: the network 784-hidden-10 with plain SGD, as the users of one library would write it."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np

from benchmarks.peers.data import Data, initial_weights

LEARNING_RATE = 0.1
Batches: TypeAlias = np.ndarray | Iterable[np.ndarray]


class Peer:
    """The same network, weights and data for all peers.

    library: the module that must be importable. Only methods import it, so that other peers run without it.
    hidden: units of the hidden layer.  batch_size: samples per batch.  data: kept in the library's own form.

    batches: (count, batch_size) int64, indices into data.x, or an iterable of rows of such an array.
    A call returns when all of its work is done.
    """

    name: str
    library = "numpy"

    def __init__(self, hidden: int, batch_size: int, data: Data) -> None:
        self.batch_size, self.samples = batch_size, len(data.x)
        self.build(hidden, initial_weights(hidden), data)

    def build(self, hidden: int, weights: dict[str, np.ndarray], data: Data) -> None:
        """Take the weights, float64 in the layout of `TwoLayerNet`, and the data."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, count: int) -> Batches:
        """Draw batches as the library's users do; all at once or one by one, they are the same."""
        return rng.integers(self.samples, size=(count, self.batch_size))

    def step(self, batches: Batches) -> None:
        """Make one update per batch: gather, forward, backward, SGD."""
        raise NotImplementedError

    def step_loss(self, batches: Batches) -> list[float]:
        """Make one update per batch and return the mean loss of each under the updated weights."""
        raise NotImplementedError

    def evaluate(self) -> tuple[float, float]:
        """Return the accuracies over all training and all test samples."""
        raise NotImplementedError

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the parameters in the layout of `TwoLayerNet`."""
        raise NotImplementedError

    def job(
        self, iterations: int, rng: np.random.Generator, turn: Callable[[], None] = lambda: None
    ) -> tuple[list[float], list[tuple[float, float]]]:
        """Train and return the loss of each iteration, and the accuracies before each epoch and at the end.

        turn: called after each epoch.
        """
        losses: list[float] = []
        accuracies, epoch = [], self.samples // self.batch_size
        for done in range(0, iterations, epoch):
            accuracies.append(self.evaluate())
            count = min(epoch, iterations - done)
            losses += self.step_loss(self.draw(rng, count))
            turn()
        return losses, [*accuracies, self.evaluate()]


class DrawsEachBatch(Peer):
    """A peer whose loop draws each batch when it needs it, by `choice` as in the book."""

    def draw(self, rng: np.random.Generator, count: int) -> Iterator[np.ndarray]:
        return (rng.choice(self.samples, self.batch_size) for _ in range(count))


def by_name(arrays: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """Return arrays in the order of the network under the names of the parameters."""
    return dict(zip(("W1", "b1", "W2", "b2"), arrays, strict=True))
