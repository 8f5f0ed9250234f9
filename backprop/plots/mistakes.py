"""The images that a network misreads, the most confident answers first."""

from collections.abc import Sequence
from math import exp, isfinite, nan, prod
from os import PathLike
from typing import Any, NamedTuple

from backends import get_backend, host_array, is_line, shown
from backprop.arrays.checks import positive_integer
from backprop.arrays.labels import labels
from backprop.plots.canvas import new_figure, save, write_centred
from backprop.plots.pixels import draw_grid, grid_size, real_array, side_of
from backprop.plots.title import require_drawable, title_lines


class Form(NamedTuple):
    """A layout: columns, inches per image, lines of a caption, and what is between its parts."""

    columns: int
    side: float
    lines: int
    between: str


NUMBERS, NAMES = Form(10, 0.78, 1, " "), Form(8, 1.0, 2, "\n")
MOST = 20  # letters of a class name


def plot_mistakes(
    net: Any,
    x: Any,
    t: Any,
    file: str | PathLike[str] | None = None,
    *,
    count: int = 40,
    title: str | Sequence[str] = (),
    classes: Sequence[str] | None = None,
) -> Any:
    """Draw the misread images, each with its label, the answer and the answer's probability.

    Parameters
    ----------
    net : Network
        Or any object whose `predict(x)` returns logits (N, C).
    x : array (N, …)
        Square images of h² pixels each, 0 for the background.
    t : array (N,) of integers or (N, C) one-hot
        Labels.
    file : path, optional
        Where to write the picture as well: png, svg or pdf.
    count : int
        The most images to draw. The most confident answers come first.
    title : str or sequence of str
        One or several lines above the picture.
    classes : sequence of str, optional
        Names of the labels 0 to C - 1, such as `FASHION_MNIST_CLASSES`, to write instead of the numbers.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If net has no `predict`, data holds no real numbers, or a name is no string.
    ValueError
        If shapes, labels or the number of names do not fit, or `file` has another suffix.

    Examples
    --------
    >>> figure = plot_mistakes(net, x_test, t_test, "mistakes.png")  # doctest: +SKIP
    """
    count = positive_integer("plot_mistakes", "count", count)
    if isinstance(net, type) or not callable(getattr(net, "predict", None)):
        rule = "net must be a network, or an object whose predict(x) returns logits (N, C)"
        raise TypeError(f"plot_mistakes: {rule}, got {shown(net)}")
    lines = title_lines("plot_mistakes", title)
    logits = real_array("plot_mistakes", "the result of net.predict", net.predict(x))
    x = real_array("plot_mistakes", "x", x)
    size, side = x.shape[0] if x.shape else 0, side_of(prod(x.shape[1:]))
    if side is None:
        raise ValueError(f"plot_mistakes: x must hold square images, (N, …) of h² pixels, got {x.shape}")
    if len(logits.shape) != 2 or len(logits) != size or not logits.shape[1]:
        rule = f"net.predict must return logits ({size}, C), a row per image"
        raise ValueError(f"plot_mistakes: {rule}, got {logits.shape}")
    t = host_array("plot_mistakes", "labels", t, cure="int")
    t = labels("plot_mistakes", t, size, logits.shape[1], get_backend("numpy"))
    names = _names(classes, logits.shape[1])
    answers = logits.argmax(axis=1)
    wrong = [int(i) for i in (answers != t).nonzero()[0]]
    confidence = {i: _probability(logits[i].tolist(), int(answers[i])) for i in wrong}
    drawn = sorted(wrong, key=lambda i: -confidence[i] if isfinite(confidence[i]) else 1.0)[:count]

    percent = 100 * len(wrong) / max(1, size)
    lines.append(f"{len(wrong):,} of {size:,} {'image' if size == 1 else 'images'} misread ({percent:.1f}%)")
    if len(drawn) < len(wrong):
        known = isfinite(confidence[drawn[0]])
        lines[-1] += f"; shown: the {len(drawn)} most confident" if known else f"; shown: {len(drawn)}"
    if drawn:
        lines.append("label → answer, and the probability that the network assigns to the answer")
    form = NUMBERS if classes is None else NAMES
    columns = max(1, min(form.columns, len(drawn)))
    width, height = grid_size(max(1, len(drawn)), columns, form.side, form.lines)
    figure = new_figure("plot_mistakes", (width, height + 0.17 * len(lines)), lines)
    panel = figure.subplots()
    if drawn:
        words = [
            f"{names[int(t[i])]} →{form.between}{names[int(answers[i])]}, {_percent(confidence[i])}"
            for i in drawn
        ]
        images = x[drawn].reshape(len(drawn), side, side)
        draw_grid(panel, images, words, columns, form.lines, cmap="gray_r", vmin=0)
    else:
        panel.set_axis_off()
        write_centred(panel, "none is misread")
    return save(figure, file)


def _names(classes: Any, count: int) -> Sequence[str]:
    """Return the names of the labels: those given, checked, or the numbers."""
    if classes is None:
        return [str(i) for i in range(count)]
    if not isinstance(classes, list | tuple) or not all(isinstance(name, str) for name in classes):
        rule = "classes must be a list of strings, the names of the labels"
        raise TypeError(f"plot_mistakes: {rule}, got {shown(classes)}")
    if len(classes) != count:
        rule = f"classes must have {count} names, one for each logit"
        raise ValueError(f"plot_mistakes: {rule}, got {len(classes)}")
    for name in classes:
        if not is_line(name) or len(name) > MOST:
            rule = f"classes must be printable names of at most {MOST} letters"
            raise ValueError(f"plot_mistakes: {rule}, got {shown(name)}")
    require_drawable("plot_mistakes", classes, "classes")
    return classes


def _probability(logits: list[float], answer: int) -> float:
    """Return the answer's softmax probability, NaN if a logit is not finite."""
    if not all(map(isfinite, logits)):
        return nan
    return 1.0 / sum(exp(logit - logits[answer]) for logit in logits)


def _percent(probability: float) -> str:
    if not isfinite(probability):
        return "nan"
    return ">99%" if probability > 0.99 else f"{100 * probability:.0f}%"
