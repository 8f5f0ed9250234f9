"""The training step of every racer, for timing in turns."""

from collections.abc import Mapping

import numpy as np

from backprop.reporting.timing import Work
from benchmarks.convolution.data import Images
from benchmarks.convolution.models import Model
from benchmarks.convolution.racer import BATCH, Racer


def works(
    model: Model,
    images: Images,
    racers: Mapping[str, type[Racer]],
    *,
    batch_size: int = BATCH,
    threads: int = 1,
) -> dict[str, Work]:
    """Return the work for `in_turns`: a step a call, with Dropout, on batches that all racers share."""
    made = {
        name: racer(model, images, batch_size=batch_size, threads=threads) for name, racer in racers.items()
    }
    return {name: _work(racer, len(images.x)) for name, racer in made.items()}


def _work(racer: Racer, samples: int) -> Work:
    rng = np.random.default_rng(1)

    def work(n: int) -> None:
        racer.step(rng.integers(samples, size=(n, racer.batch_size)))

    return work
