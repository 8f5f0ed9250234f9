"""The picture of a learning-rate range test: the loss over the rate, with the suggested one marked."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from backprop.plots.canvas import COLOURS, INK, new_figure, save, style
from backprop.plots.title import title_lines

HEADROOM = 1.3  # of the largest smoothed loss before the lowest; what explodes leaves the panel


def plot_rate_range(
    found: Any, file: str | PathLike[str] | None = None, *, title: str | Sequence[str] = ()
) -> Any:
    """Draw single losses and the smoothed loss over a logarithmic axis of rates.

    found: a LearningRateRange.  file, title: as for `plot_history`.  Returns a matplotlib Figure.
    """
    lines = title_lines("plot_rate_range", title)
    figure = new_figure("plot_rate_range", (5.6, 3.1 + 0.2 * len(lines)), lines)
    from matplotlib.ticker import LogLocator, NullLocator

    panel = figure.subplots()
    style(panel)
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(numticks=12))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(lambda number, _: f"{number:g}")
    form = "-o" if len(found.loss) == 1 else "-"  # a single point has no line
    panel.plot(found.learning_rate, found.loss, form, color=COLOURS[3], linewidth=0.8, alpha=0.35)
    panel.plot(found.learning_rate, found.smoothed, form, color=COLOURS[3], linewidth=1.8)
    lowest = found.smoothed.index(min(found.smoothed))
    bottom, top = min(found.loss), max(found.smoothed[: lowest or None])
    height = (top - bottom) or 1.0
    panel.set_ylim(bottom - 0.05 * height, bottom + HEADROOM * height)
    panel.axvline(found.suggestion, color=COLOURS[1], linewidth=1.4, linestyle="--")
    left, right = panel.get_xlim()
    near_the_end = found.suggestion**2 > left * right
    panel.annotate(
        f"suggestion {found.suggestion:.2g}",
        (found.suggestion, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(-5 if near_the_end else 5, 0),
        textcoords="offset points",
        ha="right" if near_the_end else "left",
        va="top",
        fontsize=9,
        color=COLOURS[1],
    )
    panel.set_title("loss of each batch, and their mean around each rate", fontsize=9, color=INK)
    panel.set_xlabel("learning rate", fontsize=9, color=INK)
    return save(figure, file)
