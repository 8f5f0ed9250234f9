"""Small training runs, and a digest of their results; as a program, in this process and a forked one."""

import hashlib
import os

import numpy as np

from backprop import TwoLayerNet, load_mnist_sample, train
from backprop.layers import Affine, BatchNorm, Dropout, ReLU, Sigmoid
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import Adam, Momentum

DTYPES = ("float32", "float64")


def digits(dtype):
    """Pixels, labels, and the network of the chapter."""
    (x, t), _ = load_mnist_sample()
    return x[:200].astype(dtype), t[:200], TwoLayerNet(784, 50, 10, dtype=dtype, rng=1)


def odd_sizes(dtype):
    """Sizes that fill no register, and layers with state."""
    rng = np.random.default_rng(2)
    layers = [Affine(19), BatchNorm(), ReLU(), Dropout(0.25), Affine(7), Sigmoid(), Affine(5)]
    net = Network(layers, SoftmaxCrossEntropy(), 37, 5, rng=1, dtype=dtype)
    return rng.normal(size=(90, 37)).astype(dtype), rng.integers(5, size=90), net


def digest(make, dtype, arranged=lambda x: x, parts=(12,)):
    """Return the results of a training run, as bytes.

    make: digits or odd_sizes.  arranged: lays its samples out in memory.
    parts: iterations of the calls of `train` that continue one another.
    """
    x, t, net = make(dtype)
    optimizer = Momentum(0.05) if make is digits else Adam(0.01, weight_decay=0.1, clip=0.5)
    x, rng, left = arranged(x), np.random.default_rng(3), []
    for iterations in parts:
        history = train(net, x, t, iterations=iterations, batch_size=31, optimizer=optimizer, rng=rng)
        left += history.loss
    left.append(history.train_accuracy[-1])
    arrays = [array.tobytes() for array in (net.params.flat, *net.state.values(), *optimizer.arrays)]
    return hashlib.sha256(b"".join([repr(left).encode(), *arrays])).hexdigest()


def digests():
    """Return the results of all small training runs."""
    return [digest(make, dtype) for make in (digits, odd_sizes) for dtype in DTYPES]


if __name__ == "__main__":
    child = os.fork() if hasattr(os, "fork") else None
    if child:
        os.wait()
    print("forked" if child == 0 else "own", *digests(), flush=True)
