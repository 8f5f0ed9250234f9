"""The scalar layers: the apples, arrays, broadcasting, running twice."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import AddLayer, MulLayer


def test_two_apples():
    apples, tax = MulLayer(), MulLayer()
    price = tax.forward(apples.forward(100, 2), 1.1)
    dprice, dtax = tax.backward(1)
    dapple, dapple_num = apples.backward(dprice)
    assert (price, dapple, dapple_num, dtax) == pytest.approx((220, 2.2, 110, 200))


def test_apples_and_oranges():
    apples, oranges, fruit, tax = MulLayer(), MulLayer(), AddLayer(), MulLayer()
    price = tax.forward(fruit.forward(apples.forward(100, 2), oranges.forward(150, 3)), 1.1)
    dfruit, dtax = tax.backward(1)
    dapples, doranges = fruit.backward(dfruit)
    gradients = (*apples.backward(dapples), *oranges.backward(doranges), dtax)
    assert (price, *gradients) == pytest.approx((715, 2.2, 110, 3.3, 165, 650))


def test_a_cell_may_run_twice():
    layer = MulLayer()
    layer.forward(3.0, 4.0)
    assert layer.backward(1.0) == layer.backward(1.0) == (4.0, 3.0)


@pytest.mark.parametrize("layer", [MulLayer(), AddLayer()])
def test_backward_before_forward(layer):
    with pytest.raises(RuntimeError, match=f"{type(layer).__name__}.backward needs a forward before it"):
        layer.backward(1.0)


def test_arrays(backend):
    layer = MulLayer()
    x, y, dout = asarray([1.0, 2.0]), asarray([3.0, 4.0]), asarray([1.0, 10.0])
    np.testing.assert_array_equal(to_numpy(layer.forward(x, y)), [3, 8])
    dx, dy = layer.backward(dout)
    np.testing.assert_array_equal(to_numpy(dx), [3, 40])
    np.testing.assert_array_equal(to_numpy(dy), [1, 20])


@pytest.mark.parametrize("layer", [MulLayer(), AddLayer()])
@pytest.mark.parametrize("shape", [(), (3,), (2, 1), (1, 1), (1, 2, 3)])
def test_a_gradient_has_the_shape_of_its_operand_however_it_was_broadcast(backend, layer, shape):
    x, y = np.arange(1.0, 7.0).reshape(2, 3), np.full(shape, 2.0)
    out = layer.forward(asarray(x), asarray(y) if shape else 2.0)
    dx, dy = (to_numpy(d) for d in layer.backward(asarray(np.ones(out.shape))))
    assert dy.shape == shape
    assert dx.shape == x.shape
    assert dy.sum() == (x.sum() if isinstance(layer, MulLayer) else 6.0)


@pytest.mark.parametrize("layer", [MulLayer(), AddLayer()])
def test_one_number_as_dout_counts_for_every_output(backend, layer):
    x, y = np.arange(3.0).reshape(3, 1), np.arange(4.0).reshape(1, 4)
    out = layer.forward(asarray(x), asarray(y))
    by_number = layer.backward(2)
    by_array = layer.backward(asarray(np.full(out.shape, 2.0)))
    for a, b, operand in zip(by_number, by_array, (x, y), strict=True):
        assert a.shape == operand.shape
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b))


def test_a_dout_of_another_shape_is_refused(backend):
    layer = MulLayer()
    layer.forward(asarray([1.0, 2.0]), 3.0)
    with pytest.raises(ValueError, match=r"dout must have the shape of the output, \(2,\), got \(3,\)"):
        layer.backward(asarray([1.0, 2.0, 3.0]))


def test_a_forward_that_fails_leaves_the_last_one():
    layer = MulLayer()
    layer.forward(3.0, 4.0)
    with pytest.raises(TypeError):
        layer.forward(None, 1.0)
    assert layer.backward(1.0) == (4.0, 3.0)
