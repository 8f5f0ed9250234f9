"""The network that the options describe."""

from collections.abc import Sequence
from typing import Any

from backends import Backend
from backprop.layers import GELU, Affine, BatchNorm, Dropout, LeakyReLU, ReLU, Sigmoid, Tanh
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import DeepConvNet, Sequential, SimpleConvNet

PIXELS, CLASSES = 784, 10
ACTIVATIONS = {"relu": ReLU, "leaky-relu": LeakyReLU, "gelu": GELU, "sigmoid": Sigmoid, "tanh": Tanh}
BOOK_INIT = 0.01  # of the book's TwoLayerNet
CONV_NETS = {"simple-conv": SimpleConvNet, "deep-conv": DeepConvNet}


def make_network(
    model: str,
    hidden: Sequence[int],
    activation: str,
    batch_norm: bool,
    sync_batch_norm: bool,
    dropout: float,
    init: str | float | None,
    label_smoothing: float,
    dtype: str | None,
    rng: Any,
    backend: Backend,
) -> Sequential:
    """Return a network of this model with these hidden layers.

    Without `init`, the weights of two-layer begin with a standard deviation of 0.01, as those of the book's
    TwoLayerNet. The convolutional networks take their own default, and multi-layer the rule for the
    activation that follows.
    """
    options: dict[str, Any] = {"dtype": dtype, "rng": rng, "backend": backend}
    if model in CONV_NETS:
        if init is not None and model == "simple-conv":  # deep-conv always has He's rule
            options["weight_init_std"] = init
        net: Sequential = CONV_NETS[model](hidden_size=hidden[0], output_size=CLASSES, **options)
        net.loss_layer.label_smoothing = label_smoothing
        return net
    if init is None and model == "two-layer":
        init = BOOK_INIT
    layers: list[Any] = []
    for size in hidden:
        layers.append(Affine(size, weight_init_std=init))
        if batch_norm:
            layers.append(BatchNorm(synchronized=sync_batch_norm))
        layers.append(ACTIVATIONS[activation]())
        if dropout:
            layers.append(Dropout(dropout))
    layers.append(Affine(CLASSES, weight_init_std=init))
    return Sequential(layers, PIXELS, SoftmaxCrossEntropy(label_smoothing), **options)


def name_of(model: str, hidden: Sequence[int]) -> str:
    """Return the sizes of all layers, as in 784-100-50-10; for images, the class and its hidden units."""
    if model in CONV_NETS:
        return f"{CONV_NETS[model].__name__} with {hidden[0]:,} hidden unit{'s' * (hidden[0] > 1)}"
    return "-".join(map(str, (PIXELS, *hidden, CLASSES)))
