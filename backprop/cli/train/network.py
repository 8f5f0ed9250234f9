"""The network that the options describe: Affine layers with an activation behind each but the last."""

from collections.abc import Sequence
from typing import Any

from backends import Backend
from backprop.layers import GELU, Affine, BatchNorm, Dropout, LeakyReLU, ReLU, Sigmoid, Tanh
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Sequential

PIXELS, CLASSES = 784, 10
ACTIVATIONS = {"relu": ReLU, "leaky-relu": LeakyReLU, "gelu": GELU, "sigmoid": Sigmoid, "tanh": Tanh}
BOOK_INIT = 0.01  # of the book's TwoLayerNet


def make_network(
    hidden: Sequence[int],
    activation: str,
    batch_norm: bool,
    dropout: float,
    init: str | float | None,
    label_smoothing: float,
    dtype: str | None,
    rng: Any,
    backend: Backend,
) -> Sequential:
    """Return a network with these hidden layers.

    One hidden layer of ReLU alone is the book's TwoLayerNet, with the same numbers. Its weights begin with a
    standard deviation of 0.01; those of any other network by the rule for the activation that follows.
    """
    book = len(hidden) == 1 and activation == "relu" and not batch_norm and not dropout
    if init is None and book:
        init = BOOK_INIT
    layers: list[Any] = []
    for size in hidden:
        layers.append(Affine(size, weight_init_std=init))
        if batch_norm:
            layers.append(BatchNorm())
        layers.append(ACTIVATIONS[activation]())
        if dropout:
            layers.append(Dropout(dropout))
    layers.append(Affine(CLASSES, weight_init_std=init))
    loss = SoftmaxCrossEntropy(label_smoothing)
    return Sequential(layers, PIXELS, loss, dtype=dtype, rng=rng, backend=backend)


def sizes_of(hidden: Sequence[int]) -> str:
    """Return the sizes of all layers, as in 784-100-50-10."""
    return "-".join(map(str, (PIXELS, *hidden, CLASSES)))
