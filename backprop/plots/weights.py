"""The weights of a network's first layer, an image per hidden unit or filter."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from backends import cut, shown
from backprop.arrays.checks import positive_integer
from backprop.optimizers.decay import SCALES
from backprop.plots.canvas import new_figure, save, write_centred
from backprop.plots.filters import plot_filters
from backprop.plots.pixels import grid_size, real_array, side_of
from backprop.plots.signed import NO_NUMBER, add_scale, draw_signed, end_of_scale
from backprop.plots.title import title_lines

COLUMNS = 10


def plot_weights(
    net: Any, file: str | PathLike[str] | None = None, *, count: int = 100, title: str | Sequence[str] = ()
) -> Any:
    """Draw the first layer's weights W (D, M) as M images of D pixels, or its filters.

    White is zero, red positive, blue negative, on one scale for all images. Filters (F, C, height, width) are
    drawn as by `plot_filters`.

    Parameters
    ----------
    net : Network
        Or any object whose `params` maps names to arrays. The first array with two or four axes is drawn,
        unless it is a gamma or beta; of two axes, D must be a square number, as 28² = 784.
    file : path, optional
        Where to write the picture as well: png, svg or pdf.
    count : int
        The most images to draw.
    title : str or sequence of str
        One or several lines above the picture.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If net has no `params`.
    ValueError
        If no parameter has two or four axes, D is not a square number, or `file` has another suffix.

    Examples
    --------
    >>> figure = plot_weights(net, "weights.png")  # doctest: +SKIP
    """
    count = positive_integer("plot_weights", "count", count)
    lines = title_lines("plot_weights", title)
    name, W = _first_weights(getattr(net, "params", None), net)
    if len(W.shape) == 4:
        return plot_filters(W, file=file, count=count, title=title)
    side = side_of(W.shape[0])
    if side is None or not W.shape[1]:
        rule = "W must have shape (h², M), an image of h² weights per unit"
        raise ValueError(f"plot_weights: {rule}, got {name} {W.shape}")
    units = W.shape[1]
    count = min(count, units)
    which = "hidden unit" if units == 1 else "hidden units"
    which = f"{units:,} {which}" if count == units else f"the first {count:,} of {units:,} hidden units"
    lines.append(f"weights {name} of {which}, each with its column's number")
    columns = min(COLUMNS, count)
    end = end_of_scale(W)
    width, height = grid_size(count if end else 1, columns)
    figure = new_figure("plot_weights", (width + 1.0, height + 0.2 * len(lines)), lines)
    panel = figure.subplots()
    if end is None:
        panel.set_axis_off()
        write_centred(panel, NO_NUMBER)
        return save(figure, file)
    images = W.T[:count].reshape(count, side, side)
    drawn = draw_signed(panel, images, [str(i) for i in range(count)], columns, end)
    add_scale(figure, drawn, panel, height)
    return save(figure, file)


def _first_weights(params: Any, net: Any) -> tuple[str, Any]:
    if not isinstance(params, Mapping):
        rule = "net must be a network, or an object whose params map names to arrays"
        raise TypeError(f"plot_weights: {rule}, got {shown(net)}")
    for name, array in params.items():
        if len(getattr(array, "shape", ())) in (2, 4) and not str(name).startswith(SCALES):
            W = real_array("plot_weights", shown(name), array).astype("float64")
            return cut(str(name), 30), W
    known = cut(", ".join(map(str, params)) or "none", 60)
    raise ValueError(f"plot_weights: one parameter must have two or four axes; the parameters are: {known}")
