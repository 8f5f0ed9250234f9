"""SimpleConvNet, the network of chapter 7: a convolution and a pooling in front of two Affine layers."""

from collections.abc import Mapping
from typing import Any

from backends import Backend
from backprop.arrays.checks import positive_integer
from backprop.arrays.initial_weights import Rule, rule_of
from backprop.layers import Affine, MaxPool2D, ReLU
from backprop.networks.conv_param import conv2d, image_shape, require_room
from backprop.networks.sequential import Sequential

CONV_PARAM = {"filter_num": 30, "filter_size": 5, "pad": 0, "stride": 1}


class SimpleConvNet(Sequential):
    """A network for images: Conv2D, ReLU, MaxPool2D(2), Affine, ReLU, Affine.

    Its parameters are the filters W1 (F, C, size, size), b1 (F,), and W2 b2 W3 b3 of the Affine layers.

    Parameters
    ----------
    input_dim : tuple of int
        Shape of an image: channels, height, width. Data may also be rows (N, D) of its pixels.
    conv_param : dict, optional
        The convolution: filter_num, filter_size, pad and stride, by default 30, 5, 0 and 1.
    hidden_size : int
        Hidden units behind the pooling.
    output_size : int
        Classes.
    weight_init_std : float, str or callable
        Standard deviation of the initial weights; or "he", "xavier", "zeros" or a function f(shape, rng).
        Biases start at 0.
    dtype : str or dtype, optional
        float32 or float64; by default BACKPROP_DTYPE, else float32.
    rng : int or numpy.random.Generator, optional
        Seed or generator of the initial weights, which are the same on every backend.
    backend : str or Backend, optional
        By default the active backend.

    Raises
    ------
    TypeError, ValueError
        If a size, a setting or the dtype is wrong, or the images are too small.
    BackendUnavailable
        If the backend cannot be used here.

    Notes
    -----
    A slice is a Sequential. Source: book section 7.5.

    Examples
    --------
    The whole network, as a list of layers:

    >>> from backprop import Sequential
    >>> from backprop.layers import Affine, Conv2D, MaxPool2D, ReLU
    >>> layers = [
    ...     Conv2D(30, 5, weight_init_std=0.01),
    ...     ReLU(),
    ...     MaxPool2D(2),
    ...     Affine(100, weight_init_std=0.01),
    ...     ReLU(),
    ...     Affine(10, weight_init_std=0.01),
    ... ]
    >>> net = Sequential(layers, input_shape=(1, 28, 28), rng=0)

    It has the same numbers:

    >>> from backprop.networks import SimpleConvNet
    >>> SimpleConvNet(rng=0).params == net.params
    True
    >>> SimpleConvNet(rng=0)
    <SimpleConvNet (1, 28, 28) to (10,), 433,890 float32 on numpy
      Conv2D1     Conv2D(30, 5)
      ReLU1       ReLU()
      MaxPool2D1  MaxPool2D(2)
      Affine1     Affine(4320, 100)
      ReLU2       ReLU()
      Affine2     Affine(100, 10)
      loss        SoftmaxCrossEntropy()>
    """

    _smaller, _input = "lower filter_num or hidden_size", "input_dim"

    def __init__(
        self,
        input_dim: tuple[int, ...] = (1, 28, 28),
        conv_param: Mapping[str, int] | None = None,
        hidden_size: int = 100,
        output_size: int = 10,
        weight_init_std: Rule = 0.01,
        dtype: Any = None,
        rng: Any = None,
        backend: str | Backend | None = None,
    ) -> None:
        where = "SimpleConvNet"
        shape, rule = image_shape(where, input_dim), rule_of(where, weight_init_std)
        layers = [
            conv2d(where, "conv_param", CONV_PARAM if conv_param is None else conv_param, rule),
            ReLU(),
            MaxPool2D(2),
            Affine(positive_integer(where, "hidden_size", hidden_size), weight_init_std=rule),
            ReLU(),
            Affine(positive_integer(where, "output_size", output_size), weight_init_std=rule),
        ]
        require_room(where, shape, layers)
        super().__init__(layers, shape, rng=rng, dtype=dtype, backend=backend)
