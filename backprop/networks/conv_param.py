"""The book's arguments of a network for images, checked: input_dim, and the dict of a convolution."""

from collections.abc import Iterable, Mapping
from typing import Any

from backends import listed, shown
from backprop.arrays.checks import positive_integer, sizes
from backprop.arrays.initial_weights import Rule
from backprop.arrays.near import hint
from backprop.layers import Conv2D, MaxPool2D
from backprop.layers.windows import window_counts

KEYS = ("filter_num", "filter_size", "pad", "stride")


def conv2d(where: str, name: str, value: Any, rule: Rule) -> Conv2D:
    """Return the layer of a dict.

    Parameters
    ----------
    where, name : str
        The network and its parameter, for errors.
    value : dict
        With the four keys, each an integer; stands for Conv2D(filter_num, filter_size, stride=stride,
        padding=pad).
    rule : float, str or callable
        Of the initial weights.

    Raises
    ------
    TypeError
        If value is not a dict, or one of its values not an integer.
    ValueError
        If a key is missing or unknown, or a number is too small.

    Examples
    --------
    >>> conv2d("Net", "conv_param", {"filter_num": 30, "filter_size": 5, "pad": 1, "stride": 2}, "he")
    Conv2D(30, 5, stride=2, padding=1)
    """
    must = f"{where}: {name} must be a dict of {', '.join(KEYS)}"
    if not isinstance(value, Mapping):
        raise TypeError(f"{must}, got {shown(value)}")
    unknown = [key for key in value if key not in KEYS]
    if unknown:
        raise ValueError(f"{must}, got the key {shown(unknown[0])}{hint(unknown[0], KEYS)}")
    missing = [key for key in KEYS if key not in value]
    if missing:
        raise ValueError(f"{must}, got none of {listed(missing)}")
    filters, size, padding, stride = (
        positive_integer(where, f"{name}[{key!r}]", value[key], or_zero=key == "pad") for key in KEYS
    )
    return Conv2D(filters, size, stride=stride, padding=padding, weight_init_std=rule)


def image_shape(where: str, value: Any) -> tuple[int, ...]:
    """Return the shape of an image, (C, H, W). Raises TypeError or ValueError for any other."""
    shape = sizes(where, "input_dim", value)
    if len(shape) != 3:
        rule = "input_dim must be (channels, height, width), as (1, 28, 28)"
        raise ValueError(f"{where}: {rule}, got {shown(value)}")
    return shape


def require_room(where: str, shape: tuple[int, ...], layers: Iterable[Any]) -> None:
    """Raise ValueError if the images get too small for one of the layers.

    shape: of an image, (C, H, W).  layers: from the input on; only convolutions and poolings matter.
    """
    image = shape[1:]
    for layer in layers:
        if isinstance(layer, Conv2D | MaxPool2D):
            counts = window_counts(image, layer.kernel, layer.stride, layer.padding)
            if min(counts) < 1:
                left = f"only {image[0]} × {image[1]} values are left in front of {layer!r}"
                raise ValueError(f"{where}: input_dim is too small, got {shape}: {left}")
            image = counts
