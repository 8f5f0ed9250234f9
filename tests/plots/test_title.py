"""The title of every picture is a string or a list of strings."""

import numpy as np
import pytest

from backprop import TwoLayerNet
from backprop.plots import plot_filters, plot_history, plot_mistakes, plot_weights
from backprop.training import History

NET, X, T = TwoLayerNet(9, 4, 3, rng=0), np.random.default_rng(0).random((5, 9)), np.array([0, 1, 2, 0, 1])
HISTORY = History([2.0, 1.0], [0, 2], [0.1, 0.6])
PLOTS = [
    lambda title: plot_history(HISTORY, title=title),
    lambda title: HISTORY.plot(title=title),
    lambda title: plot_mistakes(NET, X, T, title=title),
    lambda title: plot_weights(NET, title=title),
    lambda title: plot_filters(np.ones((4, 1, 3, 3)), title=title),
]
NAMES = ["history", "History.plot", "mistakes", "weights", "filters"]
EVERY = pytest.mark.parametrize("plot", PLOTS, ids=NAMES)


@EVERY
@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("My run", ["My run"]),
        (["My run"], ["My run"]),
        ("a\nb", ["a", "b"]),
        (("a", "b"), ["a", "b"]),
        ("", []),
    ],
)
def test_a_text_is_a_line_and_not_its_letters(plot, title, lines):
    figure, without = plot(title), plot([])
    said, rest = figure.get_suptitle().splitlines(), without.get_suptitle().splitlines()
    assert said == lines + rest
    taller = 0.2 * len(lines) * figure.dpi
    assert without.bbox.height <= figure.bbox.height <= without.bbox.height + taller + 1


@EVERY
@pytest.mark.parametrize("formula", [r"$\alpha = 0.1$", r"2 \$ and 3 \$", "$"])
def test_a_formula_is_drawn(plot, formula):
    plot(formula).draw_without_rendering()


@EVERY
@pytest.mark.parametrize(
    ("title", "error", "words"),
    [
        (None, TypeError, "must be a string or a list of strings, got None"),
        (3, TypeError, "must be a string or a list of strings, got 3"),
        (b"run", TypeError, "must be a string or a list of strings, got b'run'"),
        (["a", 3], TypeError, r"must be a string or a list of strings, got \['a', 3\]"),
        (r"$\frac{$", ValueError, "must have only formulas that matplotlib can draw, "),
        (["a", r"$\undefined$"], ValueError, "must have only formulas that matplotlib can draw, "),
        (
            "x" * 1000,
            ValueError,
            "must have at most 20 lines of 200 letters, got 1 lines of up to 1000 letters",
        ),
        (
            ["x"] * 30,
            ValueError,
            "must have at most 20 lines of 200 letters, got 30 lines of up to 1 letters",
        ),
        ("a\x00b", ValueError, "must be printable text"),
        ("\ud800", ValueError, "must be printable text"),
    ],
)
def test_what_is_no_title(plot, title, error, words):
    with pytest.raises(error, match=rf"^plot_(history|mistakes|weights|filters): title {words}") as caught:
        plot(title)
    assert "\n" not in str(caught.value) and len(str(caught.value)) <= 200
