"""The images of all racers: MNIST if BACKPROP_DATA_DIR names it, else the library's sample of it."""

import os
from typing import NamedTuple

import numpy as np

from backprop import load_mnist, load_mnist_sample


class Images(NamedTuple):
    """Images (N, 1, 28, 28) float32 in [0, 1], labels (N,) int64, and their source."""

    x: np.ndarray
    t: np.ndarray
    source: str


def load() -> Images:
    """Return the training images."""
    found = bool(os.environ.get("BACKPROP_DATA_DIR"))
    (x, t), _ = (load_mnist if found else load_mnist_sample)(flatten=False)
    return Images(x, t, "MNIST" if found else "the sample of MNIST")
