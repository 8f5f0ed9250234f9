"""The overhead of layers: both passes of a chain in a loop, against its twins called alone."""

from typing import Any

import numpy as np
import pytest

from backends import Workspace, find
from backprop import TwoLayerNet
from backprop.arrays.arrays import Arrays
from backprop.reporting.timing import Work

HEADER = ("network", "batch", "twins µs", "chain µs", "more µs", "wanted")
WANTED = "at most 6"


def twins_of(*layers: Any) -> tuple[Any, Any]:
    """Return the twins of two neighbours as one."""
    compute = find("numpy", "float32", *[layer.compute for layer in layers])
    derive = find("numpy", "float32", *[layer.derive for layer in layers])
    assert compute and derive, f"NumPy has no twins of {layers}"
    return compute, derive


def works(sizes: tuple[int, int, int], batch_size: int) -> tuple[dict[str, Work], dict[str, Arrays]]:
    """Return both passes by the chain and by its twins, and the gradients that each leaves."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch_size, sizes[0]), dtype=np.float32)
    labels = rng.integers(sizes[2], size=batch_size)
    net = TwoLayerNet(*sizes, rng=0, backend="numpy", dtype="float32")
    grads = {by: net.params.like(np.zeros_like(net.params.flat)) for by in ("chain", "twins")}
    losses = {by: np.zeros(batch_size, np.float32) for by in grads}
    chain = net.chain(grads=grads["chain"], memory=Workspace)

    def by_chain(n: int) -> None:
        for _ in range(n):
            chain.forward(x, labels, out=losses["chain"])
            chain.backward()

    affine1, relu, affine2 = net.layers.values()
    first, second = (affine1, relu), (affine2, net.loss_layer)
    (compute1, derive1), (compute2, derive2) = twins_of(*first), twins_of(*second)
    W1, b1, W2, b2 = net.params.views.values()
    dW1, db1, dW2, db2 = grads["twins"].views.values()
    lent1 = {("dW", W1.shape): dW1, ("db", b1.shape): db1}
    lent2 = {("dW", W2.shape): dW2, ("db", b2.shape): db2, ("losses", (batch_size,)): losses["twins"]}
    ws1 = Workspace(net.backend, net.dtype, lent1, needs_dx=False)
    ws2 = Workspace(net.backend, net.dtype, lent2)
    share = 1.0 / batch_size

    def by_twins(n: int) -> None:
        for _ in range(n):
            h, saved1 = compute1(first, ws1, x, W1, b1)
            _, saved2 = compute2(second, ws2, h, labels, W2, b2)
            dh, _, _ = derive2(second, ws2, share, *saved2)
            derive1(first, ws1, dh, *saved1)

    return {"chain": by_chain, "twins": by_twins}, grads


@pytest.mark.benchmark(group="layers and their twins in turns")
@pytest.mark.parametrize(("sizes", "batch_size"), [((4, 3, 2), 2), ((784, 50, 10), 100)])
def test_layers(sizes, batch_size, works_in_turns, closing_table):
    both, grads = works(sizes, batch_size)
    for _ in range(2):
        for work in both.values():
            work(1)
    assert grads["chain"].flat.any()
    np.testing.assert_array_equal(grads["chain"].flat, grads["twins"].flat)
    times = works_in_turns(both, rounds=21, block=0.05)
    if times:
        twins, chain = (times.median(name) * 1e6 for name in ("twins", "chain"))
        network = "-".join(map(str, sizes))
        cells = (f"{twins:.1f}", f"{chain:.1f}", f"{chain - twins:.1f}")
        closing_table("layers over their twins, medians", HEADER, [(network, batch_size, *cells, WANTED)])
