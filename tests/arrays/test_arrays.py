"""Arrays by name in one buffer: views, assignment in place, parts, snapshots and copies."""

import copy
import pickle

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import TwoLayerNet
from backprop.arrays.arrays import Arrays


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
        ("b1", np.ones(3) * 1j, TypeError, "b1 holds .*float32 and cannot take .*complex128"),
        ("b1", ["a"] * 3, TypeError, "Arrays: b1 must hold numbers, got <U1 from list"),
        ("W3", np.ones(3), KeyError, "no array named 'W3'; the names are W1, b1, W2, b2"),
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
    assert [*net.params] == ["W1", "b1", "W2", "b2"]
    assert len(net.params) == 4
    assert "W1" in net.params
    assert "W9" not in net.params
    assert dict(net.layers["Affine1"].params).keys() == {"W", "b"}
    assert repr(net.params).startswith("<Arrays W1 (4, 3), b1 (3,), W2 (3, 2), b2 (2,); ")


def test_update_takes_several(net):
    net.params.update({"b1": [1, 2, 3]}, b2=asarray([4.0, 5.0]))
    np.testing.assert_array_equal(to_numpy(net.params["b1"]), [1, 2, 3])
    np.testing.assert_array_equal(to_numpy(net.layers["Affine2"].params["b"]), [4, 5])


@pytest.mark.parametrize(
    ("value", "error"), [(np.ones(3), ValueError), (np.ones(2) * 1j, TypeError), ("no array", TypeError)]
)
def test_a_refused_update_changes_nothing(net, value, error):
    before = to_numpy(net.params.flat).copy()
    with pytest.raises(error):
        net.params.update({"b1": np.ones(3), "b2": value})
    with pytest.raises(KeyError, match="no array named 'b3'"):
        net.params.update(b1=np.ones(3), b3=np.ones(3))
    np.testing.assert_array_equal(to_numpy(net.params.flat), before)


def test_gathered_arrays_are_copies_in_one_buffer(backend):
    a, b = asarray([[1.0, 2.0]]), asarray([3.0])
    arrays = Arrays.gather({"a": a, "b": b})
    arrays["a"] = [[7.0, 8.0]]
    np.testing.assert_array_equal(to_numpy(arrays.flat), [7, 8, 3])
    np.testing.assert_array_equal(to_numpy(a), [[1, 2]])
    with pytest.raises(TypeError, match="a and b must have one dtype, got .*float64 and .*float32; cast one"):
        Arrays.gather({"a": asarray([1.0], "float64"), "b": asarray([1.0], "float32")})


def test_others_under_the_same_names(net):
    grads = net.params.like(asarray(np.arange(23), "float32"))
    assert grads.shapes == net.params.shapes
    np.testing.assert_array_equal(to_numpy(grads["b1"]), [12, 13, 14])


# ------------------------------------------------------------------------------------------- parts and copies


def test_a_part_shares_the_memory_under_names_of_its_own(net):
    part = net.params.part({"W": "W2", "b": "b2"})
    assert [*part] == ["W", "b"] and part.shapes == {"W": (3, 2), "b": (2,)}
    part["b"] -= 1.0
    part.flat[:1] = asarray([9.0], "float32")
    np.testing.assert_array_equal(to_numpy(net.params["b2"]), [-1, -1])
    assert float(net.params["W2"][0, 0]) == 9.0
    np.testing.assert_array_equal(to_numpy(part.flat), to_numpy(net.params.flat)[15:])


def test_a_snapshot_has_a_buffer_of_its_own(net):
    snapshot = net.params.copy()
    assert type(snapshot) is Arrays and snapshot.shapes == net.params.shapes
    net.params["b1"] -= 1.0
    np.testing.assert_array_equal(to_numpy(snapshot["b1"]), [0, 0, 0])
    snapshot["b2"] -= 1.0
    np.testing.assert_array_equal(to_numpy(net.params["b2"]), [0, 0])
    net.params.update(snapshot)
    np.testing.assert_array_equal(to_numpy(net.params.flat), to_numpy(snapshot.flat))


def pickled(obj):
    return pickle.loads(pickle.dumps(obj))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
def test_copies_keep_the_sharing_among_themselves(net, duplicate):
    twin = duplicate(net.params)
    twin["b1"] -= 1.0
    np.testing.assert_array_equal(to_numpy(twin.flat)[12:15], [-1, -1, -1])
    np.testing.assert_array_equal(to_numpy(net.params["b1"]), [0, 0, 0])


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
def test_so_do_a_part_and_its_whole(net, duplicate):
    whole, part = duplicate((net.params, net.params.part({"b": "b1"})))
    part["b"] -= 1.0
    np.testing.assert_array_equal(to_numpy(whole.flat)[12:15], [-1, -1, -1])
    np.testing.assert_array_equal(to_numpy(net.params["b1"]), [0, 0, 0])


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
def test_and_a_network_and_its_layers(net, duplicate):
    twin = duplicate(net)
    twin.layers["Affine1"].params["b"] -= 1.0
    np.testing.assert_array_equal(to_numpy(twin.params.flat)[12:15], [-1, -1, -1])
    np.testing.assert_array_equal(to_numpy(net.params["b1"]), [0, 0, 0])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_pickle_copies_a_network(protocol):
    net = TwoLayerNet(4, 3, 2, rng=0)
    twin = pickle.loads(pickle.dumps(net, protocol))
    assert twin.params == net.params
    twin.params["b1"] -= 1.0
    assert twin.params != net.params
    np.testing.assert_array_equal(twin.layers["Affine1"].params["b"], [-1, -1, -1])


def test_a_shallow_copy_shares_the_buffer(net):
    copy.copy(net.params)["b1"] -= 1.0
    np.testing.assert_array_equal(to_numpy(net.params["b1"]), [-1, -1, -1])


def test_arrays_can_be_swapped_in_one_update(backend):
    arrays = Arrays.gather({"a": asarray([1.0, 2.0]), "b": asarray([3.0, 4.0])})
    arrays.update({"a": arrays["b"], "b": arrays["a"]})
    np.testing.assert_array_equal(to_numpy(arrays.flat), [3, 4, 1, 2])
