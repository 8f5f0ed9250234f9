"""The scalar layers: the apple programs, arrays, broadcasting, cells that run twice."""

import math

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import AddLayer, MulLayer
from backprop.layers import Sigmoid
from backprop.scalar import DivLayer, ExpLayer, LogLayer, ReciprocalLayer, SigmoidLayer, SumLayer

EVERY = [AddLayer, DivLayer, ExpLayer, LogLayer, MulLayer, ReciprocalLayer, SigmoidLayer, SumLayer]


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


@pytest.mark.parametrize("layer", [cls() for cls in EVERY], ids=lambda layer: type(layer).__name__)
def test_backward_before_forward(layer):
    with pytest.raises(RuntimeError, match=r"Layer.backward: call forward first"):
        layer.backward(1.0)


def test_arrays(backend):
    layer = MulLayer()
    x, y, dout = asarray([1.0, 2.0]), asarray([3.0, 4.0]), asarray([1.0, 10.0])
    np.testing.assert_array_equal(to_numpy(layer.forward(x, y)), [3, 8])
    dx, dy = layer.backward(dout)
    np.testing.assert_array_equal(to_numpy(dx), [3, 40])
    np.testing.assert_array_equal(to_numpy(dy), [1, 20])


def test_an_array_in_a_file_is_an_array(tmp_path):
    layer, x = MulLayer(), np.memmap(tmp_path / "x", "float32", "w+", shape=(2,))
    x[:] = 1.0, 2.0
    np.testing.assert_array_equal(layer.forward(x, 3.0), [3.0, 6.0])
    dx, dy = layer.backward(np.array([1.0, 10.0], "float32"))
    assert dx.tolist() == [3.0, 30.0] and dy == 21.0


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


def test_the_further_layers():
    x, y = 3.0, 4.0
    assert SumLayer().forward(1, 2, 4) == 7
    divide = DivLayer()
    assert divide.forward(x, y) == 0.75 and divide.backward(2.0) == (0.5, -0.375)
    reciprocal, exp, log = ReciprocalLayer(), ExpLayer(), LogLayer()
    assert reciprocal.forward(y) == 0.25 and reciprocal.backward(2.0) == -0.125
    assert log.forward(exp.forward(x)) == pytest.approx(x) and exp.backward(
        log.backward(2.0)
    ) == pytest.approx(2)


def test_a_sum_of_one_and_of_none():
    layer = SumLayer()
    assert layer.forward(3.0) == 3.0 and layer.backward(2.0) == (2.0,)
    with pytest.raises(TypeError):
        layer.forward()


@pytest.mark.parametrize("x", [-700.0, -3.0, 0.0, 0.5, 30.0])
def test_the_sigmoid_is_that_of_the_array_layer(x):
    ours, theirs = SigmoidLayer(), Sigmoid()
    assert ours.forward(x) == pytest.approx(float(theirs.forward(asarray(x, "float64"))), rel=1e-12)
    assert ours.backward(2.0) == pytest.approx(float(theirs.backward(asarray(2.0, "float64"))), rel=1e-12)


@pytest.mark.parametrize(
    ("layer", "operands", "error", "words"),
    [
        (DivLayer, (5, 0), ZeroDivisionError, "DivLayer.forward: y must not be 0, got 5 / 0"),
        (
            ReciprocalLayer,
            (0.0,),
            ZeroDivisionError,
            "ReciprocalLayer.forward: x must not be 0, got 1.0 / 0.0",
        ),
        (LogLayer, (0,), ValueError, "LogLayer.forward: x must be above 0, got 0"),
        (LogLayer, (-1.5,), ValueError, "LogLayer.forward: x must be above 0, got -1.5"),
        (
            ExpLayer,
            (710.0,),
            OverflowError,
            "ExpLayer.forward: x must be below 709.78, .* got 710.0; softmax",
        ),
    ],
)
def test_a_number_without_a_result_is_told_of(layer, operands, error, words):
    with pytest.raises(error, match=f"^{words}"):
        layer().forward(*operands)


@pytest.mark.parametrize(
    ("x", "out", "derivative"),
    [
        (1000.0, 1.0, 0.0), (-1000.0, 0.0, 0.0), (-1e308, 0.0, 0.0), (math.inf, 1.0, 0.0),
        (-math.inf, 0.0, 0.0), (-710.0, math.exp(-710), math.exp(-710)), (40.0, 1.0, math.exp(-40)),
        (0, 0.5, 0.25), (np.float64(-1000.0), 0.0, 0.0), (np.float32(1000.0), 1.0, 0.0),
    ],
)  # fmt: skip
def test_the_sigmoid_of_any_number(x, out, derivative):
    layer = SigmoidLayer()
    assert layer.forward(x) == pytest.approx(out, rel=1e-15)
    assert layer.backward(2.0) == pytest.approx(2 * derivative, rel=1e-15)
    z = layer.forward(complex(x, 0.0)), layer.backward(2.0)
    assert z == pytest.approx((out, 2 * derivative), rel=1e-15)


@pytest.mark.parametrize("x", [-1000.0, -720.0, -3.0, 0.0, 3.0, 50.0, 1000.0])
def test_the_complex_step_goes_through_the_sigmoid(x):
    layer, step = SigmoidLayer(), 1e-30
    by_step = layer.forward(complex(x, step)).imag / step
    layer.forward(x)
    assert layer.backward(1.0) == pytest.approx(by_step, rel=1e-14, abs=1e-290)


def test_the_sigmoid_of_an_array_with_both_ends(backend):
    layer, x = SigmoidLayer(), asarray([-1000.0, -40.0, 0.0, 40.0, 1000.0], "float64")
    np.testing.assert_allclose(to_numpy(layer.forward(x)), [0, math.exp(-40), 0.5, 1, 1], rtol=1e-15)
    small = math.exp(-40)
    np.testing.assert_allclose(to_numpy(layer.backward(2.0)), [0, 2 * small, 0.5, 2 * small, 0], rtol=1e-15)
    out = layer.forward(asarray(np.array([-1000.0, 1000.0]) + 1j))
    assert np.isfinite(to_numpy(out)).all() and np.isfinite(to_numpy(layer.backward(1.0))).all()


def test_numbers_of_numpy_are_numbers_at_the_ends_too():
    with pytest.raises(ZeroDivisionError, match="^DivLayer.forward: y must not be 0"):
        DivLayer().forward(np.float64(1.0), np.float64(0.0))
    with pytest.raises(OverflowError, match="^ExpLayer.forward: x must be below 709.78"):
        ExpLayer().forward(np.float64(1000.0))
    with pytest.raises(ValueError, match="^LogLayer.forward: x must be above 0"):
        LogLayer().forward(np.float32(0.0))


@pytest.mark.parametrize("layer", [cls() for cls in EVERY], ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("operand", [[1, 2, 3], "a", None, {}, (1.0,), b"1", object(), np.ma.array([1.0])])
def test_what_is_no_number_and_no_array_is_refused(layer, operand):
    operands = [1.0] * (2 if isinstance(layer, AddLayer | MulLayer | DivLayer) else 1)
    layer.forward(*operands)
    before = layer.backward(2.0)
    for i in range(len(operands)):
        where = f"^{type(layer).__name__}.forward: [xy] must be a number or an array, got "
        with pytest.raises(TypeError, match=where):
            layer.forward(*[operand if k == i else 1.0 for k in range(len(operands))])
    with pytest.raises(
        TypeError, match=f"^{type(layer).__name__}.backward: dout must be a number or an array"
    ):
        layer.backward(operand)
    assert layer.backward(2.0) == before, "the last forward is still there"


def test_arrays_that_hold_no_numbers_or_do_not_fit(backend):
    x = asarray(np.ones((2, 4)))
    with pytest.raises(
        TypeError, match=r"^AddLayer.forward: x must hold numbers, got an array of .*bool; cast"
    ):
        AddLayer().forward(x > 0, x)
    with pytest.raises(
        ValueError, match=r"^MulLayer.forward: x, y must have shapes .* got \(2, 4\) and \(3,\)$"
    ):
        MulLayer().forward(x, asarray(np.ones(3)))


@pytest.mark.parametrize("layer", [ExpLayer(), LogLayer(), ReciprocalLayer(), SigmoidLayer()])
def test_layers_of_one_operand_take_arrays(backend, layer):
    x = np.array([[0.5, 1.0], [2.0, 3.0]])
    out, dx = layer.forward(asarray(x)), layer.backward(asarray(np.full((2, 2), 2.0)))
    for index in np.ndindex(2, 2):
        assert to_numpy(out)[index] == pytest.approx(layer.forward(float(x[index])))
        assert to_numpy(dx)[index] == pytest.approx(layer.backward(2.0))


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int64])
@pytest.mark.parametrize("cls", EVERY)
def test_integers_of_an_array_or_of_numpy_are_computed_as_numbers(backend, cls, kind):
    operands = [100] * (2 if cls in (AddLayer, DivLayer, MulLayer, SumLayer) else 1)

    def passes(made):
        layer = cls()
        out, gradients = layer.forward(*map(made, operands)), layer.backward(made(2))
        return [out, *(gradients if isinstance(gradients, tuple) else [gradients])]

    expected = passes(int)
    assert passes(kind) == expected
    by_array = [to_numpy(each) for each in passes(lambda number: asarray(np.array([number], kind)))]
    assert [each.dtype for each in by_array] == ["float64"] * len(expected)
    np.testing.assert_allclose(np.ravel(by_array), expected, rtol=1e-15)
