"""Misread images: all of them, the most confident first, with label and answer."""

import math
import re

import numpy as np
import pytest

from backprop import TwoLayerNet, asarray, load_mnist_sample
from backprop.plots import plot_mistakes


class Says:
    """A network that returns fixed logits."""

    def __init__(self, logits):
        self.logits = np.array(logits, dtype="float64")

    def predict(self, x):
        return self.logits


X = np.arange(4 * 9, dtype="float32").reshape(4, 9) / 35
LOGITS = [[0.0, 2.0], [3.0, 0.0], [0.0, 1.0], [0.0, 9.0]]  # says 1, 0, 1, 1


def captions(said):
    return re.findall(r"^\d+ → .*$", said, re.MULTILINE)


def test_the_surest_mistake_comes_first(texts):
    figure = plot_mistakes(Says(LOGITS), X, [0, 1, 0, 0], count=3)
    said = texts(figure)
    assert captions(said) == ["0 → 1, >99%", "1 → 0, 95%", "0 → 1, 88%"]
    assert "4 of 4 images misread (100.0%); shown: the 3 most confident" in said
    sheet = figure.axes[0].get_images()[0].get_array()
    np.testing.assert_array_equal(sheet[:3, :3], X[3].reshape(3, 3))
    np.testing.assert_array_equal(sheet[:3, 4:7], X[1].reshape(3, 3))


def test_labels_are_written_by_their_names(texts):
    said = texts(plot_mistakes(Says(LOGITS), X, [0, 0, 0, 0], classes=["Coat", "T-shirt/top"]))
    assert "Coat →\nT-shirt/top, >99%" in said


def test_what_is_read_rightly_is_left_out(texts):
    said = texts(plot_mistakes(Says(LOGITS), X, [1, 0, 0, 1]))
    assert captions(said) == ["0 → 1, 73%"] and "1 of 4 images misread (25.0%)" in said


def test_labels_may_be_one_hot_and_images_have_channels(texts):
    said = texts(plot_mistakes(Says(LOGITS), X.reshape(4, 1, 3, 3), np.eye(2)[[1, 0, 0, 1]]))
    assert captions(said) == ["0 → 1, 73%"]


def test_a_single_image_is_no_plural(texts):
    assert "1 of 1 image misread (100.0%)" in texts(plot_mistakes(Says(LOGITS[:1]), X[:1], [0]))


def test_where_nothing_is_misread_it_says_so(texts):
    said = texts(plot_mistakes(Says(LOGITS), X, [1, 0, 1, 1]))
    assert "none is misread" in said and "0 of 4 images misread (0.0%)" in said


def test_a_diverged_network_misreads_with_no_number(texts):
    said = texts(plot_mistakes(Says(np.full((4, 2), math.nan)), X, [1, 1, 1, 0], count=2))
    assert captions(said) == ["1 → 0, nan"] * 2 and "3 of 4 images misread (75.0%); shown: 2" in said


def test_their_number_is_that_of_the_accuracy(texts):
    (x, t), _ = load_mnist_sample()
    net = TwoLayerNet(rng=0)
    wrong = round((1 - net.accuracy(x, t)) * len(x))
    assert f"{wrong:,} of 4,000 images misread" in texts(plot_mistakes(net, x, t))


def test_every_backend_can_be_asked(backend, texts):
    (x, t), _ = load_mnist_sample()
    x, t = asarray(x[:50]), asarray(t[:50])
    assert "of 50 images misread" in texts(plot_mistakes(TwoLayerNet(rng=0), x, t))


@pytest.mark.parametrize("wrong", [0, 1, 4])
def test_the_title_fits_above_few_images(wrong):
    title = "784-1000-10 after 1,000,000 iterations on 60,000 images of MNIST: the test set"
    t = [0, 1, 0, 0][:wrong] + [1, 0, 1, 1][wrong:]
    figure = plot_mistakes(Says(LOGITS), X, t, title=title)
    figure.draw_without_rendering()
    box = figure._suptitle.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width


@pytest.mark.parametrize(
    ("x", "t", "words"),
    [
        (X[:, :8], [0, 1, 0, 0], "plot_mistakes: x must hold square images"),
        (X, [0, 1], "plot_mistakes: labels must have shape"),
        (X, [0, 1, 0, 7], "plot_mistakes: labels must lie in 0..1"),
    ],
)
def test_data_that_does_not_fit_is_refused(x, t, words):
    with pytest.raises(ValueError, match=words):
        plot_mistakes(Says(LOGITS), x, t)


def test_a_count_below_one_is_refused():
    with pytest.raises(ValueError, match="plot_mistakes: count must be at least 1, got 0"):
        plot_mistakes(Says(LOGITS), X, [0, 1, 0, 0], count=0)
