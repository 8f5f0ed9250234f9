"""The learning-rate range test: a short run whose rate rises until the loss explodes."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from os import PathLike
from typing import Any

from backends import shown
from backprop.arrays.checks import positive_integer, positive_number
from backprop.arrays.initializers import generator
from backprop.networks import Network
from backprop.optimizers import Optimizer
from backprop.optimizers.fitting import rate_in
from backprop.training.arguments import optimizer_for, require_network
from backprop.training.history import Diverged
from backprop.training.train import train

WHERE = "learning_rate_range"
LEAST = 10  # iterations
EXPLODED = 4.0  # a smoothed loss of more than this times its lowest value


@dataclass(repr=False)
class LearningRateRange:
    """The result of a range test: the loss at each learning rate.

    Attributes
    ----------
    learning_rate : list of float
        Rates of the steps, each the same factor above the one before, up to where the loss exploded.
    loss : list of float
        Mean loss of each step's batch, before its update.
    smoothed : list of float
        Mean of the losses around each step, a twentieth of all steps.
    suggestion : float
        Half the rate at which the smoothed loss is lowest.
    """

    learning_rate: list[float]
    loss: list[float]
    smoothed: list[float]
    suggestion: float

    def plot(self, file: str | PathLike[str] | None = None, *, title: str | Sequence[str] = ()) -> Any:
        """Draw the loss over the learning rate, and return a matplotlib Figure, which a notebook shows.

        file: also write the figure there, as png, svg or pdf.  title: one line above it, or several.
        Raises ImportError without matplotlib, ValueError for another suffix.
        """
        from backprop.plots.rate_range import plot_rate_range  # here, so that training does not load it

        return plot_rate_range(self, file, title=title)

    def __repr__(self) -> str:
        first, last = self.learning_rate[0], self.learning_rate[-1]
        count = len(self.loss)
        rates = f"{count} rates from {first:.2g} to {last:.2g}" if count > 1 else f"1 rate, {first:.2g}"
        return f"<LearningRateRange of {rates}: suggestion {self.suggestion:.2g}>"


def learning_rate_range(
    net: Network,
    x: Any,
    t: Any,
    *,
    optimizer: Optimizer | None = None,
    lowest: float = 1e-5,
    highest: float = 10.0,
    iterations: int = 300,
    batch_size: int = 100,
    rng: Any = None,
) -> LearningRateRange:
    """Train a copy of a network with a rising learning rate, and suggest a rate to begin with.

    The rate rises from `lowest` to `highest` by a constant factor per iteration. Losses after the loss has
    exploded are left out. Network, optimizer and generator stay as they are.

    Parameters
    ----------
    net : Network
    x : array (N, …)
        Samples, on the host or on the network's device.
    t : array
        Targets as the network's loss takes them.
    optimizer : Optimizer, optional
        A copy of it makes the updates, at the rates of the test; by default SGD.
    lowest, highest : float
        The first and the last learning rate.
    iterations : int
        Number of updates, at least 10.
    batch_size : int
        Samples per batch, drawn with replacement.
    rng : int or numpy.random.Generator, optional
        Seed or generator of the batches.

    Returns
    -------
    LearningRateRange

    Raises
    ------
    ValueError, TypeError
        If data or settings do not fit.
    Diverged
        If the first loss is already NaN or infinite.

    Notes
    -----
    Beyond the rate at which the smoothed loss is lowest, it rises: training no longer converges. By a rule of
    thumb, the best rate lies within a factor of two of the largest one that converges, so half of it is
    suggested. With momentum, the test sees the effect of a rate late, and the rate is rather high.
    A suggestion below `lowest`, or near half of `highest`, means that the loss was lowest at an end of the
    range: choose a wider one.

    Source: Smith, Cyclical learning rates for training neural networks, arXiv 1506.01186, section 3.3.

    Examples
    --------
    >>> from backprop import TwoLayerNet, load_mnist_sample
    >>> from backprop.training import learning_rate_range
    >>> (x, t), _ = load_mnist_sample()
    >>> found = learning_rate_range(TwoLayerNet(rng=0), x, t, rng=0)
    >>> 0.1 < found.suggestion < 1.0
    True
    """
    require_network(WHERE, net)
    own = copy.deepcopy(optimizer_for(WHERE, optimizer, None, net.dtype))
    low, high = (
        positive_number(WHERE, name, rate) for name, rate in (("lowest", lowest), ("highest", highest))
    )
    if high <= low:
        raise ValueError(f"{WHERE}: highest must be above lowest, {low:g}, got {shown(highest)}")
    for name, rate in (("lowest", low), ("highest", high)):
        rate_in(net.dtype, f"{WHERE} ({name})", rate)
    total = positive_integer(WHERE, "iterations", iterations)
    if total < LEAST:
        raise ValueError(f"{WHERE}: iterations must be at least {LEAST}, got {total}")
    batch_size = positive_integer(WHERE, "batch_size", batch_size)
    copied_rng = copy.deepcopy(generator(rng, WHERE))
    samples, targets = net.prepare(WHERE, x, t)
    own.learning_rate = 1.0  # so that the factors of the schedule are the rates
    try:
        history = train(
            copy.deepcopy(net),
            samples,
            targets,
            iterations=total,
            batch_size=batch_size,
            optimizer=own,
            schedule=lambda step: low ** (1 - step / (total - 1)) * high ** (step / (total - 1)),
            evaluate_every=None,
            rng=copied_rng,
        )
    except Diverged as error:
        history = error.history
        if len(history.loss) == 1:
            raise
    return found(history.learning_rate, history.loss, total)


def found(rates: Sequence[float], losses: Sequence[float], total: int) -> LearningRateRange:
    """Return the result of a range test of `total` iterations, from the rates and losses of its steps."""
    losses = list(takewhile(math.isfinite, losses))
    smoothed = _smoothed(losses, max(1, total // 40))
    lowest, end = 0, len(losses)
    for i, loss in enumerate(smoothed):
        if loss > EXPLODED * smoothed[lowest] > 0.0:
            end = i
            break
        if loss < smoothed[lowest]:
            lowest = i
    suggestion = 0.5 * rates[lowest]
    return LearningRateRange(list(rates[:end]), losses[:end], smoothed[:end], suggestion)


def _smoothed(values: Sequence[float], reach: int) -> list[float]:
    """Return the mean of the values around each one, `reach` to either side."""
    around = (values[max(0, i - reach) : i + reach + 1] for i in range(len(values)))
    return [math.fsum(part) / len(part) for part in around]
