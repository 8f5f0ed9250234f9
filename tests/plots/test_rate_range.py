"""The picture of a range test: both curves, the suggestion, and an axis that fits them."""

import pytest

from backprop.training import LearningRateRange

RATES = [10.0 ** (i / 4 - 4) for i in range(17)]
LOSSES = [2.3, 2.2, 2.3, 2.3, 2.2, 2.2, 2.1, 2.0, 1.8, 1.5, 1.1, 0.9, 0.8, 1.2, 40.0, 3.0, 2.5]
SMOOTHED = [2.3, 2.3, 2.3, 2.25, 2.2, 2.2, 2.1, 2.0, 1.8, 1.5, 1.1, 0.9, 0.9, 1.5, 20.0, 2.8, 2.6]
FOUND = LearningRateRange(RATES, LOSSES, SMOOTHED, 0.3)


def test_it_shows_both_curves_and_the_suggestion(texts):
    figure = FOUND.plot(title="a title")
    figure.draw_without_rendering()
    (panel,) = figure.axes
    single, mean, mark = (list(zip(*line.get_data(), strict=True)) for line in panel.get_lines())
    assert single == list(zip(RATES, LOSSES, strict=True)) and mean == list(zip(RATES, SMOOTHED, strict=True))
    assert {x for x, _ in mark} == {0.3} and "suggestion 0.3" in texts(figure)
    assert panel.get_xscale() == "log" and figure.get_suptitle() == "a title"
    assert panel.get_ylim()[0] < 0.8 and 2.3 < panel.get_ylim()[1] < 4.0, "not up to 40"


@pytest.mark.parametrize("suggestion", [1e-4, 1.0])
def test_the_words_stay_inside(suggestion):
    figure = LearningRateRange(RATES, LOSSES, SMOOTHED, suggestion).plot()
    figure.draw_without_rendering()
    words = figure.axes[0].texts[0].get_window_extent()
    assert words.x0 >= 0 and words.x1 <= figure.bbox.width


@pytest.mark.parametrize("smoothed", [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 1.0, 1.0]])
def test_losses_that_only_rise_or_fall_or_stay(smoothed):
    figure = LearningRateRange([0.1, 1.0, 10.0], smoothed, smoothed, 0.1).plot()
    bottom, top = figure.axes[0].get_ylim()
    assert bottom < min(smoothed) and top > smoothed[0]


def test_it_is_written_to_a_file(tmp_path):
    FOUND.plot(tmp_path / "range.svg")
    assert ">learning rate</text>" in (tmp_path / "range.svg").read_text(encoding="utf-8")


def test_without_matplotlib_one_error_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(
        ImportError, match=r"^plot_rate_range needs matplotlib \(.*\): pip install matplotlib$"
    ):
        FOUND.plot()
