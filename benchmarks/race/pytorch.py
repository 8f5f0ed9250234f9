"""PyTorch eager, as a good user writes it: resident data, all indices drawn ahead, a fused optimizer."""

import numpy as np

from benchmarks.peers.data import CLASSES, PIXELS
from benchmarks.peers.peer import by_name
from benchmarks.race.course import Weights
from benchmarks.race.racer import Racer


class Eager(Racer):
    """Autograd, cross_entropy and optim.SGD(nesterov=True, fused=True), whose rate is set before each step.

    Of foreach, fused and neither, fused is the fastest here.
    """

    name = "PyTorch eager"
    library = "torch"
    rate_outside = True

    def build(self) -> None:
        import torch
        from torch.nn.functional import cross_entropy

        if self.device == "cpu":
            torch.set_num_threads(1)
        self.torch, self.cross_entropy = torch, cross_entropy
        self.x, self.t, self.x_test, self.t_test = (
            torch.from_numpy(array).to(self.device) for array in self.course.data[:4]
        )
        hidden = self.course.recipe.hidden
        layers = torch.nn.Linear(PIXELS, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, CLASSES)
        self.model = torch.nn.Sequential(*layers).to(self.device)

    def take(self, weights: Weights) -> None:
        for parameter, values in zip(self.model.parameters(), weights.values(), strict=True):
            parameter.copy_(self.torch.from_numpy(values.T.copy()))  # Linear keeps (out, in)

    def begin(self, weights: Weights) -> None:
        with self.torch.no_grad():
            self.take(weights)
        recipe = self.course.recipe
        parameters = list(self.model.parameters())
        weights_alone = [p for p in parameters if p.ndim > 1]
        biases = [p for p in parameters if p.ndim == 1]
        self.optimizer = self.torch.optim.SGD(
            [
                {"params": weights_alone, "weight_decay": recipe.weight_decay},
                {"params": biases, "weight_decay": 0.0},
            ],
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            nesterov=True,
            fused=True,
        )
        self.wait()

    def wait(self) -> None:
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def train(self, batches: np.ndarray) -> None:
        for batch, rate in zip(self.torch.from_numpy(batches).to(self.device), self.rates, strict=False):
            self.update(batch, rate)
        self.wait()

    def update(self, batch, rate) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        smoothing = self.course.recipe.label_smoothing
        loss = self.cross_entropy(self.model(self.x[batch]), self.t[batch], label_smoothing=smoothing)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def accuracy(self) -> float:
        with self.torch.no_grad():
            return (self.model(self.x_test).argmax(dim=1) == self.t_test).float().mean().item()

    def weights(self) -> Weights:
        return by_name(p.detach().cpu().numpy().T.copy() for p in self.model.parameters())
