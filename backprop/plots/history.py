"""The curves of a training: its loss and its accuracies over the iterations."""

from collections.abc import Sequence
from math import floor, isfinite, nan
from os import PathLike
from typing import Any

from backprop.plots.canvas import COLOURS, INK, new_figure, save, say, style
from backprop.plots.curves import Curves, curves_of
from backprop.plots.title import title_lines

POINTS = 200  # that the loss curve has at most
FEW = 20  # points that are marked one by one
LOSS = COLOURS[3]
LABEL_GAP = 0.085  # between two labels, of the panel's height


def plot_history(
    history: Any, file: str | PathLike[str] | None = None, *, title: str | Sequence[str] = ()
) -> Any:
    """Loss and accuracies of a training, side by side; returns the matplotlib Figure.

    history: a History, or what has its loss, iterations, train_accuracy and test_accuracy.
    file: where to write it as well: png, svg or pdf.  title: a line above it, or several.
    A long run is drawn as means of 2, 5, 10, 20, … batches, with the range of the single losses behind them.
    The scale of the loss is logarithmic where it spans a factor of 10. Losses that are no finite numbers are
    left out, and counted in words.
    Raises ImportError without matplotlib, TypeError for another object, ValueError for a history that is
    empty or holds other numbers than a training gives, and for another suffix.
    """
    record = curves_of(history)
    lines = title_lines("plot_history", title)
    figure = new_figure("plot_history", (8.0, 2.9 + 0.2 * len(lines)), lines)
    left, right = figure.subplots(1, 2)
    last = max(len(record.loss), *record.iterations, 1)
    for panel in (left, right):
        style(panel)
        panel.set_xlim(-0.02 * last, 1.02 * last)
        panel.set_xlabel("iteration", fontsize=9, color=INK)
        panel.xaxis.set_major_formatter(_with_commas)
        panel.xaxis.get_major_locator().set_params(integer=True, nbins=6)
    _draw_loss(left, record.loss)
    _draw_accuracies(right, record)
    return save(figure, file)


def window_of(count: int) -> int:
    """How many batches a point of the curve stands for: 1, 2, 5, 10, 20, …, so that there are few points."""
    sizes = (step * int(10**power) for power in range(20) for step in (1, 2, 5))
    return next(size for size in sizes if size * POINTS >= count)


def _draw_loss(panel: Any, loss: Sequence[float]) -> None:
    window = window_of(len(loss))
    parts = [[x for x in loss[i : i + window] if isfinite(x)] for i in range(0, len(loss), window)]
    ends = [min(i + window, len(loss)) for i in range(0, len(loss), window)]
    at = [(i * window + 1 + end) / 2 for i, end in enumerate(ends)]
    means = [sum(part) / len(part) if part else nan for part in parts]
    finite = [mean for mean in means if isfinite(mean)]
    what = "of each batch" if window == 1 else f"mean of {window:,} batches, and their range"
    panel.set_title(f"loss, {what}", fontsize=9, color=INK)
    if not loss:
        say(panel, "no iteration yet")
    elif not finite:
        say(panel, "the loss was never a finite number")
    else:
        if min(finite) > 0 and max(finite) > 10 * min(finite):
            _make_logarithmic(panel, max(finite) / min(finite))
        if window > 1:
            low, high = ([f(part) if part else nan for part in parts] for f in (min, max))
            panel.fill_between(at, low, high, color=LOSS, alpha=0.22, linewidth=0)
        panel.plot(at, means, _marks(finite), color=LOSS, linewidth=1.4, markersize=4)
        bad = [i for i, x in enumerate(loss, start=1) if not isfinite(x)]
        if bad:
            _tell_of_divergence(panel, len(bad), len(loss), bad[0])


def _make_logarithmic(panel: Any, span: float) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    panel.set_yscale("log", nonpositive="mask")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if span < 1e3 else (1,), numticks=12))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(_short)


def _tell_of_divergence(panel: Any, bad: int, of: int, first: int) -> None:
    panel.axvline(first, color=INK, linewidth=1, linestyle=":")
    words = f"{bad:,} of {of:,} losses are no finite\nnumbers, the first at iteration {first:,}"
    box = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none"}
    panel.text(
        0.97, 0.95, words, transform=panel.transAxes, ha="right", va="top", fontsize=8, color=INK, bbox=box
    )


def _draw_accuracies(panel: Any, record: Curves) -> None:
    curves = [("training set", "-", record.train_accuracy), ("test set", "--", record.test_accuracy)]
    curves = [curve for curve in curves if curve[2]]
    panel.set_title("accuracy, share of correct answers", fontsize=9, color=INK)
    if not curves:
        say(panel, "not measured yet")
        return
    # The first value is that of an untrained net: it would squeeze all others into a corner.
    later = [value for *_, values in curves for value in values[1:] if isfinite(value)]
    lowest = min(later, default=0.0)
    bottom = min(0.9, floor(10 * lowest) / 10) if lowest >= 0.5 else 0.0
    panel.set_ylim(bottom, 1.0 + 0.02 * (1.0 - bottom))
    lasts = [values[-1] if isfinite(values[-1]) else bottom for *_, values in curves]
    ends = [(value - bottom) / (1.02 * (1.0 - bottom)) for value in lasts]
    for (name, dashes, values), colour, height in zip(curves, COLOURS, _apart(ends), strict=False):
        panel.plot(
            record.iterations, values, dashes + _marks(values)[1:], color=colour, linewidth=1.4, markersize=4
        )
        words, end = f"{name}\n{values[-1]:.4f}", (1.03, height)
        panel.text(*end, words, transform=panel.transAxes, va="center", fontsize=8, color=colour)


def _with_commas(number: float, _: int) -> str:
    return f"{number:,.10g}"


def _short(number: float, _: int) -> str:
    return f"{number:g}"


def _marks(values: Sequence[float]) -> str:
    """The format of a line; few points are marked, since a single one has no line."""
    return "-o" if len(values) <= FEW else "-"


def _apart(heights: list[float]) -> list[float]:
    """Where labels of two lines (two rows each) go, in the panel's height: apart, and inside of it."""
    if len(heights) == 2:
        low, high = sorted(heights)
        push = max(0.0, 2 * LABEL_GAP - (high - low)) / 2
        low, high = low - push, high + push
        heights = [high, low] if heights[0] >= heights[1] else [low, high]
    down = max(0.0, max(heights) - (1 - LABEL_GAP))
    heights = [height - down for height in heights]
    up = max(0.0, LABEL_GAP - min(heights))
    return [height + up for height in heights]
