"""What the layers cost: both passes through a network in a loop, against its kernels called alone."""

import numpy as np
import pytest

from backends import load
from backprop import TwoLayerNet
from backprop.networks.worker import worker
from backprop.timing import Work

HEADER = ("network", "batch", "kernels µs", "layers µs", "more µs", "wanted")
LEARNING_RATE, WANTED = 0.1, "at most 6"


def works(sizes: tuple[int, int, int], batch_size: int) -> tuple[dict[str, Work], TwoLayerNet, TwoLayerNet]:
    """The passes by layers and by kernels, each on a network of its own, which start alike."""
    backend, rng = load("numpy"), np.random.default_rng(0)
    x = rng.standard_normal((batch_size, sizes[0]), dtype=np.float32)
    labels = rng.integers(sizes[2], size=batch_size)
    nets = [TwoLayerNet(*sizes, rng=0, backend=backend, dtype="float32") for _ in range(2)]
    work, net = worker(nets[0]), nets[1]
    W1, b1, W2, b2 = net.params.values()
    dW1, db1, dW2, db2 = (net.grads.for_writing(name) for name in net.params)
    h, dh, dz = (np.zeros((batch_size, m), np.float32) for m in (sizes[1], sizes[1], sizes[2]))

    def by_layers(n: int) -> None:
        for _ in range(n):
            work.backpropagate(x, labels, dout=LEARNING_RATE)

    def by_kernels(n: int) -> None:
        for _ in range(n):
            backend.affine_relu(x, W1, b1, h)
            _, dlogits = backend.affine_softmax_cross_entropy(h, W2, b2, labels, LEARNING_RATE, dz)
            backend.affine_backward(dlogits, h, W2, dW2, db2, dh)
            backend.affine_relu_backward(dh, h, x, W1, dW1, db1, None, dh, False)

    return {"layers": by_layers, "kernels": by_kernels}, work, net


@pytest.mark.benchmark(group="layers and their kernels in turns")
@pytest.mark.parametrize(("sizes", "batch_size"), [((4, 3, 2), 2), ((784, 50, 10), 100)])
def test_layers(sizes, batch_size, works_in_turns, closing_table):
    both, by_layers, by_kernels = works(sizes, batch_size)
    for _ in range(2):
        for work in both.values():
            work(1)
    np.testing.assert_array_equal(by_layers.grads.flat, by_kernels.grads.flat)
    times = works_in_turns(both, rounds=21, block=0.05)
    if times:
        layers, kernels = (times.median(name) * 1e6 for name in ("layers", "kernels"))
        network = "-".join(map(str, sizes))
        cells = (f"{kernels:.1f}", f"{layers:.1f}", f"{layers - kernels:.1f}")
        closing_table("layers over their kernels, medians", HEADER, [(network, batch_size, *cells, WANTED)])
