"""The owner of a network's arrays: views into one buffer, assignment in place, copies."""

import copy
import pickle

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import TwoLayerNet


@pytest.fixture
def net(backend):
    return TwoLayerNet(4, 3, 2, rng=0)


def test_one_flat_buffer_holds_everything(net):
    assert net.params.flat.shape == (4 * 3 + 3 + 3 * 2 + 2,)
    net.params.flat[...] = asarray(np.arange(23), "float32")
    np.testing.assert_array_equal(to_numpy(net.params["b1"]), [12, 13, 14])
    np.testing.assert_array_equal(to_numpy(net.layers["Affine2"].params["b"]), [21, 22])


def test_an_update_in_place_reaches_the_buffer_and_the_layer(net):
    net.params["b1"] -= 1.0
    np.testing.assert_array_equal(to_numpy(net.params.flat)[12:15], [-1, -1, -1])
    np.testing.assert_array_equal(to_numpy(net.layers["Affine1"].params["b"]), [-1, -1, -1])


def test_assignment_copies_into_place(net):
    view, values = net.params["b1"], np.array([1.0, 2.0, 3.0])
    net.params["b1"] = values
    assert net.params["b1"] is view
    values[:] = 9.0
    np.testing.assert_array_equal(to_numpy(view), [1, 2, 3])
    net.params["b1"] = asarray([4, 5, 6])
    net.layers["Affine1"].params["W"] = [[7.0] * 3] * 4
    np.testing.assert_array_equal(to_numpy(net.params.flat)[:15], [7.0] * 12 + [4, 5, 6])


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("W1", np.ones((3, 4)), ValueError, r"W1 must have shape \(4, 3\), got \(3, 4\)"),
        ("b1", 0.0, ValueError, r"b1 must have shape \(3,\), got \(\)"),
        ("b1", np.ones(3) * 1j, TypeError, "b1 holds .*float32, which cannot take .*complex128"),
        ("b1", ["a"] * 3, TypeError, "b1 holds .*float32, which cannot take <U1"),
        ("W3", np.ones(3), KeyError, "no array 'W3' here; there are W1, b1, W2, b2"),
    ],
)
def test_wrong_assignments_raise_and_change_nothing(net, name, value, error, words):
    before = to_numpy(net.params.flat).copy()
    with pytest.raises(error, match=words):
        net.params[name] = value
    np.testing.assert_array_equal(to_numpy(net.params.flat), before)


def test_deletion_raises(net):
    for delete in (
        lambda: net.params.pop("W1"),
        net.params.clear,
        lambda: net.layers["Affine1"].params.pop("W"),
    ):
        with pytest.raises(TypeError, match="cannot be deleted"):
            delete()
    assert list(net.params) == ["W1", "b1", "W2", "b2"]


def test_the_order_is_fixed_and_it_is_a_mapping(net):
    assert [*net.params] == [*net.grads] == ["W1", "b1", "W2", "b2"]
    assert len(net.params) == 4
    assert "W1" in net.params
    assert "W9" not in net.params
    assert dict(net.layers["Affine1"].params).keys() == {"W", "b"}
    assert repr(net.params).startswith("<Parameters W1 (4, 3), b1 (3,), W2 (3, 2), b2 (2,); ")


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda params: pickle.loads(pickle.dumps(params))])
def test_copies_keep_the_sharing_among_themselves(net, duplicate):
    twin = duplicate(net.params)
    twin["b1"] -= 1.0
    np.testing.assert_array_equal(to_numpy(twin.flat)[12:15], [-1, -1, -1])
    np.testing.assert_array_equal(to_numpy(net.params["b1"]), [0, 0, 0])


def test_a_shallow_copy_shares_the_buffer(net):
    copy.copy(net.params)["b1"] -= 1.0
    np.testing.assert_array_equal(to_numpy(net.params["b1"]), [-1, -1, -1])
