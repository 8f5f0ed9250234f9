"""The first layer's weights: an image per column, on one scale, with white for zero."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from backprop import Sequential, TwoLayerNet
from backprop.layers import Affine, LayerNorm
from backprop.plots import plot_weights


def test_a_column_is_an_image(texts):
    net = TwoLayerNet(9, 7, 2, rng=0)
    figure = plot_weights(net, title="a title")
    W, sheet = net.params["W1"], figure.axes[0].get_images()[0].get_array()
    for unit in range(7):
        left = unit * 4
        np.testing.assert_array_equal(sheet[:3, left : left + 3], W[:, unit].reshape(3, 3))
    said = texts(figure)
    assert "a title\nweights W1 of 7 hidden units" in said and "\n6\n" in said


def test_gains_of_a_normalization_are_no_weights(texts):
    net = Sequential([LayerNorm(), Affine(5)], (3, 3), rng=0)
    assert "weights W1 of 5 hidden units" in texts(plot_weights(net))


def test_one_scale_serves_all_and_zero_is_in_its_middle():
    net = TwoLayerNet(9, 40, 2, rng=0)
    low, high = plot_weights(net).axes[0].get_images()[0].get_clim()
    largest = float(abs(net.params["W1"]).max())
    assert low == -high and 0.5 * largest < high <= largest


def test_of_many_units_the_first_are_drawn(texts):
    figure = plot_weights(TwoLayerNet(9, 150, 2, rng=0))
    assert "the first 100 of 150 hidden units" in texts(figure)
    assert "the first 3 of 150" in texts(plot_weights(TwoLayerNet(9, 150, 2, rng=0), count=3))


def test_a_unit_that_diverged_is_marked_and_spoils_no_other(texts):
    net = TwoLayerNet(9, 4, 2, rng=0)
    net.params["W1"][:, 2] = math.nan
    figure = plot_weights(net)
    assert "2: nan" in texts(figure) and math.isfinite(figure.axes[0].get_images()[0].get_clim()[1])


def test_a_network_that_diverged_altogether_is_said_to_have(texts):
    net = TwoLayerNet(9, 4, 2, rng=0)
    net.params["W1"][...] = math.inf
    assert "every weight is NaN or infinite" in texts(plot_weights(net))


def test_no_weight_at_all_is_white():
    net = TwoLayerNet(9, 4, 2, rng=0, weight_init_std=1.0)
    net.params["W1"][...] = 0.0
    assert plot_weights(net).axes[0].get_images()[0].get_clim() == (-1.0, 1.0)


def test_weights_that_are_no_square_image_are_refused():
    with pytest.raises(ValueError, match=r"plot_weights: .* h² weights per unit, got W1 \(8, 4\)"):
        plot_weights(TwoLayerNet(8, 4, 2, rng=0))


def test_a_network_without_weights_is_refused():
    class Empty:
        params = {"b": np.zeros(3)}

    with pytest.raises(ValueError, match="one parameter must have two or four axes; the parameters are: b"):
        plot_weights(Empty())


def test_the_scale_of_integers_never_wraps_around():
    net = SimpleNamespace(params={"W": np.full((9, 3), -128, "int8")})
    assert plot_weights(net).axes[0].images[0].get_clim() == (-128.0, 128.0)
