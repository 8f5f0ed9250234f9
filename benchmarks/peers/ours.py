"""backprop itself as a peer."""

from collections.abc import Callable

import numpy as np

from backprop import TwoLayerNet, to_numpy, train
from backprop.networks import Network
from backprop.optimizers import SGD
from backprop.training import History, Trainer
from benchmarks.peers.data import CLASSES, PIXELS, Data
from benchmarks.peers.peer import LEARNING_RATE, Peer


class Ours(Peer):
    """`train(..., recompute_loss=True)`: the loss after the update, as in the book."""

    name = "ours"
    recompute = True

    def network(self, hidden: int) -> Network:
        return TwoLayerNet(PIXELS, hidden, CLASSES, backend="numpy", dtype="float32")

    def build(self, hidden: int, weights: dict[str, np.ndarray], data: Data) -> None:
        self.net = net = self.network(hidden)
        for name, values in weights.items():
            net.params[name] = values
        self.data = data
        self.train_set = net.prepare("Ours", data.x, data.t)
        self.test_set = net.prepare("Ours", data.x_test, data.t_test)
        self.trainer, self.trainer_loss = (
            Trainer(net, SGD(LEARNING_RATE), *self.train_set, self.batch_size, recompute)
            for recompute in (False, self.recompute)
        )

    def step(self, batches: np.ndarray) -> None:
        self.trainer.start(batches)()

    def step_loss(self, batches: np.ndarray) -> list[float]:
        return self.trainer_loss.start(batches)()

    def evaluate(self) -> tuple[float, float]:
        return self.net.share_correct(*self.train_set), self.net.share_correct(*self.test_set)

    def parameters(self) -> dict[str, np.ndarray]:
        return {name: to_numpy(values) for name, values in self.net.params.items()}

    def job(
        self, iterations: int, rng: np.random.Generator, turn: Callable[[], None] = lambda: None
    ) -> tuple[list[float], list[tuple[float, float]]]:
        epoch = self.samples // self.batch_size

        def callback(history: History) -> None:
            if len(history.loss) == epoch * len(history.iterations):  # an epoch has just ended
                turn()

        history = train(
            self.net,
            *self.data[:4],
            iterations=iterations,
            batch_size=self.batch_size,
            learning_rate=LEARNING_RATE,
            rng=rng,
            recompute_loss=self.recompute,
            callback=callback,
        )
        return history.loss, list(zip(history.train_accuracy, history.test_accuracy, strict=True))


class OursByDefault(Ours):
    """The loss of the update's own forward pass, without a second one."""

    name = "ours, by default"
    recompute = False
