"""The weights of a network's first layer, an image for each hidden unit."""

from collections.abc import Mapping, Sequence
from math import inf
from os import PathLike
from typing import Any

from backends import cut, shown
from backprop.arrays.checks import positive_integer
from backprop.plots.canvas import INK, new_figure, save, say
from backprop.plots.pixels import draw_grid, grid_size, real_array, side_of
from backprop.plots.title import title_lines

COLUMNS = 10
CLIPPED = 0.002  # of the weights lie beyond the ends of the colours: a few large ones would pale the rest


def plot_weights(
    net: Any, file: str | PathLike[str] | None = None, *, count: int = 100, title: str | Sequence[str] = ()
) -> Any:
    """The first layer's weights W (D, M) as M images of D pixels; returns the matplotlib Figure.

    net: what has `params`, whose first array of two axes is taken; D must be a square number, as 28² = 784.
    file: where to write it as well: png, svg or pdf.  count: the most images to draw.  title: a line above,
    or several.
    White is no weight, red a positive and blue a negative one, on one scale for all images.
    Raises ImportError without matplotlib, TypeError for what has no params, ValueError where there are no
    such weights and for another suffix.
    """
    count = positive_integer("plot_weights", "count", count)
    lines = title_lines("plot_weights", title)
    name, W = _first_matrix(getattr(net, "params", None), net)
    side = side_of(W.shape[0])
    if side is None or not W.shape[1]:
        raise ValueError(f"plot_weights: the weights of a unit must be a square image, got {name} {W.shape}")
    units = W.shape[1]
    count = min(count, units)
    which = f"{units:,} hidden units" if count == units else f"the first {count:,} of {units:,} hidden units"
    lines.append(f"weights {name} of {which}, each with its column's number")
    columns = min(COLUMNS, count)
    end = _end_of_scale(W)
    width, height = grid_size(count if end else 1, columns)
    figure = new_figure("plot_weights", (width + 1.0, height + 0.2 * len(lines)), lines)
    panel = figure.subplots()
    if end is None:
        panel.set_axis_off()
        say(panel, "no weight is a finite number")
        return save(figure, file)
    images = W.T[:count].reshape(count, side, side)
    words = [str(i) if _finite(image) else f"{i}: nan" for i, image in enumerate(images)]
    drawn = draw_grid(panel, images, words, columns, cmap="RdBu_r", vmin=-end, vmax=end)
    bar = figure.colorbar(drawn, ax=panel, extend="both", shrink=min(1.0, 2.2 / height), aspect=16, pad=0.01)
    bar.set_label("weight", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7, labelcolor=INK, length=0)
    bar.outline.set_visible(False)
    return save(figure, file)


def _first_matrix(params: Any, net: Any) -> tuple[str, Any]:
    if not isinstance(params, Mapping):
        cure = "give a network, or an object whose params are arrays by name"
        raise TypeError(f"plot_weights: {shown(net)} has no params to draw; {cure}")
    for name, array in params.items():
        if len(getattr(array, "shape", ())) == 2:
            W = real_array("plot_weights", shown(name), array).astype("float64")
            return cut(str(name), 30), W
    known = cut(", ".join(map(str, params)) or "none", 60)
    raise ValueError(f"plot_weights: no parameter has two axes, among {known}")


def _end_of_scale(W: Any) -> float | None:
    """The magnitude that all but few weights stay below; None where none is finite."""
    sizes = abs(W[abs(W) < inf]).ravel()
    if not sizes.size:
        return None
    sizes.sort()
    return float(sizes[min(sizes.size - 1, int((1.0 - CLIPPED) * sizes.size))]) or 1.0


def _finite(image: Any) -> bool:
    return bool((abs(image) < inf).all())
