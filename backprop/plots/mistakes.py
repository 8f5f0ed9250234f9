"""The images that a network misreads, those first of which it is surest."""

from math import exp, isfinite, nan, prod
from os import PathLike
from typing import Any

from backends import get_backend, to_numpy
from backprop.arrays.checks import labels, positive_integer
from backprop.plots.canvas import new_figure, save, say
from backprop.plots.pixels import draw_grid, grid_size, side_of

COLUMNS = 10


def plot_mistakes(
    net: Any, x: Any, t: Any, file: str | PathLike[str] | None = None, *, count: int = 40, title: str = ""
) -> Any:
    """The misread images, each as "label → answer" with the answer's probability; returns the Figure.

    net: what has `predict`, which returns logits (N, C).
    x: (N, …) images of h² pixels each, 0 for the background.  t: (N,) integers or (N, C) one-hot.
    file: where to write it as well: png, svg or pdf.  count: the most images to draw.  title: a line above.
    Raises ImportError without matplotlib, ValueError for data that does not fit and for another suffix.
    """
    count = positive_integer("plot_mistakes", "count", count)
    logits = to_numpy(net.predict(x))
    x = to_numpy(x)
    size, side = x.shape[0], side_of(prod(x.shape[1:]))
    if side is None:
        raise ValueError(f"plot_mistakes: x must hold square images, (N, …) of h² pixels, got {x.shape}")
    t = labels("plot_mistakes", to_numpy(t), size, logits.shape[1], get_backend("numpy"))
    answers = logits.argmax(axis=1)
    wrong = [int(i) for i in (answers != t).nonzero()[0]]
    sure = {i: _probability(logits[i].tolist(), int(answers[i])) for i in wrong}
    shown = sorted(wrong, key=lambda i: -sure[i] if isfinite(sure[i]) else 1.0)[:count]

    lines = [title] if title else []
    percent = 100 * len(wrong) / max(1, size)
    lines.append(f"{len(wrong):,} of {size:,} images misread ({percent:.1f} %)")
    if len(shown) < len(wrong):
        known = isfinite(sure[shown[0]])
        lines[-1] += f"; the {len(shown)} of which it is surest" if known else f"; here are {len(shown)}"
    if shown:
        lines.append("label → answer, and the probability that the network gives it")
    columns = max(1, min(COLUMNS, len(shown)))
    width, height = grid_size(max(1, len(shown)), columns)
    figure = new_figure("plot_mistakes", (width, height + 0.17 * len(lines)), lines)
    panel = figure.subplots()
    if shown:
        words = [f"{t[i]} → {answers[i]} {_percent(sure[i])}" for i in shown]
        images = x[shown].reshape(len(shown), side, side)
        draw_grid(panel, images, words, columns, cmap="gray_r", vmin=0)
    else:
        panel.set_axis_off()
        say(panel, "none is misread")
    return save(figure, file)


def _probability(logits: list[float], answer: int) -> float:
    """What softmax gives the answer; NaN where a logit is no finite number."""
    if not all(map(isfinite, logits)):
        return nan
    return 1.0 / sum(exp(logit - logits[answer]) for logit in logits)


def _percent(probability: float) -> str:
    if not isfinite(probability):
        return "(nan)"
    return ">99 %" if probability > 0.99 else f"{100 * probability:.0f} %"
