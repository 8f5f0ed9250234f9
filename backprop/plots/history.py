"""The curves of a training run: its loss and its accuracies by iteration."""

from collections.abc import Sequence
from math import floor, isfinite, nan
from os import PathLike
from typing import Any

from backprop.plots.canvas import COLOURS, INK, new_figure, save, style, write_centred
from backprop.plots.curves import Curves, curves_of
from backprop.plots.title import title_lines

POINTS = 200  # of the loss curve, at most
FEW = 20  # points up to which each one is marked
LOSS = COLOURS[3]
BEHIND_WORDS = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none"}
LABEL_GAP = 0.085  # half the height of a label, in panel heights


def plot_history(
    history: Any, file: str | PathLike[str] | None = None, *, title: str | Sequence[str] = ()
) -> Any:
    """Draw the loss and the accuracies of a training run side by side.

    Parameters
    ----------
    history : History
        Or any object with its lists `loss`, `iterations`, `train_accuracy` and `test_accuracy`.
    file : path, optional
        Where to write the picture as well: png, svg or pdf.
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
        If the object has no such lists of numbers.
    ValueError
        If the history is empty, a value is out of range, or `file` has another suffix.

    Notes
    -----
    A long run is drawn as means over 2, 5, 10, 20, … batches, with the range of the single losses behind
    them. The loss axis is logarithmic if the means span a factor of 10. NaN and infinite losses are left out;
    the panel says how many there are and where they begin. If the first accuracies, those of the untrained
    network, lie far below the others, they are given in words.

    Examples
    --------
    >>> history = train(net, x_train, t_train, x_test, t_test)  # doctest: +SKIP
    >>> figure = plot_history(history, "training.png")  # doctest: +SKIP
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
    """Return how many batches each point averages: the first of 1, 2, 5, 10, 20, … with at most `POINTS`."""
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
        write_centred(panel, "no iteration yet")
    elif not finite:
        write_centred(panel, "every loss is NaN or infinite")
    else:
        if min(finite) > 0 and max(finite) > 10 * min(finite):
            _make_logarithmic(panel, max(finite) / min(finite))
        if window > 1:
            low, high = ([f(part) if part else nan for part in parts] for f in (min, max))
            panel.fill_between(at, low, high, color=LOSS, alpha=0.22, linewidth=0)
        panel.plot(at, means, _marks(finite), color=LOSS, linewidth=1.4, markersize=4)
        bad = [i for i, x in enumerate(loss, start=1) if not isfinite(x)]
        if bad:
            _note_divergence(panel, len(bad), len(loss), bad[0])


def _make_logarithmic(panel: Any, span: float) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    panel.set_yscale("log", nonpositive="mask")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if span < 1e3 else (1,), numticks=12))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(_short)


def _note_divergence(panel: Any, bad: int, of: int, first: int) -> None:
    panel.axvline(first, color=INK, linewidth=1, linestyle=":")
    words = f"{bad:,} of {of:,} losses are NaN or infinite,\nthe first at iteration {first:,}"
    panel.text(
        0.97,
        0.95,
        words,
        transform=panel.transAxes,
        ha="right",
        va="top",
        fontsize=8,
        color=INK,
        bbox=BEHIND_WORDS,
    )


def _draw_accuracies(panel: Any, record: Curves) -> None:
    curves = [("training set", "-", record.train_accuracy), ("test set", "--", record.test_accuracy)]
    curves = [curve for curve in curves if curve[2]]
    panel.set_title("accuracy, fraction of correct answers", fontsize=9, color=INK)
    if not curves:
        write_centred(panel, "not measured yet")
        return
    # The first value is that of the untrained network. An axis down to it would squeeze all the others.
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
    below = [f"{name.split()[0]} {values[0]:.4f}" for name, _, values in curves if values[0] < bottom]
    if below:
        _note_what_is_below(panel, f"iteration {record.iterations[0]:,.0f} (not shown):\n{', '.join(below)}")


def _note_what_is_below(panel: Any, words: str) -> None:
    """Write words in the lower right corner, behind the curves."""
    panel.text(
        0.97,
        0.05,
        words,
        transform=panel.transAxes,
        ha="right",
        va="bottom",
        fontsize=8,
        color=INK,
        bbox=BEHIND_WORDS,
        zorder=1.5,
    )


def _with_commas(number: float, _: int) -> str:
    return f"{number:,.10g}"


def _short(number: float, _: int) -> str:
    return f"{number:g}"


def _marks(values: Sequence[float]) -> str:
    """Return the format of a line, with markers if there are few points: a single point has no line."""
    return "-o" if len(values) <= FEW else "-"


def _apart(heights: list[float]) -> list[float]:
    """Return the heights of the labels, moved apart and into the panel, in panel heights."""
    if len(heights) == 2:
        low, high = sorted(heights)
        push = max(0.0, 2 * LABEL_GAP - (high - low)) / 2
        low, high = low - push, high + push
        heights = [high, low] if heights[0] >= heights[1] else [low, high]
    down = max(0.0, max(heights) - (1 - LABEL_GAP))
    heights = [height - down for height in heights]
    up = max(0.0, LABEL_GAP - min(heights))
    return [height + up for height in heights]
