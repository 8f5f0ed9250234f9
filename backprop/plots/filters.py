"""The filters of a convolution, an image each; two sets of them side by side."""

from collections.abc import Mapping, Sequence
from math import ceil
from os import PathLike
from typing import Any

from backends import shown
from backprop.arrays.checks import positive_integer
from backprop.plots.canvas import INK, new_figure, save, write_centred
from backprop.plots.pixels import grid_size, real_array
from backprop.plots.signed import NO_NUMBER, add_scale, draw_signed, end_of_scale
from backprop.plots.title import title_lines

COLUMNS = 10  # of one set; two sets have fewer each
SIDE = 0.55  # inches per filter
FINE = 24  # a filter is drawn on so many pixels or more, which leaves room for its number


def plot_filters(
    before: Any,
    after: Any = None,
    file: str | PathLike[str] | None = None,
    *,
    count: int = 60,
    title: str | Sequence[str] = (),
) -> Any:
    """Draw the filters of a convolution, and those after training beside them.

    White is zero, red positive, blue negative, on one scale for all. Of several channels each is an image.

    Parameters
    ----------
    before : array (F, C, height, width), Network, Conv2D or mapping
        Filters, or what holds them under a name: a network, a layer, or a copy of their `params`. The first
        array with four axes is drawn.
    after : the same, optional
        Filters of the same shape, drawn on the right.
    file : path, optional
        Where to write the picture as well: png, svg or pdf.
    count : int
        The most images to draw of each set.
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
        If the filters are not real numbers.
    ValueError
        If there is no array with four axes, the shapes differ, or `file` has another suffix.

    Examples
    --------
    >>> before = net.params.copy()  # doctest: +SKIP
    >>> history = train(net, x_train, t_train)  # doctest: +SKIP
    >>> figure = plot_filters(before, net, "filters.png")  # doctest: +SKIP
    """
    count = positive_integer("plot_filters", "count", count)
    lines = title_lines("plot_filters", title)
    sets = [_filters("before", before)] + ([] if after is None else [_filters("after", after)])
    if sets[-1].shape != sets[0].shape:
        rule = "before and after must have the same shape"
        raise ValueError(f"plot_filters: {rule}, got {sets[0].shape} and {sets[1].shape}")
    F, C, *kernel = sets[0].shape
    names = [str(f) if C == 1 else f"{f},{c}" for f in range(F) for c in range(C)][:count]
    lines += _heading(F, C, kernel, len(names))
    columns = min(COLUMNS, len(names))
    if after is not None:
        columns = min(columns, ceil((1.2 * len(names)) ** 0.5))  # a little broader than high
    width, height = grid_size(len(names), columns, SIDE)
    height += 0.2 * (after is not None)
    size = len(sets) * width + 1.0, max(height, 1.2) + 0.2 * len(lines)
    figure = new_figure("plot_filters", size, lines)
    panels = figure.subplots(1, len(sets), squeeze=False)[0]
    end = end_of_scale(*sets)
    for panel, filters, when in zip(panels, sets, ("before", "after"), strict=False):
        if after is not None:
            panel.set_title(when, fontsize=9, color=INK, loc="left")
        if end is None:
            panel.set_axis_off()
            write_centred(panel, NO_NUMBER)
        else:
            times = ceil(FINE / max(kernel))
            images = filters.reshape(F * C, *kernel)[: len(names)].repeat(times, 1).repeat(times, 2)
            drawn = draw_signed(panel, images, names, columns, end)
    if end is not None:
        add_scale(figure, drawn, list(panels), height)
    return save(figure, file)


def _filters(name: str, source: Any) -> Any:
    """Return filters (F, C, height, width) as a host array in float64."""
    params = source if isinstance(source, Mapping) else getattr(source, "params", None)
    if isinstance(params, Mapping):
        of_four = (array for array in params.values() if len(getattr(array, "shape", ())) == 4)
        array = next(of_four, None)
        if array is None:
            rule = f"{name} must have a parameter with four axes, (F, C, height, width)"
            raise ValueError(f"plot_filters: {rule}, got {shown(source)}")
        source = array
    W = real_array("plot_filters", name, source).astype("float64")
    if len(W.shape) != 4 or 0 in W.shape:
        rule = f"{name} must have shape (F, C, height, width)"
        raise ValueError(f"plot_filters: {rule}, got {W.shape}")
    return W


def _heading(F: int, C: int, kernel: list[int], drawn: int) -> list[str]:
    """Return what is drawn, in words."""
    what = f"{F:,} {'filter' if F == 1 else 'filters'} of {kernel[0]} × {kernel[1]}"
    notes = []
    if C > 1:
        what += f" on {C:,} channels"
        notes.append("numbers: filter, channel")
    if drawn < F * C:
        notes.append(f"the first {drawn:,} of {F * C:,}")
    return [what, "; ".join(notes)] if notes else [what]
