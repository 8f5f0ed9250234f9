"""Affine: values, samples of any shape, what it refuses."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.layers import Affine


def test_values(backend):
    layer = Affine(asarray([[1.0, 0.0], [0.0, 2.0]]), asarray([10.0, 20.0]))
    np.testing.assert_array_equal(
        to_numpy(layer.forward(asarray([[1.0, 1.0], [2.0, 3.0]]))), [[11, 22], [12, 26]]
    )
    np.testing.assert_array_equal(
        to_numpy(layer.backward(asarray([[1.0, 0.0], [0.0, 1.0]]))), [[1, 0], [0, 2]]
    )
    np.testing.assert_array_equal(to_numpy(layer.grads["W"]), [[1, 2], [1, 3]])
    np.testing.assert_array_equal(to_numpy(layer.grads["b"]), [1, 1])


def test_samples_of_any_shape_are_flattened_and_dx_has_their_shape(backend):
    layer = Affine.create(12, 3, rng=0, dtype="float64")
    flat = np.random.default_rng(0).normal(size=(5, 12))
    images = flat.reshape(5, 1, 3, 4)
    dout = asarray(np.ones((5, 3)))
    out = to_numpy(layer.forward(asarray(flat)))
    dx = to_numpy(layer.backward(dout))
    np.testing.assert_array_equal(to_numpy(layer.forward(asarray(images))), out)
    np.testing.assert_array_equal(to_numpy(layer.backward(dout)), dx.reshape(images.shape))


def test_it_uses_the_arrays_that_it_is_given(backend):
    W, b = asarray(np.ones((2, 2))), asarray(np.zeros(2))
    layer = Affine(W, b)
    W -= 0.5
    np.testing.assert_array_equal(to_numpy(layer.forward(asarray([[1.0, 1.0]]))), [[1.0, 1.0]])


def test_an_empty_batch(backend):
    layer = Affine.create(4, 3, rng=0)
    assert layer.forward(asarray(np.ones((0, 4)), "float32")).shape == (0, 3)
    assert layer.backward(asarray(np.ones((0, 3)), "float32")).shape == (0, 4)
    np.testing.assert_array_equal(to_numpy(layer.grads["b"]), np.zeros(3))


@pytest.mark.parametrize("shape", [(5, 13), (5, 2, 5), (12,), ()])
def test_wrong_samples_are_refused(backend, shape):
    layer = Affine.create(12, 3)
    with pytest.raises(
        ValueError, match=r"Affine.forward: x must have shape \(N, …\) with 12 values per sample, got"
    ):
        layer.forward(asarray(np.ones(shape), "float32"))


def test_wrong_parameters_are_refused(backend):
    with pytest.raises(ValueError, match=r"W must have shape \(D, M\) and b \(M,\), got \(2, 3\) and \(2,\)"):
        Affine(asarray(np.ones((2, 3))), asarray(np.ones(2)))
    with pytest.raises(TypeError, match="W and b must have one dtype, got .*float64 and .*float32"):
        Affine(asarray(np.ones((2, 3))), asarray(np.ones(3), "float32"))
    with pytest.raises(TypeError, match="Affine: W must hold floating-point numbers, got .*int64"):
        Affine(asarray([[1, 2]]), asarray([3, 4]))
    with pytest.raises(ValueError, match="n_in must be at least 1, got 0"):
        Affine.create(0, 3)
    with pytest.raises(TypeError, match=r"W and b must be arrays, .* Affine.create\(4, 3\), or Affine\(3\)"):
        Affine(4, 3)
    with pytest.raises(ValueError, match="weight_init_std must be a finite number of at least 0, got -1"):
        Affine(4, weight_init_std=-1)


def test_the_unbuilt_form_has_its_arrays_made_by_a_network_or_by_hand(backend):
    assert repr(Affine(np.int64(3))) == "Affine(3)"
    layer = Affine(3, weight_init_std=1.0)
    assert repr(layer) == "Affine(3)" and dict(layer.params) == {}
    with pytest.raises(
        RuntimeError, match=r"Affine.forward: Affine\(3\) has no arrays yet: add it to a network"
    ):
        layer.forward(asarray(np.ones((1, 2))))
    layer.build((2,), rng=0, dtype="float64")
    assert repr(layer) == "Affine(2, 3)"
    expected = Affine.create(2, 3, weight_init_std=1.0, rng=0, dtype="float64").params
    np.testing.assert_array_equal(to_numpy(layer.params["W"]), to_numpy(expected["W"]))
    layer.build((7,), rng=1)  # it has its arrays
    assert layer.params["W"].shape == (2, 3)


def test_a_complex_dout_gets_the_formula(backend):
    """The formula understands what the twin of a single layer saves."""
    layer = Affine.create(2, 3, rng=0, dtype="float64")
    x, dout = asarray([[1.0, 2.0]]), asarray([[1.0, 2.0, 3.0]])
    layer.forward(x)
    dx = to_numpy(layer.backward(dout))
    layer.forward(x)
    np.testing.assert_allclose(to_numpy(layer.backward(dout * 2j)), 2j * dx, rtol=1e-15)


def test_mixed_real_dtypes_are_refused_and_complex_is_promoted(backend):
    layer = Affine.create(2, 3, dtype="float32", rng=0)
    with pytest.raises(
        TypeError, match=r"Affine.forward: x and W must have one dtype, got .*float64 and .*float32"
    ):
        layer.forward(asarray(np.ones((1, 2))))
    assert "complex" in str(layer.forward(asarray(np.ones((1, 2)) + 1j)).dtype)


def test_what_is_no_array_is_refused_by_name(backend):
    with pytest.raises(
        TypeError,
        match=r"Affine.forward: x must be an array of a known .* got list; convert it with backprop.asarray",
    ):
        Affine.create(2, 3).forward([[1.0, 2.0]])
