"""The images that a network misreads, those first of which it is surest."""

from collections.abc import Sequence
from math import exp, isfinite, nan, prod
from os import PathLike
from typing import Any

from backends import get_backend, host_array, shown
from backprop.arrays.checks import positive_integer
from backprop.arrays.labels import labels
from backprop.plots.canvas import new_figure, save, say
from backprop.plots.pixels import draw_grid, grid_size, real_array, side_of
from backprop.plots.title import title_lines

COLUMNS = 10


def plot_mistakes(
    net: Any,
    x: Any,
    t: Any,
    file: str | PathLike[str] | None = None,
    *,
    count: int = 40,
    title: str | Sequence[str] = (),
) -> Any:
    """The misread images, each as "label → answer" with the answer's probability; returns the Figure.

    net: what has `predict`, which returns logits (N, C).
    x: (N, …) images of h² pixels each, 0 for the background.  t: (N,) integers or (N, C) one-hot.
    file: where to write it as well: png, svg or pdf.  count: the most images to draw.  title: a line above,
    or several.
    Raises ImportError without matplotlib, TypeError for what is no network or no numbers, ValueError for data
    that does not fit and for another suffix.
    """
    count = positive_integer("plot_mistakes", "count", count)
    if isinstance(net, type) or not callable(getattr(net, "predict", None)):
        cure = "a network, or an object whose predict(x) gives logits (N, C)"
        raise TypeError(f"plot_mistakes: net must be {cure}, got {shown(net)}")
    lines = title_lines("plot_mistakes", title)
    logits = real_array("plot_mistakes", "what net.predict gives", net.predict(x))
    x = real_array("plot_mistakes", "x", x)
    size, side = x.shape[0] if x.shape else 0, side_of(prod(x.shape[1:]))
    if side is None:
        raise ValueError(f"plot_mistakes: x must hold square images, (N, …) of h² pixels, got {x.shape}")
    if len(logits.shape) != 2 or len(logits) != size or not logits.shape[1]:
        rule = f"net.predict must give logits ({size}, C), a row for each image"
        raise ValueError(f"plot_mistakes: {rule}, got {logits.shape}")
    t = host_array("plot_mistakes", "labels", t, cure="int")
    t = labels("plot_mistakes", t, size, logits.shape[1], get_backend("numpy"))
    answers = logits.argmax(axis=1)
    wrong = [int(i) for i in (answers != t).nonzero()[0]]
    sure = {i: _probability(logits[i].tolist(), int(answers[i])) for i in wrong}
    drawn = sorted(wrong, key=lambda i: -sure[i] if isfinite(sure[i]) else 1.0)[:count]

    percent = 100 * len(wrong) / max(1, size)
    lines.append(f"{len(wrong):,} of {size:,} images misread ({percent:.1f} %)")
    if len(drawn) < len(wrong):
        known = isfinite(sure[drawn[0]])
        lines[-1] += f"; the {len(drawn)} of which it is surest" if known else f"; here are {len(drawn)}"
    if drawn:
        lines.append("label → answer, and the probability that the network gives it")
    columns = max(1, min(COLUMNS, len(drawn)))
    width, height = grid_size(max(1, len(drawn)), columns)
    figure = new_figure("plot_mistakes", (width, height + 0.17 * len(lines)), lines)
    panel = figure.subplots()
    if drawn:
        words = [f"{t[i]} → {answers[i]} {_percent(sure[i])}" for i in drawn]
        images = x[drawn].reshape(len(drawn), side, side)
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
