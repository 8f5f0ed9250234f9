"""backprop itself as a racer: the step that `train` runs."""

from math import prod

import numpy as np

from backprop import Sequential
from backprop.optimizers import SGD
from backprop.training import Trainer
from benchmarks.convolution.racer import Racer, copies


class Ours(Racer):
    """The library's own training step, which takes its number of threads from BLAS's limit."""

    name = "ours"

    def build(self, net: Sequential, x: np.ndarray, t: np.ndarray) -> None:
        self.net = net
        self.trainer = Trainer(net, SGD(self.rate), *net.prepare("Ours", x, t), self.batch_size)

    def step(self, batches: np.ndarray) -> list[float]:
        largest = self.batch_size * max(map(prod, self.net.params.shapes.values()))
        with self.net.backend.threads_for(largest):  # as `train` does
            return self.trainer.start(batches)()

    def parameters(self) -> dict[str, np.ndarray]:
        return copies(self.net.params)
