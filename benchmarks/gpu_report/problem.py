"""The common problem of all libraries: data, initial weights, and batches drawn ahead on the host."""

from typing import NamedTuple

import numpy as np

from backprop import load_mnist
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.data import CLASSES, PIXELS, Data, initial_weights

DARK = 0.8  # share of the pixels, as in MNIST
SIGNAL = 0.16  # strength of the class pattern; the job then reaches an accuracy of about 0.96, as on MNIST


class Problem(NamedTuple):
    """Data, weights and batches.

    weights: float64, in the layout of `TwoLayerNet`.  batches: (iterations, batch_size) int64.
    """

    data: Data
    weights: dict[str, np.ndarray]
    batches: np.ndarray


def job_problem(settings: Settings) -> Problem:
    """Return the job: 10,000 iterations of 784-50-10 at batch 100."""
    return _problem(settings, settings.hidden, settings.iterations, settings.batch_size)


def big_problem(settings: Settings) -> Problem:
    """Return the big step: hidden 4096, batch 8192."""
    return _problem(settings, settings.big_hidden, settings.big_steps, settings.big_batch)


def _problem(settings: Settings, hidden: int, iterations: int, batch_size: int) -> Problem:
    data = load(settings)
    batches = np.random.default_rng(1).integers(len(data.x), size=(iterations, batch_size))
    return Problem(data, initial_weights(hidden), batches)


def load(settings: Settings) -> Data:
    """Return MNIST, or random images that can be learned."""
    if settings.mnist is None:
        return random_images(settings.samples)
    (x, t), (x_test, t_test) = load_mnist(data_dir=settings.mnist)
    return Data(x, t, x_test, t_test, "MNIST")


def random_images(samples: int) -> Data:
    """Return noise with MNIST's share of dark pixels over a faint pattern per class; a sixth for testing."""
    test = samples // 6
    rng = np.random.default_rng(0)
    patterns = rng.random((CLASSES, PIXELS), dtype=np.float32)
    labels = rng.integers(CLASSES, size=samples + test)
    images = rng.random((samples + test, PIXELS), dtype=np.float32)
    images += SIGNAL * patterns[labels]
    images -= DARK
    np.clip(images / (1 - DARK), 0, 1, out=images)
    source = "random images of MNIST's size, a faint pattern for each class"
    return Data(images[:samples], labels[:samples], images[samples:], labels[samples:], source)
