"""The curves of a training run: losses, accuracies and a changing learning rate by iteration."""

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
SETS = {"training": ("-", COLOURS[0]), "test": ("--", COLOURS[1]), "validation": ("-.", COLOURS[2])}
BEHIND_WORDS = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none"}
LABEL_GAP = 0.085  # half the height of a label, in panel heights


def plot_history(
    history: Any, file: str | PathLike[str] | None = None, *, title: str | Sequence[str] = ()
) -> Any:
    """Draw the losses and the accuracies of a training run side by side.

    A learning rate that changes has a panel of its own, below the losses.

    Parameters
    ----------
    history : History
        Or any object with its lists `loss`, `iterations`, `train_accuracy` and `test_accuracy`. Its other
        lists are drawn if it has them.
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
    changes = len(set(record.learning_rate)) > 1
    figure = new_figure("plot_history", (8.0, 2.9 + 0.8 * changes + 0.2 * len(lines)), lines)
    if changes:
        panels = figure.subplot_mosaic([["loss", "accuracy"], ["rate", "accuracy"]], height_ratios=[3, 1])
    else:
        panels = figure.subplot_mosaic([["loss", "accuracy"]])
    last = max(len(record.loss), *record.iterations, 1)
    for panel in panels.values():
        style(panel)
        panel.set_xlim(-0.02 * last, 1.02 * last)
        panel.set_xlabel("iteration", fontsize=9, color=INK)
        panel.xaxis.set_major_formatter(_with_commas)
        panel.xaxis.get_major_locator().set_params(integer=True, nbins=6)
    _draw_loss(panels["loss"], record)
    _draw_accuracies(panels["accuracy"], record)
    if changes:
        panels["loss"].set_xlabel("")
        _draw_rate(panels["rate"], record.learning_rate)
    return save(figure, file)


def window_of(count: int) -> int:
    """Return how many batches each point averages: the first of 1, 2, 5, 10, 20, … with at most `POINTS`."""
    sizes = (step * int(10**power) for power in range(20) for step in (1, 2, 5))
    return next(size for size in sizes if size * POINTS >= count)


def _draw_loss(panel: Any, record: Curves) -> None:
    loss = record.loss
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
        measured = [x for x in (*record.validation_loss, *record.test_loss) if isfinite(x)]
        smallest, largest = min(finite + measured), max(finite + measured)
        if smallest > 0 and largest > 10 * smallest:
            _make_logarithmic(panel, largest / smallest)
        if window > 1:
            low, high = ([f(part) if part else nan for part in parts] for f in (min, max))
            panel.fill_between(at, low, high, color=LOSS, alpha=0.22, linewidth=0)
        panel.plot(at, means, _marks(finite), color=LOSS, linewidth=1.4, markersize=4)
        _draw_measured_losses(panel, record)
        bad = [i for i, x in enumerate(loss, start=1) if not isfinite(x)]
        if bad:
            _note_divergence(panel, len(bad), len(loss), bad[0])


def _draw_measured_losses(panel: Any, record: Curves) -> None:
    """Draw the losses of whole sets, with a legend."""
    for name, values in (("test", record.test_loss), ("validation", record.validation_loss)):
        if values:
            dashes, colour = SETS[name]
            form = dashes + _marks(values)[1:]
            label = f"{name} set"
            panel.plot(
                record.iterations, values, form, color=colour, linewidth=1.4, markersize=4, label=label
            )
    if record.test_loss or record.validation_loss:
        panel.legend(loc="best", fontsize=8, labelcolor="linecolor", frameon=False, handlelength=2.2)


def _draw_rate(panel: Any, rates: Sequence[float]) -> None:
    """Draw the learning rate, at about `POINTS` of the iterations."""
    stride = window_of(len(rates))
    at = sorted({*range(0, len(rates), stride), len(rates) - 1})
    panel.plot([i + 1 for i in at], [rates[i] for i in at], color=INK, linewidth=1.2)
    panel.set_title("learning rate", fontsize=9, color=INK)
    panel.yaxis.get_major_locator().set_params(nbins=3)
    panel.set_ylim(0.0, 1.08 * max(rates))


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
    every = record.train_accuracy, record.test_accuracy, record.validation_accuracy
    curves = [
        (f"{name} set", *SETS[name], values) for name, values in zip(SETS, every, strict=True) if values
    ]
    panel.set_title("accuracy, fraction of correct answers", fontsize=9, color=INK)
    if not curves:
        write_centred(panel, "the loss defines none" if record.iterations else "not measured yet")
        return
    # The first value is that of the untrained network. An axis down to it would squeeze all the others.
    later = [value for *_, values in curves for value in values[1:] if isfinite(value)]
    lowest = min(later, default=0.0)
    bottom = min(0.9, floor(10 * lowest) / 10) if lowest >= 0.5 else 0.0
    panel.set_ylim(bottom, 1.0 + 0.02 * (1.0 - bottom))
    lasts = [values[-1] if isfinite(values[-1]) else bottom for *_, values in curves]
    ends = [(value - bottom) / (1.02 * (1.0 - bottom)) for value in lasts]
    for (name, dashes, colour, values), height in zip(curves, _apart(ends), strict=True):
        panel.plot(
            record.iterations, values, dashes + _marks(values)[1:], color=colour, linewidth=1.4, markersize=4
        )
        words, end = f"{name}\n{values[-1]:.4f}", (1.03, height)
        panel.text(*end, words, transform=panel.transAxes, va="center", fontsize=8, color=colour)
    below = [f"{name.split()[0]} {values[0]:.4f}" for name, *_, values in curves if values[0] < bottom]
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
    least = 2 * LABEL_GAP
    order = sorted(range(len(heights)), key=lambda i: (heights[i], -i))
    placed = [heights[i] for i in order]
    for _ in placed:  # each round may push a label against the next
        for k in range(1, len(placed)):
            push = max(0.0, least - (placed[k] - placed[k - 1])) / 2
            placed[k - 1], placed[k] = placed[k - 1] - push, placed[k] + push
    for k, place in enumerate(placed):
        placed[k] = max(place, LABEL_GAP + least * k)
    for k, place in enumerate(reversed(placed)):
        at = len(placed) - 1 - k
        placed[at] = min(place, 1 - LABEL_GAP - least * k)
    return [placed[order.index(i)] for i in range(len(heights))]
