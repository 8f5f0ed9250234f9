"""The agreement that racers must reach before they are timed: loss and gradients of the first step."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from benchmarks.convolution.book_loop import Book
from benchmarks.convolution.data import Images
from benchmarks.convolution.models import Model
from benchmarks.convolution.racer import BATCH, Racer

# In float32 an input of a ReLU, or the two largest values of a window, may round to the other order: the
# share of one image in a gradient then goes elsewhere, in all layers below.
TOLERANCES = {"float64": 1e-12, "float32": 5e-3}
LOSSES = {"float64": 1e-12, "float32": 1e-5}
HEADER = ("the first step", "dtype", "loss off by", "gradients off by", "allowed")


class First(NamedTuple):
    """The loss of the first step, and the gradients that its update has applied."""

    loss: float
    gradients: dict[str, np.ndarray]


class Difference(NamedTuple):
    """The distance of a racer's first step from the expected one.

    loss: the difference.  gradients: the largest one, in units of the largest entry of each parameter's
    gradient.
    """

    name: str
    dtype: str
    loss: float
    gradients: float


def first_step(racer: Racer, batch: np.ndarray) -> First:
    """Make a new racer's first step and return what it computed."""
    before = racer.parameters()
    (loss,) = racer.step(batch[None])
    after = racer.parameters()
    return First(loss, {name: (before[name] - after[name]) / racer.rate for name in before})


def difference(racer: Racer, got: First, expected: First) -> Difference:
    assert got.gradients.keys() == expected.gradients.keys(), f"{racer.name}: {list(got.gradients)}"
    worst = max(
        float(abs(got.gradients[name] - values).max() / abs(values).max())
        for name, values in expected.gradients.items()
    )
    return Difference(racer.name, racer.dtype, abs(got.loss - expected.loss), worst)


def require_same(each: Difference) -> None:
    """Raise AssertionError unless the difference is that of rounding."""
    for what, value, allowed in (
        ("loss", each.loss, LOSSES[each.dtype]),
        ("gradients", each.gradients, TOLERANCES[each.dtype]),
    ):
        assert value <= allowed, f"{each.name}, {each.dtype}: {what} off by {value:.1e}, not {allowed:.0e}"


def agreement(
    model: Model,
    images: Images,
    racers: Mapping[str, type[Racer]],
    *,
    batch_size: int = BATCH,
    threads: int = 1,
) -> list[Difference]:
    """Return how far all racers are from the book's loop in float64, in that dtype and in their own.

    They compute without dropout, since each draws its own masks. Raise AssertionError if one is too far.
    """
    batch = np.random.default_rng(1).integers(len(images.x), size=batch_size)
    few = Images(images.x[batch], images.t[batch], images.source)

    def first(racer: type[Racer], dtype: str | None) -> tuple[Racer, First]:
        # With a rate of 1 an update loses the least of its gradient's digits.
        options = {"ratio": 0.0, "rate": 1.0, "batch_size": batch_size, "threads": threads}
        made = racer(model, few, dtype=dtype, **options)
        return made, first_step(made, np.arange(batch_size))

    _, expected = first(Book, "float64")
    differences = []
    for racer in racers.values():
        of_book = issubclass(racer, Book)
        for dtype in dict.fromkeys([racer.dtype] if of_book else ["float64", racer.dtype]):
            if not (of_book and dtype == Book.dtype):
                differences.append(difference(*first(racer, dtype), expected))
                require_same(differences[-1])
    return differences


def rows(differences: list[Difference]) -> list[tuple[str, ...]]:
    return [
        (each.name, each.dtype, f"{each.loss:.0e}", f"{each.gradients:.0e}", f"{TOLERANCES[each.dtype]:.0e}")
        for each in differences
    ]
