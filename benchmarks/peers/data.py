"""The training data of all peers: MNIST if BACKPROP_DATA_DIR names it, else random data of its size."""

import os
from typing import NamedTuple

import numpy as np

from backprop import load_mnist

TRAIN, TEST, PIXELS, CLASSES = 60_000, 10_000, 784, 10


class Data(NamedTuple):
    """Samples (N, 784) float32 in [0, 1], labels (N,) int64, and their source."""

    x: np.ndarray
    t: np.ndarray
    x_test: np.ndarray
    t_test: np.ndarray
    source: str


def load() -> Data:
    """Return MNIST, or random images with as many dark pixels, whose accuracies mean nothing."""
    if os.environ.get("BACKPROP_DATA_DIR"):
        (x, t), (x_test, t_test) = load_mnist()
        return Data(x, t, x_test, t_test, "MNIST")
    rng = np.random.default_rng(0)
    images = rng.random((TRAIN + TEST, PIXELS), dtype=np.float32)
    images -= 0.8  # four pixels in five are dark in MNIST
    np.maximum(images, 0, out=images)
    images *= 5
    labels = rng.integers(CLASSES, size=TRAIN + TEST)
    return Data(images[:TRAIN], labels[:TRAIN], images[TRAIN:], labels[TRAIN:], "random")


def initial_weights(hidden: int) -> dict[str, np.ndarray]:
    """Return the initial weights of all peers, float64, as `TwoLayerNet` draws them.

    W1 (784, hidden), b1 (hidden,), W2 (hidden, 10), b2 (10,).
    """
    rng = np.random.default_rng(0)
    return {
        "W1": 0.01 * rng.standard_normal((PIXELS, hidden)),
        "b1": np.zeros(hidden),
        "W2": 0.01 * rng.standard_normal((hidden, CLASSES)),
        "b2": np.zeros(CLASSES),
    }
