"""PyTorch as its users write it, with autograd, and written by hand into buffers for the most speed."""

import numpy as np

from benchmarks.peers.data import CLASSES, PIXELS, Data
from benchmarks.peers.peer import LEARNING_RATE, Batches, DrawsEachBatch, Peer, by_name


class Eager(DrawsEachBatch):
    """The step by autograd, cross_entropy and optim.SGD; indexed resident data, faster than a DataLoader."""

    name = "PyTorch eager"
    library = "torch"

    def build(self, hidden: int, weights: dict[str, np.ndarray], data: Data) -> None:
        import torch
        from torch.nn.functional import cross_entropy

        torch.set_num_threads(1)
        self.torch, self.cross_entropy = torch, cross_entropy
        self.x, self.t, self.x_test, self.t_test = map(torch.from_numpy, data[:4])
        self.model = torch.nn.Sequential(
            torch.nn.Linear(PIXELS, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, CLASSES)
        )
        with torch.no_grad():
            for parameter, values in zip(self.model.parameters(), weights.values(), strict=True):
                parameter.copy_(torch.from_numpy(values.T.copy()))  # Linear keeps its weight as (out, in)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE)

    def step(self, batches: Batches) -> None:
        for batch in map(self.torch.from_numpy, batches):
            self.update(self.x[batch], self.t[batch])

    def step_loss(self, batches: Batches) -> list[float]:
        losses = []
        for batch in map(self.torch.from_numpy, batches):
            x, t = self.x[batch], self.t[batch]
            self.update(x, t)
            with self.torch.no_grad():
                losses.append(self.cross_entropy(self.model(x), t).item())
        return losses

    def update(self, x, t):
        loss = self.cross_entropy(self.model(x), t)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss

    def evaluate(self) -> tuple[float, float]:
        with self.torch.no_grad():
            return self.accuracy(self.x, self.t), self.accuracy(self.x_test, self.t_test)

    def accuracy(self, x, t) -> float:
        return (self.model(x).argmax(dim=1) == t).float().mean().item()

    def parameters(self) -> dict[str, np.ndarray]:
        return by_name(p.detach().numpy().T.copy() for p in self.model.parameters())


class EagerAhead(Eager):
    """The same with the indices of all batches drawn beforehand."""

    name = "PyTorch eager, drawn ahead"
    draw = Peer.draw


class EagerByDefault(Eager):
    """The loss of the update's own forward pass, as most PyTorch loops record it."""

    name = "PyTorch eager, no second pass"

    def step_loss(self, batches: Batches) -> list[float]:
        indices = map(self.torch.from_numpy, batches)
        return [self.update(self.x[batch], self.t[batch]).item() for batch in indices]


class ByHand(DrawsEachBatch):
    """The step without autograd: products into buffers, and the gradient of W1 never stored."""

    name = "PyTorch by hand"
    library = "torch"

    def build(self, hidden: int, weights: dict[str, np.ndarray], data: Data) -> None:
        import torch
        from torch.nn.functional import cross_entropy

        torch.set_num_threads(1)
        self.torch, self.cross_entropy = torch, cross_entropy
        self.x, self.t, self.x_test, self.t_test = map(torch.from_numpy, data[:4])
        n = self.batch_size
        self.weights = [torch.from_numpy(values.astype(np.float32)) for values in weights.values()]
        self.xb, self.tb, self.rows = (
            torch.empty(n, PIXELS),
            torch.empty(n, dtype=torch.int64),
            torch.arange(n),
        )
        self.h, self.z, self.dh = torch.empty(n, hidden), torch.empty(n, CLASSES), torch.empty(n, hidden)
        self.dW2, self.db2, self.db1 = torch.empty(hidden, CLASSES), torch.empty(CLASSES), torch.empty(hidden)

    def forward(self) -> None:
        W1, b1, W2, b2 = self.weights
        self.torch.addmm(b1, self.xb, W1, out=self.h).relu_()
        self.torch.addmm(b2, self.h, W2, out=self.z)

    def update(self, batch) -> None:
        torch, (W1, b1, W2, b2) = self.torch, self.weights
        torch.index_select(self.x, 0, batch, out=self.xb)
        torch.index_select(self.t, 0, batch, out=self.tb)
        self.forward()
        dz = torch.softmax(self.z, dim=1)
        dz[self.rows, self.tb] -= 1
        dz *= 1 / self.batch_size
        torch.mm(self.h.T, dz, out=self.dW2)
        torch.sum(dz, dim=0, out=self.db2)
        torch.mm(dz, W2.T, out=self.dh).mul_(self.h > 0)
        torch.sum(self.dh, dim=0, out=self.db1)
        W1.addmm_(self.xb.T, self.dh, alpha=-LEARNING_RATE)
        for parameter, gradient in ((b1, self.db1), (W2, self.dW2), (b2, self.db2)):
            parameter.sub_(gradient, alpha=LEARNING_RATE)

    def step(self, batches: Batches) -> None:
        with self.torch.no_grad():
            for batch in map(self.torch.from_numpy, batches):
                self.update(batch)

    def step_loss(self, batches: Batches) -> list[float]:
        losses = []
        with self.torch.no_grad():
            for batch in map(self.torch.from_numpy, batches):
                self.update(batch)
                self.forward()
                losses.append(self.cross_entropy(self.z, self.tb).item())
        return losses

    def evaluate(self) -> tuple[float, float]:
        with self.torch.no_grad():
            return self.accuracy(self.x, self.t), self.accuracy(self.x_test, self.t_test)

    def accuracy(self, x, t) -> float:
        W1, b1, W2, b2 = self.weights
        logits = self.torch.addmm(b2, self.torch.addmm(b1, x, W1).relu_(), W2)
        return (logits.argmax(dim=1) == t).float().mean().item()

    def parameters(self) -> dict[str, np.ndarray]:
        return by_name(values.numpy().copy() for values in self.weights)
