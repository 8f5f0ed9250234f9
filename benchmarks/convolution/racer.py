"""A racer: a network of `models` with plain SGD, as the users of one library would write it."""

import numpy as np

from backprop import Sequential, to_numpy
from benchmarks.convolution.data import Images
from benchmarks.convolution.models import RATIO, Model, network

BATCH, LEARNING_RATE = 100, 0.01


class Racer:
    """The same network, weights and images for all racers.

    library: the module that must be importable. Only methods import it, so that other racers run without it.
    dtype: of its weights and images.  ratio: of Dropout.  threads: that it may use.
    """

    name: str
    library = "numpy"
    dtype = "float32"

    def __init__(
        self,
        model: Model,
        images: Images,
        *,
        dtype: str | None = None,
        ratio: float = RATIO,
        rate: float = LEARNING_RATE,
        batch_size: int = BATCH,
        threads: int = 1,
    ) -> None:
        self.dtype, self.rate = dtype or self.dtype, rate
        self.batch_size, self.threads = batch_size, threads
        self.build(network(model, self.dtype, ratio), images.x.astype(self.dtype, copy=False), images.t)

    def build(self, net: Sequential, x: np.ndarray, t: np.ndarray) -> None:
        """Take the network with its weights, and the images."""
        raise NotImplementedError

    def step(self, batches: np.ndarray) -> list[float]:
        """Make one update per row of indices, (count, batch_size): gather, forward, loss, backward, SGD.

        Return the losses before the updates. A call returns when all of its work is done.
        """
        raise NotImplementedError

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of the parameters in the layout of this library, float64."""
        raise NotImplementedError


def copies(params: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return float64 copies of named arrays."""
    return {name: np.array(to_numpy(values), np.float64) for name, values in params.items()}
