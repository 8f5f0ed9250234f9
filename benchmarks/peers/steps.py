"""The train step of every peer, and the products that it needs at least, for timing in turns."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backprop import asarray
from backprop.layers import Affine, ReLU, SoftmaxCrossEntropy
from backprop.reporting.timing import Times, Work
from benchmarks.peers.agreement import follow, require_same
from benchmarks.peers.book_loop import Book
from benchmarks.peers.data import CLASSES, PIXELS, Data, initial_weights
from benchmarks.peers.peer import Peer

WITH_LOSS = " + loss"
PRODUCTS = "our products alone"
PEAK, PEAK_SIZE = "GEMM peak", 2048
CALL_FLOPS = 2e9  # per timed call: enough steps to make its overhead negligible
AGREE_ON = 10  # batches for losses, and as many for parameters


@dataclass(frozen=True)
class Cell:
    """A size of the network 784-hidden-10 and of its batches."""

    hidden: int
    batch_size: int

    @property
    def flops(self) -> float:
        """Operations of one step: two products with x and three of the output layer."""
        return self.batch_size * self.hidden * (4 * PIXELS + 6 * CLASSES)

    @property
    def steps(self) -> int:
        """Steps per call, at most a hundred."""
        return max(1, min(100, round(CALL_FLOPS / self.flops)))


def prepare(cell: Cell, peers: dict[str, type[Peer]], data: Data) -> dict[str, Peer]:
    """Return a peer of each kind, after checking that its first steps agree with the book's loop."""
    shape = 2 * min(AGREE_ON, cell.steps), cell.batch_size
    batches = np.random.default_rng(1).integers(len(data.x), size=shape)
    expected = follow(Book(cell.hidden, cell.batch_size, data), batches)
    ready = {name: peer(cell.hidden, cell.batch_size, data) for name, peer in peers.items()}
    for name, peer in ready.items():
        require_same(f"{name}, {cell}", follow(peer, batches), expected, cell.batch_size)
    return ready


def works(cell: Cell, peers: dict[str, Peer], with_loss: bool = False) -> dict[str, Work]:
    """Return the work for `in_turns`: cell.steps steps a call.  with_loss: also with the loss recomputed."""
    plain = {name: _work(cell, peer, peer.step) for name, peer in peers.items()}
    if not with_loss:
        return plain
    return plain | {name + WITH_LOSS: _work(cell, peer, peer.step_loss) for name, peer in peers.items()}


def _work(cell: Cell, peer: Peer, call: Callable[[np.ndarray], object]) -> Work:
    rng = np.random.default_rng(1)

    def work(n: int) -> None:
        for _ in range(n):
            call(peer.draw(rng, cell.steps))

    return work


def bounds(cell: Cell, data: Data) -> dict[str, Work]:
    """Return work of np.dot alone: the five products of a step, cell.steps times, and one large product."""
    W1, b1, W2, b2 = (asarray(w, "float32", "numpy") for w in initial_weights(cell.hidden).values())
    affine1, relu, affine2, loss = Affine(W1, b1), ReLU(), Affine(W2, b2), SoftmaxCrossEntropy()
    x, labels = data.x[: cell.batch_size], data.t[: cell.batch_size]
    h = relu.forward(affine1.forward(x))
    loss.forward(affine2.forward(h), labels)
    dz2 = loss.backward()
    dz1 = relu.backward(affine2.backward(dz2))
    pairs = [(x, W1), (h, W2), (h.T, dz2), (dz2, W2.T), (x.T, dz1)]
    outs = [np.dot(a, b) for a, b in pairs]
    square = np.random.default_rng(0).random((PEAK_SIZE, PEAK_SIZE), dtype=np.float32)
    product = np.empty_like(square)

    def products(n: int) -> None:
        for _ in range(n * cell.steps):
            for (a, b), out in zip(pairs, outs, strict=True):
                np.dot(a, b, out=out)

    def peak(n: int) -> None:
        for _ in range(n):
            np.dot(square, square, out=product)

    return {PRODUCTS: products, PEAK: peak}


def a_step(cell: Cell, times: Times) -> Times:
    """Return times per call as times per step, except that of the peak."""
    return Times(
        {
            name: seconds if name == PEAK else [s / cell.steps for s in seconds]
            for name, seconds in times.seconds.items()
        }
    )
