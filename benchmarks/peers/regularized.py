"""The step of a network with BatchNorm and Dropout: Affine, BatchNorm, ReLU, Dropout, Affine.

Both peers record the loss of the update's own forward pass. They are compared without dropout, since each
library draws its own masks, and timed with it.
"""

import numpy as np

from backprop.layers import Affine, BatchNorm, Dropout, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network
from benchmarks.peers.agreement import follow, require_same
from benchmarks.peers.data import CLASSES, PIXELS, Data
from benchmarks.peers.ours import OursByDefault
from benchmarks.peers.peer import LEARNING_RATE, Peer
from benchmarks.peers.pytorch import EagerByDefault

RATIO = 0.2
BATCHES = 20  # for the comparison: half of them for losses, half for parameters
NAMES = ("W1", "b1", "gamma1", "beta1", "W2", "b2")


class OursRegularized(OursByDefault):
    """Affine, BatchNorm, ReLU, Dropout, Affine by this library."""

    name = "ours, with BatchNorm and Dropout"
    ratio = RATIO

    def network(self, hidden: int) -> Network:
        layers = [Affine(hidden), BatchNorm(), ReLU(), Dropout(self.ratio), Affine(CLASSES)]
        return Network(layers, SoftmaxCrossEntropy(), PIXELS, rng=0, backend="numpy", dtype="float32")


class EagerRegularized(EagerByDefault):
    """The same by PyTorch, with autograd, cross_entropy and optim.SGD."""

    name = "PyTorch eager, with BatchNorm and Dropout"
    ratio = RATIO

    def build(self, hidden: int, weights: dict[str, np.ndarray], data: Data) -> None:
        super().build(hidden, weights, data)
        nn, (first, relu, last) = self.torch.nn, self.model
        self.model = nn.Sequential(first, nn.BatchNorm1d(hidden), relu, nn.Dropout(self.ratio), last)
        self.optimizer = self.torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE)

    def parameters(self) -> dict[str, np.ndarray]:
        arrays = (parameter.detach().numpy().T.copy() for parameter in self.model.parameters())
        return dict(zip(NAMES, arrays, strict=True))


def undropped(peer: type[Peer]) -> type[Peer]:
    """Return the same peer with a ratio of 0."""
    return type(f"{peer.__name__}Undropped", (peer,), {"ratio": 0.0})


def prepare_regularized(
    hidden: int, batch_size: int, peers: dict[str, type[Peer]], data: Data
) -> dict[str, Peer]:
    """Return the peers, after checking that without dropout they take the same steps."""
    batches = np.random.default_rng(1).integers(len(data.x), size=(BATCHES, batch_size))
    first, *others = (follow(undropped(peer)(hidden, batch_size, data), batches) for peer in peers.values())
    for name, other in zip([*peers][1:], others, strict=True):
        require_same(name, other, first, batch_size)
    return {name: peer(hidden, batch_size, data) for name, peer in peers.items()}
