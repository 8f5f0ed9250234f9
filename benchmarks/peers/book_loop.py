"""The book's own training loop, in float64, since its weights and one-hot labels are float64."""

import numpy as np

from benchmarks import book
from benchmarks.peers.data import CLASSES, PIXELS, Data
from benchmarks.peers.peer import LEARNING_RATE, Batches, DrawsEachBatch


class Book(DrawsEachBatch):
    name = "the book's loop"

    def build(self, hidden: int, weights: dict[str, np.ndarray], data: Data) -> None:
        self.x, self.x_test = data.x, data.x_test
        one_hot = np.eye(CLASSES)
        self.t, self.t_test = one_hot[data.t], one_hot[data.t_test]
        self.network = book.TwoLayerNet(PIXELS, hidden, CLASSES)
        for key in ("W1", "b1", "W2", "b2"):
            self.network.params[key][...] = weights[key]

    def step(self, batches: Batches) -> None:
        for batch_mask in batches:
            self.update(self.x[batch_mask], self.t[batch_mask])

    def step_loss(self, batches: Batches) -> list[float]:
        train_loss_list = []
        for batch_mask in batches:
            x_batch, t_batch = self.x[batch_mask], self.t[batch_mask]
            self.update(x_batch, t_batch)
            loss = self.network.loss(x_batch, t_batch)
            train_loss_list.append(loss)
        return train_loss_list

    def update(self, x_batch: np.ndarray, t_batch: np.ndarray) -> None:
        grad = self.network.gradient(x_batch, t_batch)
        for key in ("W1", "b1", "W2", "b2"):
            self.network.params[key] -= LEARNING_RATE * grad[key]

    def evaluate(self) -> tuple[float, float]:
        return self.network.accuracy(self.x, self.t), self.network.accuracy(self.x_test, self.t_test)

    def parameters(self) -> dict[str, np.ndarray]:
        return {key: values.copy() for key, values in self.network.params.items()}
