"""A grid of small images, each with a caption below it."""

from collections.abc import Sequence
from math import ceil, nan
from typing import Any

from backends import get_backend, host_array, kind, shown
from backprop.plots.canvas import INK, Size

CAPTION = 0.34  # height of a line below an image, in image heights


def grid_size(count: int, columns: int, side: float = 0.78, lines: int = 1) -> Size:
    """Return the size of a grid in inches.

    side: of an image, with the space to the next one.  lines: of a caption.
    """
    rows = ceil(count / columns)
    return columns * side + 0.2, rows * side * (1 + CAPTION * lines) / 1.08 + 0.25


def draw_grid(
    panel: Any, images: Any, captions: Sequence[str], columns: int, lines: int = 1, **options: Any
) -> Any:
    """Draw images (N, height, width) as one picture, row by row.

    lines: of a caption, at most.  options: for matplotlib's imshow.
    """
    count, height, width = images.shape
    gap, below = max(1, round(0.08 * width)), round(CAPTION * lines * height)
    down, right = height + below, width + gap
    sheet = get_backend("numpy").zeros((ceil(count / columns) * down, columns * right), "float64")
    sheet[...] = nan  # NaN stays blank
    for i, (image, text) in enumerate(zip(images, captions, strict=True)):
        top, left = i // columns * down, i % columns * right
        sheet[top : top + height, left : left + width] = image
        middle = left + width / 2 - 0.5
        panel.text(middle, top + height + 0.06 * height, text, ha="center", va="top", fontsize=7, color=INK)
    panel.set_axis_off()
    panel.set_anchor("W")
    return panel.imshow(sheet, interpolation="nearest", **options)


def side_of(values: int) -> int | None:
    """Return the side of a square image of that many pixels, or None if they form no square."""
    side = round(values**0.5)
    return side if side and side * side == values else None


def real_array(where: str, name: str, data: Any) -> Any:
    """Return data as a host array of real numbers. Raises TypeError for anything else."""
    array = host_array(where, name, data)
    if kind(array) not in "biuf":
        raise TypeError(f"{where}: {name} must hold real numbers, got {array.dtype} from {shown(data)}")
    return array
