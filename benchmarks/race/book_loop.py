"""The book's own loop to the same accuracy: plain SGD of rate 0.1 on batches of 100, in float64."""

import time

import numpy as np

from benchmarks.peers.book_loop import Book
from benchmarks.peers.data import Data
from benchmarks.race.racer import Finish

# The mean test accuracy of 20 seeds, at every 250th step, first reaches 97.00 % here.
STEPS = 10_500


class TheBook:
    """The loop of the book's chapter 5, without its evaluations and its list of losses."""

    name = "the book's loop"

    def __init__(self, pixels: Data) -> None:
        self.peer = Book(50, 100, pixels)

    def run(self, seed: int, steps: int = STEPS) -> Finish:
        """Train a new network; its batches are drawn one by one, with replacement."""
        rng, peer = np.random.default_rng(seed), self.peer
        for name, values in peer.network.params.items():
            values[...] = 0.01 * rng.standard_normal(values.shape) if name.startswith("W") else 0.0
        started = time.perf_counter()
        peer.step(peer.draw(rng, steps))
        seconds = time.perf_counter() - started
        return Finish(seed, steps, seconds, float(peer.network.accuracy(peer.x_test, peer.t_test)))
