"""Nothing grows with the number of steps, checks, graphs and copies: no memory, objects, threads or files."""

import copy
import gc
import os
import pickle
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from backprop import AddLayer, MulLayer, TwoLayerNet, check_gradients, train
from backprop.graph import graph_of, network_graph
from backprop.layers import Affine, BatchNorm, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import Momentum

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(60, 6)).astype("float32"), RNG.integers(3, size=60)
KEPT, STATE = TwoLayerNet(6, 5, 3, rng=0), Momentum(0.01)  # trained again and again


def price(apple=100.0, n=2.0, tax=1.1):
    return AddLayer().forward(MulLayer().forward(MulLayer().forward(apple, n), tax), 1.0)


def everything(steps):
    """Train a network on, so many steps, and do once all else that may leave something."""
    train(KEPT, X, T, X, T, iterations=steps, batch_size=10, optimizer=STATE, rng=0)
    layers = [Affine(5), BatchNorm(), ReLU(), Affine(3)]
    net = Network(layers, SoftmaxCrossEntropy(), 6, 3, rng=0)
    train(net, X, T, epochs=1, batch_size=20, rng=0, callback=lambda history: repr(history))
    with pytest.raises(ZeroDivisionError):
        train(net, X, T, iterations=5, callback=lambda history: 1 / 0)
    with pytest.raises(ValueError):
        net.gradient(X[:, 1:], T)
    check_gradients(net, X[:2], T[:2], rng=0).assert_ok()
    check_gradients(ReLU(), X[:2], mode="full")
    for made in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.astype("float64"), net.to("numpy")):
        made.gradient(X, T)
    graph_of(price).to_svg()
    network_graph(KEPT, X[:1], T[:1]).to_html()


def count():
    """Return the numbers of objects, bytes, threads and open files."""
    gc.collect()
    counted = {"objects": len(gc.get_objects()), "bytes": tracemalloc.get_traced_memory()[0]}
    counted["threads"] = threading.active_count()
    for name, folder in (("system's threads", "/proc/self/task"), ("files", "/proc/self/fd")):
        counted[name] = len(os.listdir(folder)) if os.path.isdir(folder) else 0
    return counted


def growth(rounds, steps):
    """Return the growth over that many rounds; the first rounds fill caches that are kept for good."""
    for _ in range(3):
        everything(steps)
    before = count()
    for _ in range(rounds):
        everything(steps)
    after = count()
    return {name: after[name] - before[name] for name in after}


def test_what_is_left_does_not_grow():
    """In 2,000 steps, whose losses alone would take 64,000 bytes. Caches of Python take some, and fill up."""
    tracemalloc.start()
    try:
        grown = growth(5, 400)
    finally:
        tracemalloc.stop()
    assert grown.pop("bytes") < 30_000 and grown.pop("objects") < 10, grown
    assert not any(grown.values()), grown


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells it so")
def test_the_process_does_not_grow_in_200_000_steps():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    growth(10, 1_000)
    before = resident()
    grown = growth(187, 1_000)
    assert resident() - before < 4e6
    assert grown.pop("objects") < 10 and not any(grown.values()), grown
