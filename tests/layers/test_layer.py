"""A user's own layer: three lines of formulas are enough, and what its author may get wrong is reported."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import check_gradients
from backprop.layers import Affine, Layer, ReLU
from backprop.losses import Loss

X = np.random.default_rng(0).normal(size=(4, 3))


class Scale(Layer):
    def compute(self, xp, x, w):
        return x * w, (x, w)

    def derive(self, xp, dout, x, w):
        return dout * w, xp.sum(dout * x, axis=0)


class Counter(Layer):
    """Its output depends on a state that every pass moves."""

    def compute(self, xp, x, passes):
        return x * passes, (passes,), (passes + 1.0,)

    def derive(self, xp, dout, passes):
        return dout * passes

    def evaluate(self, xp, x, passes):
        return -x


def ones():
    return asarray(np.ones(3))


def test_three_lines_make_a_layer(backend):
    check_gradients(Scale(w=ones()), asarray(X), mode="full").assert_ok()


def test_state_moves_with_each_forward_in_training_and_with_no_other(backend):
    layer = Counter(state={"passes": asarray([1.0])})
    x = asarray(X)
    for passes in (1.0, 2.0):
        np.testing.assert_array_equal(to_numpy(layer.forward(x)), passes * X)
        np.testing.assert_array_equal(to_numpy(layer.forward(x, training=False)), -X)
    assert float(layer.state["passes"][0]) == 3.0


def test_the_check_starts_every_evaluation_from_the_same_state(backend):
    layer = Counter(state={"passes": asarray([3.0])})
    check_gradients(layer, asarray(X), mode="full").assert_ok()
    assert float(layer.state["passes"][0]) == 3.0


def test_a_layer_with_state_and_no_evaluation_of_its_own(backend):
    class Training(Counter):
        evaluate = None

    layer = Training(state={"passes": asarray([2.0])})
    np.testing.assert_array_equal(to_numpy(layer.forward(asarray(X), training=False)), 2.0 * X)
    assert float(layer.state["passes"][0]) == 2.0


def test_a_subclass_with_a_formula_of_its_own_never_gets_a_twin(backend):
    class Leaky(ReLU):
        def compute(self, xp, x):
            out = xp.where(xp.real(x) <= 0, 0.1 * x, x)
            return out, (out,)

        def derive(self, xp, dout, out):
            return xp.where(xp.real(out) > 0, dout, 0.1 * dout)

    np.testing.assert_allclose(to_numpy(Leaky().forward(asarray(X))), np.where(X > 0, X, 0.1 * X))
    check_gradients(Leaky(), asarray(X)).assert_ok()

    class Halved(Affine):  # one of the two is enough
        def derive(self, xp, dout, x, W):
            return tuple(0.5 * gradient for gradient in super().derive(xp, dout, x, W))

    layer = Halved(asarray(np.ones((3, 2))), asarray(np.zeros(2)))
    layer.forward(asarray(X))
    np.testing.assert_array_equal(to_numpy(layer.backward(asarray(np.ones((4, 2))))), np.ones((4, 3)))


WRONG = {
    "no saved": (
        lambda self, xp, x, w: x * w,
        None,
        TypeError,
        "Wrong.compute must return out, saved; all but",
    ),
    "saved is no tuple": (
        lambda self, xp, x, w: (x * w, x),
        None,
        TypeError,
        "saved must be a tuple, got .*; a tuple of one needs a comma",
    ),
    "out is no array": (
        lambda self, xp, x, w: (3.0, ()),
        None,
        TypeError,
        "Wrong.compute must return an array of .*, got float",
    ),
    "other order": (
        lambda self, xp, w, x: (x, ()),
        None,
        TypeError,
        r"in their order: \(…, w\), got \(…, x\)",
    ),
    "no gradients": (
        None,
        lambda self, xp, dout, x, w: dout,
        TypeError,
        "Wrong.derive must return a tuple: dx and",
    ),
    "one missing": (
        None,
        lambda self, xp, dout, x, w: (dout,),
        RuntimeError,
        "Wrong.derive left no gradient for w",
    ),
    "None": (
        None,
        lambda self, xp, dout, x, w: (dout, None),
        RuntimeError,
        "Wrong.derive left no gradient for w",
    ),
    "another shape": (
        None,
        lambda self, xp, dout, x, w: (dout, dout),
        ValueError,
        r"of w must have its shape, \(3,\)",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_an_author_may_get_wrong(backend, wrong):
    compute, derive, error, words = WRONG[wrong]
    names = {"compute": compute or Scale.compute, "derive": derive or Scale.derive}
    layer = type("Wrong", (Layer,), names)(w=ones())
    with pytest.raises(error, match=words):
        layer.forward(asarray(X))
        layer.backward(asarray(X))


def test_a_loss_of_three_lines(backend):
    class Absolute(Loss):
        def compute(self, xp, y, t):
            return xp.sum(xp.where(xp.real(y - t) > 0, y - t, t - y), axis=1), (y - t,)

        def derive(self, xp, dout, difference):
            return dout * xp.where(xp.real(difference) > 0, xp.ones_like(difference), -1.0)

    check_gradients(Absolute(), asarray(X), asarray(X + 1.0), mode="full").assert_ok()
    with pytest.raises(
        ValueError, match=r"Absolute.forward: targets must have the shape of the outputs, \(4, 3\)"
    ):
        Absolute().forward(asarray(X), asarray(X[:2]))


def test_what_is_overwritten_between_the_passes_is_what_the_gradient_is_of(backend):
    """As the docstring of forward says: nothing is copied."""
    layer, x = Scale(w=ones()), asarray(X.copy())
    layer.forward(x)
    x[...] = asarray(2.0 * X)
    layer.backward(asarray(np.ones((4, 3))))
    np.testing.assert_allclose(to_numpy(layer.grads["w"]), 2.0 * X.sum(axis=0))
    assert "overwritten" in Layer.forward.__doc__


def test_a_setting_behind_the_arrays(backend):
    class Shifted(Scale):
        def compute(self, xp, x, w, shift=1.0):
            return x * w + shift, (x, w)

    layer, x = Shifted(w=asarray(np.ones(3))), asarray(np.ones((2, 3)))
    assert (to_numpy(layer.forward(x)) == 2.0).all() and check_gradients(layer, x).ok
