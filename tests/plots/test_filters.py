"""The filters of a convolution: an image each, two sets side by side on one scale."""

import math

import numpy as np
import pytest

from backprop import Sequential
from backprop.layers import Affine, Conv2D, ReLU
from backprop.plots import plot_filters, plot_weights

W = np.random.default_rng(0).normal(size=(7, 1, 3, 3))


def sheets(figure):
    return [panel.get_images()[0].get_array() for panel in figure.axes if panel.get_images()]


def drawn(sheet, f, height=3, width=3):
    """The filter at place f of a first row, from the pixels that it is enlarged to: 24 on its longer side."""
    times = -(-24 // max(height, width))
    left = f * (width * times + max(1, round(0.08 * width * times)))
    return sheet[: height * times : times, left : left + width * times : times]


@pytest.fixture
def net():
    return Sequential([Conv2D(4, 3), ReLU(), Affine(2)], (1, 6, 6), rng=0)


def test_a_filter_is_an_image_with_its_number(texts):
    figure = plot_filters(W, title="a title")
    (sheet,) = sheets(figure)
    for f in range(7):
        np.testing.assert_array_equal(drawn(sheet, f), W[f, 0])
    said = texts(figure)
    assert "a title\n7 filters of 3 × 3" in said and "\n6\n" in said and "before" not in said


def test_two_sets_have_one_scale(texts):
    figure = plot_filters(W, 10 * W)
    left, right = (panel.get_images()[0] for panel in figure.axes[:2])
    np.testing.assert_allclose(10 * left.get_array(), right.get_array())
    low, high = left.get_clim()
    assert left.get_clim() == right.get_clim() and low == -high
    assert high == pytest.approx(float(abs(10 * W).max()))
    assert "before" in texts(figure) and "after" in texts(figure)


def test_filters_are_found_in_whatever_holds_them(net):
    before = net.params.copy()
    net.params["W1"] += 1.0
    old, new = sheets(plot_filters(before, net))
    np.testing.assert_array_equal(drawn(old, 0), before["W1"][0, 0])
    np.testing.assert_array_equal(drawn(new, 0), net.params["W1"][0, 0])
    (alone,) = sheets(plot_filters(net.layers["Conv2D1"]))
    np.testing.assert_array_equal(drawn(alone, 0), net.params["W1"][0, 0])


def test_the_first_weights_of_a_convolutional_network_are_its_filters(net, texts):
    np.testing.assert_array_equal(*(sheets(each)[0] for each in (plot_weights(net), plot_filters(net))))
    assert "4 filters of 3 × 3\nthe first 2 of 4" in texts(plot_weights(net, count=2))


def test_every_channel_is_an_image(texts):
    filters = np.random.default_rng(0).normal(size=(2, 3, 1, 4))
    figure = plot_filters(filters)
    said = texts(figure)
    assert "2 filters of 1 × 4 on 3 channels\nnumbers: filter, channel" in said and "\n1,2\n" in said
    (sheet,) = sheets(figure)
    np.testing.assert_array_equal(drawn(sheet, 5, 1, 4), filters[1, 2])


def test_a_filter_that_diverged_is_marked_and_spoils_no_other(texts):
    filters = W.copy()
    filters[2, 0, 1, 1] = math.nan
    figure = plot_filters(W, filters)
    assert "2: nan" in texts(figure) and math.isfinite(figure.axes[0].get_images()[0].get_clim()[1])
    assert "every weight is NaN or infinite" in texts(plot_filters(np.full((2, 1, 3, 3), math.inf)))


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 1, 7, 1), (200, 1, 3, 3), (2, 64, 3, 3)])
def test_filters_of_any_shape_are_drawn(shape):
    for after in (None, np.zeros(shape)):
        figure = plot_filters(np.ones(shape), after)
        figure.draw_without_rendering()
        assert 1.0 < figure.get_size_inches()[0] < 16 and figure.get_size_inches()[1] < 16
