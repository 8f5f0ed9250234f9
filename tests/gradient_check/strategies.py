"""Right layers of random shapes at random legal inputs, however extreme, drawn by Hypothesis.

Hypothesis draws shapes, seeds and which kinds of values are mixed; NumPy fills the arrays, which is fast.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import right_layers
import single_layers
import spellings
from hypothesis import strategies as st

import backprop
from backprop.layers import Affine, ReLU, Sigmoid, SoftmaxCrossEntropy


@dataclass
class Case:
    """A right layer, loss or network with legal inputs."""

    obj: Any
    inputs: tuple[Any, ...]
    names: tuple[str, ...] = ()  # of all arrays that must be compared, where it is not certain that they are

    def __repr__(self):
        return f"{type(self.obj).__name__}, {vars(self.obj)!r}, inputs {self.inputs!r}"


# -------------------------------------------------------------------------------------------------- values


def magnitudes(low, high):
    """Both signs, sizes from 10**low to 10**high."""
    return lambda rng, shape: rng.choice([-1.0, 1.0], shape) * 10.0 ** rng.uniform(low, high, shape)


def values_up_to(largest):
    """The kinds of values that an array may mix."""
    return {
        "ordinary": lambda rng, shape: rng.normal(size=shape),
        "zeros of both signs": lambda rng, shape: rng.choice([0.0, -0.0], shape),
        "repeated": lambda rng, shape: rng.choice([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0], shape),
        "beside 0": magnitudes(-9.0, -6.0),
        "tiny": magnitudes(-300.0, -8.0),
        "large": magnitudes(0.0, np.log10(largest)),
        "largest": lambda rng, shape: rng.choice([-largest, largest], shape),
    }


SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(1, 5)


@st.composite
def arrays(draw, shape, largest=1e3):
    """A mixture of one to three kinds of values; some with rows of zeros, or a row and its negative."""
    kinds = values_up_to(largest)
    mixed = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(SEEDS))
    array = np.choose(rng.integers(len(mixed), size=shape), [kinds[kind](rng, shape) for kind in mixed])
    rows = draw(st.sampled_from(["as they are", "as they are", "one of zeros", "one cancels another"]))
    if rows == "one of zeros" and shape:
        array[0] = 0.0
    if rows == "one cancels another" and shape:
        array[-1] = -array[0]
    return array


@st.composite
def shapes(draw, ndim=None):
    return tuple(draw(SIZES) for _ in range(ndim or draw(st.integers(1, 3))))


@st.composite
def ordinary(draw, shape, smallest=0.1, largest=1e3):
    """Distinct values, at least 0.1 times their scale apart, so that no standard deviation vanishes."""
    rng, scale = (
        np.random.default_rng(draw(SEEDS)),
        10.0 ** draw(st.floats(np.log10(smallest), np.log10(largest))),
    )
    size = int(np.prod(shape))
    steps = (rng.permutation(size) + rng.uniform(-0.4, 0.4, size)).reshape(shape) / size
    return scale * (steps - draw(st.sampled_from([0.0, 0.5, 1.0])))


@st.composite
def labels(draw, samples, classes, one_hot=True):
    """Random labels, or all of one class; some one-hot."""
    rng = np.random.default_rng(draw(SEEDS))
    chosen = rng.integers(draw(st.sampled_from([1, classes])), size=samples)
    return np.eye(classes)[chosen] if one_hot and draw(st.booleans()) else chosen


# -------------------------------------------------------------------------------------------------- layers


@st.composite
def affine(draw):
    n, m = draw(SIZES), draw(SIZES)
    inner = draw(st.one_of(shapes(1), shapes(2)))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    W = draw(arrays((int(np.prod(inner)), m), 1e6)).astype(dtype)
    layer = Affine(W, draw(arrays((m,), 1e6)).astype(dtype))
    return Case(layer, (draw(arrays((n, *inner), 1e6)),))


@st.composite
def elementwise(draw):
    layer = draw(st.sampled_from([ReLU, Sigmoid]))()
    return Case(layer, (draw(arrays(draw(st.one_of(st.just(()), shapes())))),))


@st.composite
def scalar_layers(draw):
    """Operands that broadcast, either of which may be the smaller one, or a number."""
    shape = draw(shapes())
    broadcast = [shape, shape[draw(st.integers(0, len(shape))) :]]
    broadcast[1] = tuple(1 if draw(st.booleans()) else size for size in broadcast[1])
    operands = [draw(arrays(s)) for s in draw(st.permutations(broadcast))]
    return Case(draw(st.sampled_from([backprop.MulLayer, backprop.AddLayer]))(), tuple(operands))


@st.composite
def softmax_losses(draw):
    n, c = draw(SIZES), draw(SIZES)
    own = draw(st.booleans())
    t = draw(labels(n, c, one_hot=not own))
    layer = right_layers.SoftmaxLoss() if own else SoftmaxCrossEntropy()
    return Case(layer, (draw(arrays((n, c))), t))


@st.composite
def networks(draw):
    """TwoLayerNet: dead hidden units, saturated logits, and a b2 that was trained to its optimum."""
    n, inputs, hidden, classes = draw(SIZES), draw(SIZES), draw(SIZES), draw(SIZES)
    net = backprop.TwoLayerNet(
        inputs,
        hidden,
        classes,
        weight_init_std=10.0 ** draw(st.floats(-3.0, 0.5)),
        dtype=draw(st.sampled_from(["float32", "float64"])),
        rng=draw(SEEDS),
    )
    x, t = draw(arrays((n, inputs))), draw(labels(n, classes))
    for bias in ("b1", "b2"):
        if draw(st.booleans()):
            net.params[bias] = draw(arrays(net.params[bias].shape))
    if draw(st.booleans()):
        net.params["b1"] = np.where(draw(arrays((hidden,))) < 0, -1e6, net.params["b1"])
    if draw(st.booleans()):
        train_last_bias(net, x, t)
    return Case(net, (x, t))


def train_last_bias(net, x, t):
    """Make each class as likely on average as it is frequent, so that the gradient of b2 cancels."""
    chosen = t if t.ndim == 1 else t.argmax(axis=1)
    present = np.unique(chosen)
    frequent = np.bincount(chosen, minlength=net.output_size)[present] / len(chosen)
    for _ in range(20):
        logits = net.predict(x).astype("float64")
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        likely = (e / e.sum(axis=1, keepdims=True)).mean(axis=0)[present]
        by = np.log(frequent) - np.log(likely + 1e-30)
        net.params["b2"][present] += by.astype(net.dtype)
    net.params["b2"][np.setdiff1d(np.arange(net.output_size), present)] = -1e3


# ---------------------------------------------------------------------- layers as a user of NumPy writes them


@st.composite
def own_linear(draw):
    n, d, m = draw(SIZES), draw(SIZES), draw(SIZES)
    layer = draw(st.sampled_from([right_layers.Linear(d, m), right_layers.Scale(d), right_layers.Gain()]))
    for param in layer.params.values():
        param[...] = draw(arrays(param.shape, 1e6))
    return Case(layer, (draw(arrays((n, d), 1e6)),))


@st.composite
def own_linear_of_three(draw):
    layer = draw(st.sampled_from([right_layers.Reusing, right_layers.TwoNames, right_layers.Shift]))()
    return Case(layer, (draw(arrays((draw(SIZES), 3), 1e6)),))


@st.composite
def own_elementwise(draw):
    # 1 / (1 + exp(-x)) as written there overflows from 709 on
    largest = {right_layers.Logistic: 6e2}
    classes = [
        right_layers.Rectifier,
        right_layers.Logistic,
        right_layers.Tanh,
        right_layers.Magnitude,
        right_layers.RealSquare,
        right_layers.OnlyFloats,
        right_layers.FrozenDropout,
    ]
    layer = draw(st.sampled_from(classes))()
    return Case(layer, (draw(arrays(draw(shapes()), largest.get(type(layer), 1e3))),))


@st.composite
def own_rowwise(draw):
    layer = draw(st.sampled_from([right_layers.Softmax, right_layers.MaxPool]))()
    return Case(layer, (draw(arrays(draw(shapes(2)))),))


@st.composite
def own_norms(draw):
    """At least two distinct values for each mean: without a spread there is no derivative."""
    if draw(st.booleans()):
        shape = draw(SIZES), draw(st.integers(2, 5))
        return Case(right_layers.LayerNorm(), (draw(ordinary(shape)),))
    return Case(right_layers.BatchNorm(), (draw(ordinary((draw(st.integers(2, 5)), 3))),))


@st.composite
def squared_errors(draw):
    shape = draw(shapes(2))
    return Case(right_layers.SquaredError(), (draw(arrays(shape)), draw(arrays(shape))))


@st.composite
def own_networks(draw):
    n, net = draw(SIZES), right_layers.Classifier()
    net.params["W"][...] = draw(arrays((3, 4)))
    net.params["b"][...] = draw(arrays((4,)))
    return Case(net, (draw(arrays((n, 3))), draw(labels(n, 4, one_hot=False))))


@st.composite
def named(draw):
    """A layer under usual names: all of its arrays are compared."""
    n, d, m = draw(SIZES), draw(SIZES), draw(SIZES)
    of = {name: draw(st.sampled_from(getattr(spellings, name.upper()))) for name in ("passes", "containers")}
    names, holder = draw(st.sampled_from(spellings.PARAMETERS)), draw(st.sampled_from(spellings.HOLDERS))
    gradient = draw(st.sampled_from(spellings.GRADIENTS))
    spelling = spellings.Spelling(names=names, gradient=gradient, holder=holder, **of)
    layer = spellings.dense(spelling, draw(arrays((d, m))), draw(arrays((m,))))
    return Case(layer, (draw(arrays((n, d))),), (*spelling.rows(), "x"))


LAYERS = st.one_of(
    named(),
    affine(),
    elementwise(),
    scalar_layers(),
    softmax_losses(),
    own_linear(),
    own_linear_of_three(),
    own_elementwise(),
    own_rowwise(),
    own_norms(),
    squared_errors(),
    own_networks(),
)


# ------------------------------------------------------------------------- single precision, and wrong layers


@st.composite
def single(draw, factor=1.0):
    """Layers that compute in float32 inside, their gradient of x off by a factor."""
    kinds = ["SingleTanh", "SingleTimes", "SingleRectifier", "SingleLoss", "SingleRNN"]
    kind = draw(st.sampled_from(kinds))
    shape = (draw(SIZES), draw(SIZES), 3) if kind == "SingleRNN" else (draw(SIZES), draw(SIZES))
    rng = np.random.default_rng(draw(SEEDS))
    x = draw(st.sampled_from([0.1, 1.0, 3.0])) * rng.normal(size=shape)
    inputs = (x, rng.integers(shape[1], size=shape[0])) if kind == "SingleLoss" else (x,)
    return Case(getattr(single_layers, kind)(factor), inputs)


SHARES = {
    "the first": lambda at: at * (at.cumsum(axis=1) == 1),
    "the last": lambda at: at * (at[:, ::-1].cumsum(axis=1)[:, ::-1] == 1),
    "alike": lambda at: at / at.sum(axis=1, keepdims=True),
    "as they come": lambda at: (
        at * np.arange(1, at.shape[1] + 1) / (at @ np.arange(1, at.shape[1] + 1))[:, None]
    ),
    "all": lambda at: 1.0 * at,
}


class Maximum(right_layers.Own):
    """The maximum of each row, whose gradient tied entries share in some way."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, x):
        self.at = x == x.max(axis=1, keepdims=True)
        return x.max(axis=1)

    def backward(self, dout):
        return dout[:, None] * SHARES[self.share](self.at)


@st.composite
def maxima(draw):
    """Rows of which some hold their maximum more than once."""
    rng = np.random.default_rng(draw(SEEDS))
    shape = draw(shapes(2))
    x = np.where(rng.random(shape) < draw(st.sampled_from([0.0, 0.5, 1.0])), 1.0, rng.normal(size=shape))
    return Case(Maximum(draw(st.sampled_from(sorted(SHARES)))), (x,))
