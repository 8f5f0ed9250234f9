"""Three steps, captured and eager, in their own process: `… few_steps BACKEND own,cublas`.

own, cublas: the products to use.  compute-sanitizer runs this file. Both together launch all of our kernels.
"""

import sys
from typing import Any

import numpy as np

from backends import load
from backprop import Sequential
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    GlobalAveragePool2D,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from backprop.losses import Loss, MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import SGD, AdamW, Momentum, Optimizer, RMSProp
from benchmarks.gpu_report import library
from benchmarks.peers.data import CLASSES, PIXELS

STEPS, BATCH, SAMPLES = 3, 100, 300
IMAGE = (16, 7, 7)


def main(backend: str, products: str) -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.random((SAMPLES, PIXELS), dtype=np.float32), rng.integers(CLASSES, size=SAMPLES)
    pixels, soft = np.round(x * 255) / np.float32(255), rng.dirichlet(np.ones(CLASSES), SAMPLES)
    # A pool rounds allocations up, so memcheck would miss an access just beyond an array.
    library.without_pool(load(backend))
    for whose in products.split(","):
        with library.own_products(whose == "own"):
            for capture in (True, False):
                way = f"{whose}, {'captured' if capture else 'eager'}"
                steps(way, everything(backend), x, labels, capture)
            for loss, made in others(backend).items():
                steps(f"{whose}, {loss}", made, pixels, soft, capture=False)
    for dtype in ("float32", "float64"):
        images = rng.random((SAMPLES, *IMAGE)).astype(dtype)
        steps(f"images, {dtype}", with_images(backend, dtype), images, labels, capture=False)


def steps(name: str, made: tuple[Network, Optimizer], x: Any, t: Any, capture: bool) -> None:
    net, optimizer = made
    data = net.prepare("few_steps", x, t)
    batches = np.random.default_rng(0).integers(SAMPLES, size=(STEPS, BATCH))
    losses = library.training_loop(net, *data, BATCH, capture, optimizer)(batches)
    right = net.share_correct(*data)
    said = ", ".join(f"{loss:.4f}" for loss in losses)
    print(f"{name}: losses {said}" + ("" if right is None else f"; {right:.0%} right"), flush=True)
    if not (np.isfinite(losses).all() and net.backend.all_finite(net.params.flat)):
        sys.exit("a loss or a parameter is not finite")


def everything(backend: str) -> tuple[Network, Optimizer]:
    """Return a network with every layer that has kernels of its own, and the optimizer with the most."""
    hidden = [
        BatchNorm(),
        ReLU(),
        GELU(),
        LayerNorm(),
        Tanh(),
        LeakyReLU(),
        Sigmoid(),
        Softmax(),
        Dropout(0.2),
    ]
    return network(backend, hidden, SoftmaxCrossEntropy()), AdamW(0.001, clip=1.0)


def others(backend: str) -> dict[str, tuple[Network, Optimizer]]:
    """Return a small network for each loss, to be trained on soft targets, with other optimizers."""
    return {
        type(loss).__name__: (network(backend, [ReLU()], loss), optimizer)
        for loss, optimizer in (
            (SoftmaxCrossEntropy(0.1), SGD(0.01)),
            (MeanSquaredError(), Momentum(0.01, weight_decay=0.01)),
            (SigmoidBinaryCrossEntropy(), RMSProp(0.001)),
        )
    }


def with_images(backend: str, dtype: str) -> tuple[Network, Optimizer]:
    """Return a network with every layer of images that has kernels of its own in that dtype."""
    last = [GlobalAveragePool2D()] if dtype == "float32" else []
    layers = [
        Conv2D(5, 3, padding=1),
        ReLU(),
        MaxPool2D(2),
        Conv2D(4, 2),
        AveragePool2D(2, 1),
        *last,
        Affine(CLASSES),
    ]
    return Sequential(layers, IMAGE, rng=0, dtype=dtype, backend=backend), SGD(0.01)


def network(backend: str, hidden: list[Any], loss: Loss) -> Network:
    layers = [Affine(50), *hidden, Affine(CLASSES)]
    return Network(layers, loss, PIXELS, CLASSES, rng=0, dtype="float32", backend=backend)


if __name__ == "__main__":
    main(*sys.argv[1:])
