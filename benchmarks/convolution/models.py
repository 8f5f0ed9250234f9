"""The networks of chapters 7 and 8, as lists of layers from which every racer makes its own."""

from collections.abc import Callable
from typing import Any, NamedTuple

from backprop import Sequential
from backprop.layers import Affine, Conv2D, Dropout, MaxPool2D, ReLU

IMAGE, CLASSES, RATIO, SEED = (1, 28, 28), 10, 0.5, 0


class Model(NamedTuple):
    """A network's name, and a function from the ratio of its Dropout to its layers."""

    name: str
    layers: Callable[[float], list[Any]]


def simple(ratio: float) -> list[Any]:
    """Return the layers of book section 7.5, which has no Dropout."""
    return [Conv2D(30, 5), ReLU(), MaxPool2D(2), Affine(100), ReLU(), Affine(CLASSES)]


def deep(ratio: float) -> list[Any]:
    """Return the layers of book section 8.1."""
    layers: list[Any] = []
    for filters, padding in ((16, 1), (32, 2), (64, 1)):
        layers += [Conv2D(filters, 3, padding=1), ReLU()]
        layers += [Conv2D(filters, 3, padding=padding), ReLU(), MaxPool2D(2)]
    return [*layers, Affine(50), ReLU(), Dropout(ratio), Affine(CLASSES), Dropout(ratio)]


MODELS = {"simple": Model("SimpleConvNet", simple), "deep": Model("DeepConvNet", deep)}


def network(model: Model, dtype: str, ratio: float = RATIO) -> Sequential:
    """Return a network with the initial weights of all racers.

    Those of float32 are those of float64, rounded.
    """
    return Sequential(model.layers(ratio), IMAGE, rng=SEED, dtype=dtype, backend="numpy")
