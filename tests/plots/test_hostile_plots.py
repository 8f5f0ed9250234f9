"""Data that cannot be drawn is refused in one line that says where; edge cases are drawn."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from backprop import TwoLayerNet
from backprop.plots import plot_filters, plot_history, plot_mistakes, plot_weights
from backprop.training import History

NAN = math.nan
NET, X, T = TwoLayerNet(9, 4, 3, rng=0), np.random.default_rng(0).random((5, 9)), np.array([0, 1, 2, 0, 1])

W = np.ones((4, 1, 9, 9))


class Answers:
    """A network that returns fixed answers."""

    def __init__(self, logits):
        self.logits = logits

    def predict(self, x):
        return self.logits


def named(classes):
    return plot_mistakes(NET, X, T, classes=classes)


def having(**params):
    return SimpleNamespace(params=params)


ROWS = [
    (TypeError, "plot_history: history must have loss, got None; pass the History", plot_history, (None,)),
    (
        TypeError,
        "plot_history: history must have loss, got .*; pass the History",
        plot_history,
        ([1.0, 0.5],),
    ),
    (
        TypeError,
        "plot_history: history must have loss, got .*; pass the History",
        plot_history,
        ({"loss": [1.0]},),
    ),
    (TypeError, "plot_history: history must have loss, got 'run.json'", plot_history, ("run.json",)),
    (TypeError, "plot_history: loss must be a list of numbers, got <func", plot_history, (TwoLayerNet,)),
    (
        TypeError,
        "plot_history: history must have iterations, got",
        plot_history,
        (SimpleNamespace(loss=[1.0]),),
    ),
    *[
        (error, f"plot_history: {words}", plot_history, (History([1.0, 1.0], [0, 2], [0.1, 0.2], **lists),))
        for lists, error, words in (
            (
                {"learning_rate": [0.1]},
                ValueError,
                "learning_rate must have one number per loss, got 1 for 2",
            ),
            (
                {"learning_rate": [0.1, NAN]},
                ValueError,
                "learning_rate must be finite numbers of at least 0, g",
            ),
            ({"learning_rate": 0.1}, TypeError, "learning_rate must be a list of numbers, got 0.1"),
            (
                {"test_loss": [1.0]},
                ValueError,
                "test_loss must have one number per entry of iterations, got 1",
            ),
            ({"validation_loss": ["1", 2]}, TypeError, "validation_loss must hold real numbers, got '1'"),
            (
                {"validation_accuracy": [0.5, 2]},
                ValueError,
                "validation_accuracy must be fractions, .* got 2",
            ),
        )
    ],
    (ValueError, "plot_history: the history is empty; train first", plot_history, (History(),)),
    (TypeError, "plot_history: loss must be a list of numbers, got 3", plot_history, (History(3),)),
    (
        TypeError,
        "plot_history: loss must hold real numbers, got '2.0' at .1",
        plot_history,
        (History([1, "2.0"]),),
    ),
    (
        TypeError,
        "plot_history: loss must hold real numbers, got None at .0",
        plot_history,
        (History([None]),),
    ),
    (TypeError, "plot_history: loss must hold real numbers, got 1j at .0", plot_history, (History([1j]),)),
    (ValueError, "plot_history: loss must hold numbers that fit", plot_history, (History([10**400]),)),
    (
        ValueError,
        "plot_history: iterations must be counts of updates",
        plot_history,
        (History([1.0], [NAN]),),
    ),
    (ValueError, "plot_history: iterations must be counts of updates", plot_history, (History([1.0], [-1]),)),
    (
        ValueError,
        "plot_history: train_accuracy must be fractions",
        plot_history,
        (History([1.0], [0], [97]),),
    ),
    (
        ValueError,
        "plot_history: test_accuracy must be fractions",
        plot_history,
        (History([1.0], [0], [], [-1]),),
    ),
    (
        ValueError,
        "plot_history: train_accuracy must have .* 1 for 2",
        plot_history,
        (History([1.0], [0, 1], [1]),),
    ),
    (TypeError, "plot_mistakes: net must be a network, .* got None", plot_mistakes, (None, X, T)),
    (TypeError, "plot_mistakes: net must be a network, .* got <class", plot_mistakes, (TwoLayerNet, X, T)),
    (
        TypeError,
        "plot_mistakes: the result of net.predict must hold numbers",
        plot_mistakes,
        (Answers(None), X, T),
    ),
    (
        TypeError,
        "plot_mistakes: the result of net.predict must hold",
        plot_mistakes,
        (Answers(np.ones(5) * 1j), X, T),
    ),
    (
        TypeError,
        "plot_mistakes: the result of net.predict must be",
        plot_mistakes,
        (Answers([[1], [1, 2]]), X, T),
    ),
    (
        ValueError,
        "plot_mistakes: net.predict must return logits .5, C.",
        plot_mistakes,
        (Answers(np.ones(5)), X, T),
    ),
    (
        ValueError,
        "plot_mistakes: net.predict must return logits .5, C.",
        plot_mistakes,
        (Answers(np.eye(4)), X, T),
    ),
    (
        ValueError,
        "plot_mistakes: net.predict must .* got .5, 0.",
        plot_mistakes,
        (Answers(np.ones((5, 0))), X, T),
    ),
    (
        TypeError,
        "plot_mistakes: x must hold numbers, got object",
        plot_mistakes,
        (Answers(np.eye(5)), None, T),
    ),
    (
        TypeError,
        "plot_mistakes: x must hold numbers, got <U1",
        plot_mistakes,
        (Answers(np.eye(5)), "x", T),
    ),
    (
        ValueError,
        "plot_mistakes: x must hold square images",
        plot_mistakes,
        (Answers(np.eye(5)), X[:, :8], T),
    ),
    (
        ValueError,
        "plot_mistakes: x must hold square images",
        plot_mistakes,
        (Answers(np.eye(5)), X[:, :0], T),
    ),
    (ValueError, "plot_mistakes: labels must lie in 0..2", plot_mistakes, (NET, X, T + 1)),
    (ValueError, "plot_mistakes: labels must have shape", plot_mistakes, (NET, X, T[:3])),
    (TypeError, "plot_mistakes: labels must hold numbers", plot_mistakes, (NET, X, None)),
    (TypeError, "plot_mistakes: classes must be a list of", named, ("abc",)),
    (TypeError, "plot_mistakes: classes must be a list of", named, ([1, 2, 3],)),
    (ValueError, "plot_mistakes: classes must have 3 names, .* got 2", named, (["a", "b"],)),
    (ValueError, "plot_mistakes: classes must be printable", named, (["a", "b", "c\n"],)),
    (ValueError, "plot_mistakes: classes must be printable", named, (["a", "b", "c" * 21],)),
    (ValueError, "plot_mistakes: classes must have only formulas", named, (["a", "b", "$x^$"],)),
    (TypeError, "plot_weights: net must be a network, .*, got None", plot_weights, (None,)),
    (TypeError, "plot_weights: net must be a network, .*, got <class ", plot_weights, (TwoLayerNet,)),
    (
        TypeError,
        "plot_weights: net must be a .*, got namespace",
        plot_weights,
        (SimpleNamespace(params=[1]),),
    ),
    (
        ValueError,
        "plot_weights: one parameter must .* the parameters are: none",
        plot_weights,
        (having(),),
    ),
    (
        ValueError,
        "plot_weights: one parameter must .* the parameters are: b",
        plot_weights,
        (having(b=3),),
    ),
    (
        ValueError,
        "plot_weights: W must have shape .h², M., an image",
        plot_weights,
        (having(W=np.ones((8, 2))),),
    ),
    (
        ValueError,
        "plot_weights: W must have shape .h², M., an image",
        plot_weights,
        (having(W=np.ones((9, 0))),),
    ),
    (
        ValueError,
        "plot_weights: W must have shape .h², M., an image",
        plot_weights,
        (having(W=np.ones((0, 9))),),
    ),
    (
        TypeError,
        "plot_weights: 'W' must hold real numbers, got complex",
        plot_weights,
        (having(W=np.eye(4) * 1j),),
    ),
    (TypeError, "plot_filters: before must hold numbers, got object", plot_filters, (None,)),
    (TypeError, "plot_filters: before must hold numbers, got", plot_filters, ("W",)),
    (TypeError, "plot_filters: before must hold real numbers, got complex", plot_filters, (W * 1j,)),
    (TypeError, "plot_filters: after must hold real numbers, got complex", plot_filters, (W, W * 1j)),
    (ValueError, "plot_filters: before must have shape .F, C, h.*got .4, 9", plot_filters, (W[:, 0, 0],)),
    (ValueError, "plot_filters: before must have shape .F, C, h.*got .0, 1", plot_filters, (W[:0],)),
    (ValueError, "plot_filters: before and after must have the same", plot_filters, (W, W[:2])),
    (ValueError, "plot_filters: before must have a parameter with four axes", plot_filters, (NET,)),
    (ValueError, "plot_filters: after must have a parameter with four axes", plot_filters, (W, {})),
    (ValueError, "plot_filters: before must have shape", plot_weights, (having(W=W[:0]),)),
]


@pytest.mark.parametrize(("error", "words", "plot", "arguments"), ROWS)
def test_it_is_told_in_one_line(error, words, plot, arguments):
    with pytest.raises(error, match=f"^{words}") as caught:
        plot(*arguments)
    text = str(caught.value)
    assert type(caught.value) is error and "\n" not in text and len(text) <= 200, len(text)


@pytest.mark.parametrize("count", [0, -1, True, 2.5, "3", None])
def test_counts_that_are_none(count):
    for plot in (
        lambda: plot_mistakes(NET, X, T, count=count),
        lambda: plot_weights(NET, count=count),
        lambda: plot_filters(W, count=count),
    ):
        with pytest.raises(
            (TypeError, ValueError), match=r"^plot_\w+: count must be (an integer|at least 1), got"
        ):
            plot()


@pytest.mark.parametrize(
    "history",
    [
        History([NAN], [0, 1], [NAN, NAN], [NAN, NAN]),
        History([NAN, 1.0], [0, 2], [0.5, NAN], [NAN, 0.9]),
        History([1.0], [0], [0.5]),
        History([-1.0, 5.0]),
        History([0.0] * 10),
        History([1e308] * 500),
        History([1.0], [10**9], [0.1]),
        History([True, np.float32(2), 3]),
        SimpleNamespace(
            loss=np.ones(3),
            iterations=np.array([0, 3]),
            train_accuracy=np.array([0.1, 0.2]),
            test_accuracy=(),
        ),
    ],
)
def test_every_record_of_a_training_is_drawn(history):
    plot_history(history).draw_without_rendering()


def test_an_accuracy_that_is_no_number_is_a_gap():
    figure = plot_history(History([1.0], [0, 1, 2], [0.1, NAN, 0.95], [0.1, 0.96, NAN]))
    figure.draw_without_rendering()
    panel = figure.axes[1]
    assert panel.get_ylim()[0] == pytest.approx(0.9), "what is left has the panel to itself"
    ends = {text.get_text(): text.get_position()[1] for text in panel.texts if "set\n" in text.get_text()}
    assert ends.keys() == {"training set\n0.9500", "test set\nnan"}
    assert all(0 < height < 1 for height in ends.values())
