"""scikit-learn's MLPClassifier, which has its own SGD, fed by partial_fit."""

import numpy as np

from benchmarks.peers.data import CLASSES, Data
from benchmarks.peers.peer import LEARNING_RATE, Peer, by_name


class Classifier(Peer):
    """MLPClassifier by partial_fit: one call for all batches, since each call checks its data.

    For losses it takes a call per batch.
    """

    name = "scikit-learn"
    library = "sklearn"

    def build(self, hidden: int, weights: dict[str, np.ndarray], data: Data) -> None:
        from sklearn.neural_network import MLPClassifier

        self.x, self.t, self.x_test, self.t_test = data[:4]
        self.model = MLPClassifier(
            (hidden,),
            solver="sgd",
            alpha=0.0,
            batch_size=self.batch_size,
            learning_rate_init=LEARNING_RATE,
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=False,  # the batches are drawn already
        )
        # It creates its weights on the first data; they are then set to the common initial values.
        self.model.partial_fit(
            self.x[: self.batch_size], self.t[: self.batch_size], classes=np.arange(CLASSES)
        )
        for mine, theirs in zip(self.weights(), weights.values(), strict=True):
            mine[...] = theirs

    def weights(self) -> list[np.ndarray]:
        (W1, W2), (b1, b2) = self.model.coefs_, self.model.intercepts_
        return [W1, b1, W2, b2]

    def step(self, batches: np.ndarray) -> None:
        samples = batches.ravel()
        self.model.partial_fit(self.x[samples], self.t[samples])

    def step_loss(self, batches: np.ndarray) -> list[float]:
        losses, rows = [], np.arange(self.batch_size)
        for batch in batches:
            x, t = self.x[batch], self.t[batch]
            self.model.partial_fit(x, t)
            losses.append(float(-np.log(self.model.predict_proba(x)[rows, t]).mean()))
        return losses

    def evaluate(self) -> tuple[float, float]:
        return self.accuracy(self.x, self.t), self.accuracy(self.x_test, self.t_test)

    def accuracy(self, x: np.ndarray, t: np.ndarray) -> float:
        return float((self.model.predict(x) == t).mean())

    def parameters(self) -> dict[str, np.ndarray]:
        return by_name(values.copy() for values in self.weights())
