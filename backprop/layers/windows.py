"""Windows: the places of an image that a kernel looks at, taken out (im2col) and added back (col2im)."""

from collections.abc import Iterator
from math import prod
from typing import Any

from backends import Array, Namespace
from backprop.arrays.checks import MOST

Pair = tuple[int, ...]  # along the height and along the width


def windows(xp: Namespace, x: Array, kernel: Pair, stride: int, padding: int, outside: float = 0.0) -> Array:
    """Return what each of the kernel's values meets: (N, C, H, W) becomes (N, C, K, H', W').

    The entry [n, c, k, y, x] is the value of image n and channel c under position k of the kernel, counted
    row by row, when its corner lies at (stride · y, stride · x) of the padded image.

    kernel: its height and width, with K = height · width.  outside: the value of the padding.
    """
    N, C, H, W = x.shape
    if padding:
        padded = xp.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=x.dtype) + outside
        padded[:, :, padding : padding + H, padding : padding + W] = x
        x = padded
    places = _places((H, W), kernel, stride, padding)
    return xp.concat([x[:, :, None, rows, columns] for rows, columns in places], axis=2)


def added_back(
    xp: Namespace, values: Array, shape: tuple[int, ...], kernel: Pair, stride: int, padding: int
) -> Array:
    """Return images in which every value is added where `windows` took it from: its transpose.

    values: (N, C, K, H', W').  shape: that of the images, (N, C, H, W).
    """
    N, C, H, W = shape
    padded = xp.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=values.dtype)
    for k, (rows, columns) in enumerate(_places((H, W), kernel, stride, padding)):
        padded[:, :, rows, columns] = padded[:, :, rows, columns] + values[:, :, k, ...]
    return padded[:, :, padding : padding + H, padding : padding + W]


def window_counts(image: Pair, kernel: Pair, stride: int, padding: int) -> Pair:
    """Return how many windows fit along the height and the width: (H + 2 padding - height) // stride + 1."""
    height, width = ((size + 2 * padding - k) // stride + 1 for size, k in zip(image, kernel, strict=True))
    return height, width


def _places(image: Pair, kernel: Pair, stride: int, padding: int) -> Iterator[tuple[slice, slice]]:
    """Yield for each position of the kernel the rows and columns of the padded image that it meets."""
    height, width = window_counts(image, kernel, stride, padding)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            yield (
                slice(i, i + stride * (height - 1) + 1, stride),
                slice(j, j + stride * (width - 1) + 1, stride),
            )


def require_images(where: str, x: Any, kernel: Pair, padding: int, channels: int | None = None) -> None:
    """Raise ValueError unless x holds images, (N, C, H, W), with these channels and room for the kernel."""
    if len(x.shape) != 4:
        raise ValueError(f"{where}: x must have shape (N, C, H, W), got {tuple(x.shape)}{_cure(x, channels)}")
    if channels is not None and x.shape[1] != channels:
        cure = "; move its last axis to place 1" if x.shape[3] == channels else ""
        raise ValueError(f"{where}: x must have shape (N, {channels}, H, W), got {tuple(x.shape)}{cure}")
    image = tuple(x.shape[2:])
    padded = tuple(size + 2 * padding for size in image)
    if min(size - k for size, k in zip(padded, kernel, strict=True)) < 0:
        rule = f"the kernel, {_times(kernel)}, must fit in the image and its padding of {padding}"
        raise ValueError(f"{where}: {rule}, got {_times(image)}")
    if prod(max(1, size) for size in (*x.shape[:2], *padded)) > MOST:
        raise ValueError(f"{where}: padded images may have {MOST:.0e} values, got a padding of {padding}")


def _cure(x: Any, channels: int | None) -> str:
    """Return how to make images of x, which has not four axes, or nothing if it cannot be known."""
    if len(x.shape) == 2:
        return "; use x.reshape(-1, C, H, W)"
    if len(x.shape) != 3:
        return ""
    if channels is None:
        return "; use x[:, None] for one channel, x[None] for one image"
    return "; use x[:, None]" if channels == 1 else "; use x[None]" * (x.shape[0] == channels)


def _times(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes))
