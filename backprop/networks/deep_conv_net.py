"""DeepConvNet, the network of chapter 8: six convolutions, three poolings, and Dropout."""

from collections.abc import Mapping
from typing import Any

from backends import Backend
from backprop.arrays.checks import positive_integer
from backprop.layers import Affine, Dropout, MaxPool2D, ReLU
from backprop.networks.conv_param import conv2d, image_shape, require_room
from backprop.networks.sequential import Sequential

CONV_PARAMS = [
    {"filter_num": filters, "filter_size": 3, "pad": padding, "stride": 1}
    for filters, padding in ((16, 1), (16, 1), (32, 1), (32, 2), (64, 1), (64, 1))
]
ConvParam = Mapping[str, int] | None


class DeepConvNet(Sequential):
    """A deep network for images: three blocks of two convolutions and a pooling, and two Affine layers.

    A block is Conv2D, ReLU, Conv2D, ReLU, MaxPool2D(2). Behind them stand Affine, ReLU, Dropout(0.5), Affine
    and, as in the book, another Dropout(0.5). Weights start by He's rule, biases at 0.

    Parameters
    ----------
    input_dim : tuple of int
        Shape of an image: channels, height, width. Data may also be rows (N, D) of its pixels.
    conv_param_1, conv_param_2, conv_param_3, conv_param_4, conv_param_5, conv_param_6 : dict, optional
        The convolutions, each with filter_num, filter_size, pad and stride. By default they have 16, 16, 32,
        32, 64 and 64 filters of size 3, a pad of 1 (the fourth: 2) and a stride of 1.
    hidden_size : int
        Hidden units behind the last pooling.
    output_size : int
        Classes.
    dtype : str or dtype, optional
        float32 or float64; by default BACKPROP_DTYPE, else float32.
    rng : int or numpy.random.Generator, optional
        Seed or generator of the initial weights and of Dropout, which are the same on every backend.
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
    A slice is a Sequential. Source: book section 8.1.1.

    Examples
    --------
    The whole network, as a list of layers:

    >>> from backprop import Sequential
    >>> from backprop.layers import Affine, Conv2D, Dropout, MaxPool2D, ReLU
    >>> layers = []
    >>> for filters, second_padding in ((16, 1), (32, 2), (64, 1)):
    ...     layers += [Conv2D(filters, 3, padding=1), ReLU()]
    ...     layers += [Conv2D(filters, 3, padding=second_padding), ReLU(), MaxPool2D(2)]
    ...
    >>> layers += [Affine(50), ReLU(), Dropout(0.5), Affine(10, weight_init_std="he"), Dropout(0.5)]
    >>> net = Sequential(layers, input_shape=(1, 28, 28), rng=0)

    It has the same numbers:

    >>> from backprop.networks import DeepConvNet
    >>> DeepConvNet(rng=0).params == net.params
    True
    """

    _smaller, _input = "lower hidden_size, or filter_num of a convolution", "input_dim"

    def __init__(
        self,
        input_dim: tuple[int, ...] = (1, 28, 28),
        conv_param_1: ConvParam = None,
        conv_param_2: ConvParam = None,
        conv_param_3: ConvParam = None,
        conv_param_4: ConvParam = None,
        conv_param_5: ConvParam = None,
        conv_param_6: ConvParam = None,
        hidden_size: int = 50,
        output_size: int = 10,
        dtype: Any = None,
        rng: Any = None,
        backend: str | Backend | None = None,
    ) -> None:
        where, rule = "DeepConvNet", "he"
        given = conv_param_1, conv_param_2, conv_param_3, conv_param_4, conv_param_5, conv_param_6
        shape = image_shape(where, input_dim)
        layers: list[Any] = []
        for i, (own, default) in enumerate(zip(given, CONV_PARAMS, strict=True), 1):
            layers += [conv2d(where, f"conv_param_{i}", default if own is None else own, rule), ReLU()]
            if i % 2 == 0:
                layers.append(MaxPool2D(2))
        hidden = positive_integer(where, "hidden_size", hidden_size)
        classes = positive_integer(where, "output_size", output_size)
        layers += [Affine(hidden, weight_init_std=rule), ReLU(), Dropout(0.5)]
        layers += [Affine(classes, weight_init_std=rule), Dropout(0.5)]
        require_room(where, shape, layers)
        super().__init__(layers, shape, rng=rng, dtype=dtype, backend=backend)
