"""The curves show every number of a history, even of a diverged training run."""

import math
import pickle
import re

import pytest

from backprop.plots import canvas, plot_history
from backprop.plots.history import POINTS, window_of
from backprop.training import History

NAN, INF = math.nan, math.inf


def curves(panel):
    """Return the lines of a panel as lists of points, without marker lines."""
    return [
        list(zip(*map(list, line.get_data()), strict=True))
        for line in panel.get_lines()
        if len(line.get_xdata())
    ]


def drawn(history, **options):
    figure = plot_history(history, **options)
    figure.draw_without_rendering()
    return figure, *figure.axes


def test_a_short_run_is_drawn_point_by_point():
    history = History([2.0, 1.0, 0.5], [0, 2, 3], [0.1, 0.6, 0.7], [0.2, 0.5, 0.8])
    _, loss, accuracy = drawn(history)
    assert curves(loss) == [[(1, 2.0), (2, 1.0), (3, 0.5)]]
    assert curves(accuracy) == [[(0, 0.1), (2, 0.6), (3, 0.7)], [(0, 0.2), (2, 0.5), (3, 0.8)]]
    assert loss.get_lines()[0].get_marker() == accuracy.get_lines()[0].get_marker() == "o"


def test_a_long_run_is_drawn_as_means_with_the_range_of_the_losses():
    losses = [3.0, 1.0] * 5000
    _, panel, _ = drawn(History(losses, [0, 10_000], [0.1, 0.9], [0.1, 0.9]))
    (curve,) = curves(panel)
    assert curve[0] == (25.5, 2.0) and len(curve) == POINTS
    assert {y for _, y in curve} == {2.0}
    assert panel.get_title() == "loss, mean of 50 batches, and their range"
    (band,) = panel.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (1.0, 3.0)


def test_the_last_window_may_be_shorter():
    losses = [1.0] * 400 + [7.0]
    _, panel, _ = drawn(History(losses, [0], [0.1]))
    (curve,) = curves(panel)
    assert curve[-1] == (401.0, 7.0) and window_of(401) == 5


@pytest.mark.parametrize(
    ("count", "window"), [(0, 1), (1, 1), (200, 1), (201, 2), (401, 5), (10_000, 50), (10**9, 5 * 10**6)]
)
def test_windows_are_round_numbers(count, window):
    assert window_of(count) == window


@pytest.mark.parametrize(
    ("losses", "scale"), [([2.3, 0.1], "log"), ([2.3, 2.0], "linear"), ([2.3, 0.0], "linear")]
)
def test_the_scale_is_logarithmic_where_the_loss_spans_a_factor_of_ten(losses, scale):
    _, panel, _ = drawn(History(losses, [0, 2], [0.1, 0.2], [0.1, 0.2]))
    assert panel.get_yscale() == scale


def test_a_diverged_run_shows_what_there_is_and_counts_the_rest(texts):
    history = History([2.3, 900.0, INF] + [NAN] * 997, [0, 1000], [0.1, 0.1], [0.1, 0.1])
    figure, panel, _ = drawn(history)
    shown = [point for point in curves(panel)[0] if math.isfinite(point[1])]
    assert shown == [(3.0, (2.3 + 900.0) / 2)]
    assert panel.get_lines()[0].get_marker() == "o", "a line of one point is nothing to see"
    assert "998 of 1,000 losses are NaN or infinite,\nthe first at iteration 3" in texts(figure)


def test_a_run_without_any_number_says_so(texts):
    assert "every loss is NaN or infinite" in texts(plot_history(History([NAN], [0, 1], [0.1, 0.1])))


def test_a_single_iteration_is_a_point():
    _, loss, accuracy = drawn(History([2.3], [0, 1], [0.1, 0.2], [0.1, 0.3]))
    assert curves(loss) == [[(1, 2.3)]] and loss.get_lines()[0].get_marker() == "o"
    assert len(curves(accuracy)) == 2


def test_before_the_first_iteration_there_are_accuracies_alone(texts):
    figure, _, accuracy = drawn(History([], [0], [0.1], [0.2]))
    assert "no iteration yet" in texts(figure) and curves(accuracy) == [[(0, 0.1)], [(0, 0.2)]]


def test_losses_alone_are_drawn_as_well(texts):
    assert "not measured yet" in texts(plot_history(History([2.0, 1.0])))


def test_without_a_test_set_there_is_one_curve(texts):
    said = texts(plot_history(History([2.0], [0, 1], [0.1, 0.25])))
    assert "training set\n0.2500" in said and "test set" not in said


@pytest.mark.parametrize(
    ("values", "bottom"), [([0.1, 0.86, 0.97], 0.8), ([0.1, 0.99], 0.9), ([0.1, 0.3], 0.0)]
)
def test_good_accuracies_have_the_panel_to_themselves(values, bottom):
    _, _, panel = drawn(History([1.0], list(range(len(values))), values, values))
    assert panel.get_ylim()[0] == pytest.approx(bottom)
    assert panel.get_ylim()[1] > 1.0, "a perfect one is inside"


def test_first_accuracies_below_the_range_are_given_in_words(texts):
    said = texts(plot_history(History([1.0] * 600, [0, 600], [0.0987, 0.93], [0.098, 0.92])))
    assert "iteration 0 (not shown):\ntraining 0.0987, test 0.0980" in said
    assert "not shown" not in texts(plot_history(History([1.0], [0, 1], [0.1, 0.3], [0.1, 0.3])))


def test_losses_of_whole_sets_are_drawn_beside_those_of_batches(texts):
    measured = {"test_loss": [2.3, 0.9, 0.6], "validation_loss": [2.2, 0.8, 0.7]}
    accuracies = {"validation_accuracy": [0.1, 0.7, 0.8]}
    history = History([2.0, 1.0, 0.5], [0, 2, 3], [0.1, 0.6, 0.7], **measured, **accuracies)
    figure, loss, accuracy = drawn(history)
    assert curves(loss)[1:] == [
        [*zip([0, 2, 3], measured[name], strict=True)] for name in ("test_loss", "validation_loss")
    ]
    assert curves(accuracy)[1] == [(0, 0.1), (2, 0.7), (3, 0.8)]
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["test set", "validation set"]
    assert "validation set\n0.8000" in texts(figure)
    colours = {line.get_color() for line in (*loss.get_lines(), *accuracy.get_lines())}
    assert len(colours) == 4, "a set has the same colour in both panels"


def test_a_changing_rate_has_a_panel_of_its_own():
    history = History([2.0, 1.0, 0.5], [0, 3], [0.1, 0.6], learning_rate=[0.1, 0.05, 0.0])
    _, *panels = drawn(history)
    rate = next(panel for panel in panels if panel.get_title() == "learning rate")
    assert curves(rate) == [[(1, 0.1), (2, 0.05), (3, 0.0)]] and len(panels) == 3
    history.learning_rate = [0.1] * 3
    assert len(plot_history(history).axes) == 2, "a constant one has none"


def test_the_last_rate_of_a_long_run_is_drawn():
    history = History([1.0] * 1001, [], [], learning_rate=[1.0 - i / 1000 for i in range(1001)])
    rate = next(panel for panel in plot_history(history).axes if panel.get_title() == "learning rate")
    (curve,) = curves(rate)
    assert curve[0] == (1, 1.0) and curve[-1] == (1001, 0.0) and len(curve) < 210


def test_a_loss_without_accuracies_says_so(texts):
    history = History([2.0, 1.0], [0, 2], test_loss=[2.0, 1.0])
    assert "the loss defines none" in texts(drawn(history)[0])


@pytest.mark.parametrize(
    "ends", [(0.9, 0.9, 0.9), (1.0, 0.99, 1.0), (0.0, 0.0, 0.01), (0.2, 0.9, 0.5), (0.5, 0.55, 0.6)]
)
def test_the_labels_of_three_curves_do_not_touch(ends):
    from matplotlib.text import Text

    first, second, third = ([0.1, end] for end in ends)
    history = History([1.0, 1.0], [0, 2], first, second, validation_accuracy=third)
    figure, _, panel = drawn(history)
    labels = [text for text in panel.findobj(Text) if re.fullmatch(r"\w+ set\n\d\.\d{4}", text.get_text())]
    boxes = [label.get_window_extent() for label in labels]
    assert len(boxes) == 3
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(box.y0 > 0 and box.y1 < figure.bbox.height and box.x1 <= figure.bbox.width for box in boxes)


@pytest.mark.parametrize(
    "ends", [(0.97, 0.97), (1.0, 1.0), (0.0, 0.0), (0.98, 0.97), (0.97, 0.98), (1.0, 0.2)]
)
def test_the_labels_of_the_curves_do_not_touch(ends):
    from matplotlib.text import Text

    figure, _, panel = drawn(History([1.0, 1.0], [0, 2], [0.1, ends[0]], [0.1, ends[1]]))
    labels = [
        text
        for text in panel.findobj(Text)
        if re.fullmatch(r"(training|test) set\n\d\.\d{4}", text.get_text())
    ]
    first, second = (label.get_window_extent() for label in labels)
    assert not first.overlaps(second)
    assert ends[0] == ends[1] or (first.y0 > second.y0) == (ends[0] > ends[1])
    for box in (first, second):
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 > 0 and box.y1 < figure.bbox.height


def test_an_empty_history_is_refused():
    with pytest.raises(ValueError, match="the history is empty; train first"):
        History().plot()


@pytest.mark.parametrize("suffix", canvas.SUFFIXES)
def test_the_file_is_the_same_each_time(tmp_path, suffix):
    history = History([2.0, 1.0], [0, 2], [0.1, 0.6], [0.2, 0.5])
    files = [tmp_path / f"{name}{suffix}" for name in "ab"]
    figures = [history.plot(file, title=["a title"]) for file in files]
    first, second = (file.read_bytes() for file in files)
    assert first == second and len(first) > 1000
    assert figures[0].get_suptitle() == "a title"


def test_the_text_of_an_svg_is_text(tmp_path):
    History([2.0, 1.0], [0, 2], [0.1, 0.6], [0.2, 0.5]).plot(tmp_path / "run.svg")
    assert ">iteration</text>" in (tmp_path / "run.svg").read_text(encoding="utf-8")


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of \.pdf, \.png, \.svg, got .*run\.gif"):
        History([1.0]).plot(tmp_path / "run.gif")


def test_without_matplotlib_one_error_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"^plot_history needs matplotlib \(.*\): pip install matplotlib$"):
        History([1.0]).plot()


def test_a_notebook_shows_the_figure_and_it_can_be_pickled():
    figure = History([2.0, 1.0], [0, 2], [0.1, 0.6]).plot()
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert pickle.loads(pickle.dumps(figure)).axes


def test_a_users_style_leaves_it_legible():
    import matplotlib

    with matplotlib.rc_context({"axes.facecolor": "black", "figure.facecolor": "black"}):
        figure = plot_history(History([2.0, 1.0], [0, 2], [0.1, 0.6]))
    assert figure.get_facecolor() == figure.axes[0].get_facecolor() == (1.0, 1.0, 1.0, 1.0)
