"""Calls that cannot work: each is refused in one clear line, and everything stays the same, bit for bit.

A row is a case: what it attacks, a call that is given freshly made objects, the exception, and how its
message begins. A test at the end sees to it that every parameter of every public function is attacked.
"""

import copy
import inspect
import re
from importlib import import_module
from pkgutil import iter_modules
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import pytest

import backprop
from backends import BackendUnavailable
from backends.testing import backend_or_skip
from backprop import (
    Adapter,
    AddLayer,
    MulLayer,
    Sequential,
    TwoLayerNet,
    asarray,
    check_function,
    check_gradients,
    get_backend,
    numerical_gradient,
    precision,
    set_backend,
    to_numpy,
    train,
    use_backend,
    warmup,
)
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from backprop.losses import Loss, MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.networks import DeepConvNet, MultiLayerNet, Network, SimpleConvNet, to_torch
from backprop.optimizers import (
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Cosine,
    Momentum,
    Nesterov,
    OneCycle,
    Optimizer,
    RMSProp,
    Schedule,
    StepDecay,
    WarmUp,
)
from backprop.training import learning_rate_range

NAN, INF, HUGE = float("nan"), float("inf"), 10**400
RNG = np.random.default_rng(0)
ENDLESS: list = []
ENDLESS.append(ENDLESS)
X, LABELS = RNG.random((3, 4)).astype("float32"), np.array([0, 1, 2])


class Silent:
    """An object whose repr raises."""

    def __repr__(self):
        raise ZeroDivisionError


class Frame:
    """A stand-in for a pandas.DataFrame, as NumPy sees it."""

    __module__ = "pandas"

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


class Things:
    """Objects for one call, all freshly made."""

    def __init__(self):
        self.x, self.t = X.copy(), LABELS.copy()
        self.net = TwoLayerNet(4, 5, 3, rng=0)
        self.used = Momentum(0.1)  # which has met the network
        self.used.update(self.net.params, self.net.gradient(X, LABELS))
        self.norm = Network([Affine(5), BatchNorm(), ReLU(), Affine(3)], SoftmaxCrossEntropy(), 4, rng=0)
        self.affine, self.relu = Affine.create(4, 3, rng=0), ReLU()
        self.batch_norm = BatchNorm(np.ones(4, "float32"), np.zeros(4, "float32"))
        self.layer_norm = LayerNorm(np.ones(4, "float32"), np.zeros(4, "float32"))
        self.conv = Conv2D(np.ones((2, 3, 2, 2), "float32"), np.zeros(2, "float32"))
        self.images = RNG.random((2, 3, 5, 4)).astype("float32")
        self.loss, self.scores = SoftmaxCrossEntropy(), X[:, :3].copy()
        self.params, self.grads = {"w": np.ones(3), "v": np.ones(2)}, {"w": np.ones(3), "v": np.ones(2)}
        self.read_only = X.astype("float64")
        self.read_only.flags.writeable = False
        self.rng = np.random.default_rng(7)

    def bits(self):
        """Return everything that a refused call might have changed."""
        return {name: bits(value) for name, value in vars(self).items()} | {"np.random": bits(np.random)}


def bits(value):
    """Return the content of an object, to the last bit."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {name: bits(each) for name, each in value.items()}
    if isinstance(value, Network):
        return bits(value.params.flat), bits(dict(value.state)), [*value.layers.values()], value.loss_layer
    if isinstance(value, Optimizer):
        return value.learning_rate, value.state and bits(value.state.flat)
    if isinstance(value, Layer):
        return bits(dict(value.params)), bits(dict(value.state)), bits(value.grads)
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    return np.random.get_state()[1].tobytes() if value is np.random else value


class Row(NamedTuple):
    """A call that is refused.

    attacks: "function(parameter)" or "Class.method(parameter)", which the message names first.
    words: how it goes on, a regex; with ^ how it begins.
    """

    attacks: str
    call: Any
    error: type[Exception]
    words: str


def strict(values):
    """An array of array_api_strict, another library than NumPy."""
    return asarray(values, backend=backend_or_skip("array_api_strict"))


def trained(o, **options):
    return train(o.net, o.x, o.t, **{"iterations": 2, "batch_size": 2, "rng": o.rng} | options)


def ranged(o, **options):
    return learning_rate_range(o.net, o.x, o.t, **{"iterations": 10, "rng": o.rng} | options)


def stepped(forward, backward):
    """A call of backward on a layer whose forward has run, or not."""

    def call(o):
        forward(o)
        return backward(o)

    return call


# ------------------------------------------------------------------------------- settings: the same for all

# fmt: off
PATHS = (3, True, b"net", ["net"], None, "", "a\0b", "\ud800", 3.0)
COUNTS = ("3", b"3", True, np.True_, 3.0, NAN, 3j, np.array([3]), np.array(3), [3], np.timedelta64(3, "s"), 0,
          -1, HUGE, np.int8(-3))
NUMBERS = ("0.1", b"1", True, np.True_, 1j, np.array([0.1]), np.array(0.1), [0.1], np.timedelta64(1, "s"),
           NAN, INF, -INF, HUGE, -1)
FLAGS = ("no", 1, 0, None, np.array([True]), [])
SEEDS = (-1, 1.5, "a", True, np.False_, np.random, [-1], NAN, ENDLESS, Silent())
DTYPES = ("float16", "longdouble", "int32", "complex64", "nonsense", 3, [], "x" * 1000, 1e-320,
          10**5000, X, RNG)
BACKENDS = ("cupi", 3, [], "x" * 1000, np, X, 10**5000)
METHODS = ("forward", 3, [], None, X, np.array(["central", "complex"]))
CONVOLUTIONS = (30, "filter_num", [30, 5, 0, 1], X, ENDLESS, Silent(), {}, {"filter_num": 30}, {3: 1},
                {"filter_num": 1, "filter_size": 1, "pad": 0, "stride": 1, HUGE: 1})
# fmt: on

OF_COUNTS = {
    "TwoLayerNet(input_size)": lambda o, v: TwoLayerNet(input_size=v),
    "TwoLayerNet(hidden_size)": lambda o, v: TwoLayerNet(hidden_size=v),
    "TwoLayerNet(output_size)": lambda o, v: TwoLayerNet(output_size=v),
    "Network(input_size)": lambda o, v: Network(
        [Affine(3)], o.loss, v if not isinstance(v, list) else (3, *v, "4")
    ),
    "Network(output_size)": lambda o, v: Network([Affine(3)], o.loss, 4, (v,)),
    "Sequential(input_shape)": lambda o, v: Sequential(
        [Affine(3)], v if not isinstance(v, list) else (3, *v, "4")
    ),
    "MultiLayerNet(input_size)": lambda o, v: MultiLayerNet(v, [5], 3),
    "MultiLayerNet(output_size)": lambda o, v: MultiLayerNet(4, [5], v),
    "SimpleConvNet(input_dim)": lambda o, v: SimpleConvNet(
        (1, v, 28) if not isinstance(v, list) else (v, v, v)
    ),
    "SimpleConvNet(hidden_size)": lambda o, v: SimpleConvNet(hidden_size=v),
    "SimpleConvNet(output_size)": lambda o, v: SimpleConvNet(output_size=v),
    "DeepConvNet(input_dim)": lambda o, v: DeepConvNet((v, 28, 28) if not isinstance(v, list) else (*v, "4")),
    "DeepConvNet(hidden_size)": lambda o, v: DeepConvNet(hidden_size=v),
    "DeepConvNet(output_size)": lambda o, v: DeepConvNet(output_size=v),
    "Affine.create(n_in)": lambda o, v: Affine.create(v, 3, rng=o.rng),
    "Affine.create(n_out)": lambda o, v: Affine.create(3, v, rng=o.rng),
    "Conv2D(stride)": lambda o, v: Conv2D(3, 2, stride=v),
    "MaxPool2D(size)": lambda o, v: MaxPool2D(v),
    "MaxPool2D(stride)": lambda o, v: MaxPool2D(2, v),
    "AveragePool2D(size)": lambda o, v: AveragePool2D(v),
    "AveragePool2D(stride)": lambda o, v: AveragePool2D(2, v),
    "train(iterations)": lambda o, v: trained(o, iterations=v),
    "train(epochs)": lambda o, v: trained(o, iterations=None, epochs=v),
    "train(batch_size)": lambda o, v: trained(o, batch_size=v),
    "train(patience)": lambda o, v: trained(o, patience=v, validation=0.5),
    "StepDecay(every)": lambda o, v: StepDecay(v),
    "WarmUp(steps)": lambda o, v: WarmUp(v),
    "learning_rate_range(iterations)": lambda o, v: ranged(o, iterations=v),
    "learning_rate_range(batch_size)": lambda o, v: ranged(o, batch_size=v),
}
OF_SIZES = {  # of which 0 is allowed
    "Conv2D(padding)": lambda o, v: Conv2D(3, 2, padding=v),
    "MaxPool2D(padding)": lambda o, v: MaxPool2D(2, padding=v),
    "AveragePool2D(padding)": lambda o, v: AveragePool2D(2, padding=v),
}
OF_NUMBERS = {
    "AdaGrad(eps)": lambda o, v: AdaGrad(eps=v),
    "Adam(eps)": lambda o, v: Adam(eps=v),
    "AdamW(eps)": lambda o, v: AdamW(eps=v),
    "RMSProp(eps)": lambda o, v: RMSProp(eps=v),
    "train(learning_rate)": lambda o, v: trained(o, learning_rate=v),
    "StepDecay(by)": lambda o, v: StepDecay(3, v),
    "Cosine(floor)": lambda o, v: Cosine(v),
    "OneCycle(rise)": lambda o, v: OneCycle(rise=v),
    "OneCycle(start)": lambda o, v: OneCycle(start=v),
    "OneCycle(end)": lambda o, v: OneCycle(end=v),
    "learning_rate_range(lowest)": lambda o, v: ranged(o, lowest=v),
    "learning_rate_range(highest)": lambda o, v: ranged(o, highest=v),
    "TwoLayerNet(weight_init_std)": lambda o, v: TwoLayerNet(weight_init_std=v),
    "MultiLayerNet(weight_init_std)": lambda o, v: MultiLayerNet(4, [5], 3, weight_init_std=v),
    "MultiLayerNet(weight_decay_lambda)": lambda o, v: MultiLayerNet(4, [5], 3, weight_decay_lambda=v),
    "MultiLayerNet(dropout_ratio)": lambda o, v: MultiLayerNet(4, [5], 3, dropout_ratio=v),
    "SimpleConvNet(weight_init_std)": lambda o, v: SimpleConvNet(weight_init_std=v),
    "Affine(weight_init_std)": lambda o, v: Affine(3, weight_init_std=v),
    "Affine.create(weight_init_std)": lambda o, v: Affine.create(4, 3, weight_init_std=v, rng=o.rng),
    "Conv2D(weight_init_std)": lambda o, v: Conv2D(3, 2, weight_init_std=v),
    "Dropout(ratio)": lambda o, v: Dropout(v),
    "BatchNorm(momentum)": lambda o, v: BatchNorm(momentum=v),
    "BatchNorm(eps)": lambda o, v: BatchNorm(eps=v),
    "LayerNorm(eps)": lambda o, v: LayerNorm(eps=v),
    "LeakyReLU(slope)": lambda o, v: LeakyReLU(v),
    "SoftmaxCrossEntropy(label_smoothing)": lambda o, v: SoftmaxCrossEntropy(label_smoothing=v),
}
OPTIMIZERS = (SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adam, AdamW, Optimizer)
OF_NUMBERS |= {
    f"{kind.__name__}({name})": lambda o, v, kind=kind, name=name: kind(**{"learning_rate": 0.1, name: v})
    for kind in OPTIMIZERS
    for name in ("learning_rate", "weight_decay", "clip")
}
OF_SHARES = {
    "Momentum(momentum)": lambda o, v: Momentum(0.1, v),
    "Nesterov(momentum)": lambda o, v: Nesterov(0.1, v),
    "RMSProp(beta)": lambda o, v: RMSProp(beta=v),
    "Adam(beta1)": lambda o, v: Adam(beta1=v),
    "Adam(beta2)": lambda o, v: Adam(beta2=v),
    "AdamW(beta1)": lambda o, v: AdamW(beta1=v),
    "AdamW(beta2)": lambda o, v: AdamW(beta2=v),
}
OF_FLAGS = {
    "train(recompute_loss)": lambda o, v: trained(o, recompute_loss=v),
    "train(resume)": lambda o, v: trained(o, resume=v),
    "BatchNorm(synchronized)": lambda o, v: BatchNorm(synchronized=v),
    "TwoLayerNet.loss(training)": lambda o, v: o.net.loss(o.x, o.t, training=v),
    "TwoLayerNet.gradient(input_gradient)": lambda o, v: o.net.gradient(o.x, o.t, input_gradient=v),
    "MultiLayerNet(use_dropout)": lambda o, v: MultiLayerNet(4, [5], 3, use_dropout=v),
    "MultiLayerNet(use_batchnorm)": lambda o, v: MultiLayerNet(4, [5], 3, use_batchnorm=v),
    "ReLU.forward(training)": lambda o, v: o.relu.forward(o.x, v),
    "BatchNorm.forward(training)": lambda o, v: o.batch_norm.forward(o.x, training=v),
    "SoftmaxCrossEntropy.forward(training)": lambda o, v: o.loss.forward(o.scores, o.t, training=v),
}
OF_SEEDS = {
    "TwoLayerNet(rng)": lambda o, v: TwoLayerNet(rng=v),
    "Network(rng)": lambda o, v: Network([Affine(3)], o.loss, 4, rng=v),
    "Sequential(rng)": lambda o, v: Sequential([Affine(3)], 4, rng=v),
    "MultiLayerNet(rng)": lambda o, v: MultiLayerNet(4, [5], 3, rng=v),
    "SimpleConvNet(rng)": lambda o, v: SimpleConvNet(rng=v),
    "DeepConvNet(rng)": lambda o, v: DeepConvNet(rng=v),
    "Affine.create(rng)": lambda o, v: Affine.create(4, 3, rng=v),
    "Affine.build(rng)": lambda o, v: Affine(3).build((4,), rng=v),
    "train(rng)": lambda o, v: trained(o, rng=v),
    "learning_rate_range(rng)": lambda o, v: ranged(o, rng=v),
    "check_gradients(rng)": lambda o, v: check_gradients(o.relu, o.x, rng=v),
}
OF_DTYPES = {
    "TwoLayerNet(dtype)": lambda o, v: TwoLayerNet(dtype=v, rng=o.rng),
    "Network(dtype)": lambda o, v: Network([Affine(3)], o.loss, 4, dtype=v, rng=o.rng),
    "Sequential(dtype)": lambda o, v: Sequential([Affine(3)], 4, dtype=v, rng=o.rng),
    "MultiLayerNet(dtype)": lambda o, v: MultiLayerNet(4, [5], 3, dtype=v, rng=o.rng),
    "SimpleConvNet(dtype)": lambda o, v: SimpleConvNet(dtype=v, rng=o.rng),
    "DeepConvNet(dtype)": lambda o, v: DeepConvNet(dtype=v, rng=o.rng),
    "Affine.create(dtype)": lambda o, v: Affine.create(4, 3, dtype=v, rng=o.rng),
    "Affine.build(dtype)": lambda o, v: Affine(3).build((4,), o.rng, dtype=v),
    "TwoLayerNet.astype(dtype)": lambda o, v: o.net.astype(v),
}
OF_BACKENDS = {
    "TwoLayerNet(backend)": lambda o, v: TwoLayerNet(backend=v, rng=o.rng),
    "Network(backend)": lambda o, v: Network([Affine(3)], o.loss, 4, backend=v, rng=o.rng),
    "Sequential(backend)": lambda o, v: Sequential([Affine(3)], 4, backend=v, rng=o.rng),
    "MultiLayerNet(backend)": lambda o, v: MultiLayerNet(4, [5], 3, backend=v, rng=o.rng),
    "SimpleConvNet(backend)": lambda o, v: SimpleConvNet(backend=v, rng=o.rng),
    "DeepConvNet(backend)": lambda o, v: DeepConvNet(backend=v, rng=o.rng),
    "Affine.create(backend)": lambda o, v: Affine.create(4, 3, backend=v, rng=o.rng),
    "Affine.build(backend)": lambda o, v: Affine(3).build((4,), o.rng, backend=v),
    "TwoLayerNet.to(backend)": lambda o, v: o.net.to(v),
    "Network.load(backend)": lambda o, v: Network.load("net.safetensors", backend=v),
    "warmup(backend)": lambda o, v: warmup(v),
    "get_backend(backend)": lambda o, v: get_backend(v),
    "set_backend(backend)": lambda o, v: set_backend(v),
    "use_backend(backend)": lambda o, v: use_backend(v),
    "asarray(backend)": lambda o, v: asarray(o.x, backend=v),
}
OF_PATHS = {
    "train(checkpoint)": lambda o, v: trained(o, checkpoint=[] if v is None else v),
    "TwoLayerNet.save(path)": lambda o, v: o.net.save(v),
    "Network.load(path)": lambda o, v: Network.load(v),
    "TwoLayerNet.load_weights(path)": lambda o, v: o.net.load_weights(v),
}
OF_METHODS = {
    "numerical_gradient(method)": lambda o, v: numerical_gradient(np.sum, o.x.astype(float), method=v),
    "TwoLayerNet.numerical_gradient(method)": lambda o, v: o.net.numerical_gradient(o.x, o.t, method=v),
    "check_gradients(method)": lambda o, v: check_gradients(o.relu, o.x, method=v),
    "check_gradients(mode)": lambda o, v: check_gradients(o.relu, o.x, mode=v),
}
OF_CONVOLUTIONS = {"SimpleConvNet(conv_param)": lambda o, v: SimpleConvNet(conv_param=v)}
OF_CONVOLUTIONS |= {
    f"DeepConvNet(conv_param_{i})": lambda o, v, i=i: DeepConvNet(**{f"conv_param_{i}": v})
    for i in range(1, 7)
}


def family(calls, values, words):
    """A row for each call and each value. words: with {} for the parameter."""
    for attacks, call in calls.items():
        text = words.format(attacks.rstrip(")").partition("(")[2])
        for value in values:
            yield Row(attacks, lambda o, call=call, v=value: call(o, v), (TypeError, ValueError), text)


TABLE = [
    *family(OF_COUNTS, COUNTS, "{} must be (an integer|at least 1|at most 1e[+]15), got "),
    *family(
        OF_SIZES,
        (None, (1, 1), *(v for v in COUNTS if v != 0)),
        "{} must be (an integer|at least 0|at most 1e[+]15), got ",
    ),
    *family(OF_NUMBERS, NUMBERS, "{} must be a (finite )?number.*, got "),
    *family(OF_SHARES, (*NUMBERS, 1, 1.5), "{} must be a (finite )?number.*, got "),
    *family(OF_FLAGS, FLAGS, "{} must be True or False, got "),
    *family(OF_SEEDS, SEEDS, "rng must be a non-negative integer or a numpy.random.Generator, got "),
    *family(OF_DTYPES, DTYPES, "dtype must be float32 or float64, got "),
    *family(OF_BACKENDS, BACKENDS, "backend must be one of .*, got "),
    *family(OF_METHODS, METHODS, ".*must be one of .*, got "),
    *family(OF_PATHS, PATHS, "{} must (be a path, str or os.PathLike|name a (file|directory)), got "),
    *family(OF_CONVOLUTIONS, CONVOLUTIONS, "{} must be a dict of filter_num, filter_size, pad, stride, got "),
]

# --------------------------------------------------------------------------------------- backends and arrays

MASKED = np.ma.masked_array([1.0, 2.0], [True, False])
TABLE += [
    Row(
        "use_backend(backend)",
        lambda o: use_backend("cupy"),
        BackendUnavailable,
        '^backend "cupy" cannot be used',
    ),
    Row("use_backend(backend)", lambda o: use_backend(None), ValueError, "backend must be .*, got None"),
    Row("precision(name)", lambda o: precision("fp16"), ValueError, "name must be one of ieee, tf32"),
    Row("precision(name)", lambda o: precision([]), ValueError, r"name must be .*, got \[\]"),
    Row("asarray(data)", lambda o: asarray(None), TypeError, "data must hold numbers, got object from Non"),
    Row("asarray(data)", lambda o: asarray({"a": 1}), TypeError, "data must hold numbers, got object from"),
    Row("asarray(data)", lambda o: asarray(["a"]), TypeError, "data must hold numbers, got <U1 from list"),
    Row("asarray(data)", lambda o: asarray(ENDLESS), TypeError, "data must be an array of numbers, got list"),
    Row("asarray(data)", lambda o: asarray([[1], [1, 2]]), TypeError, "data must be an array.*equally long"),
    Row("asarray(data)", lambda o: asarray(MASKED), TypeError, "data must not be a masked .*filled"),
    Row("asarray(data)", lambda o: asarray([MASKED, MASKED]), TypeError, "data must not be a masked"),
    Row(
        "asarray(data)",
        lambda o: asarray(o.x.astype(object)),
        TypeError,
        r"data .* convert it with .astype\(float",
    ),
    Row("asarray(data)", lambda o: asarray(np.zeros(2, "M8[s]")), TypeError, "data .* got datetime64"),
    Row("asarray(data)", lambda o: asarray(np.zeros(2, "f4,f4")), TypeError, "data must hold numbers, got"),
    Row("asarray(dtype)", lambda o: asarray([1.0], "nonsense"), TypeError, "dtype must be numeric"),
    Row("asarray(dtype)", lambda o: asarray([1.0], str), TypeError, "dtype must be numeric"),
    Row("asarray(dtype)", lambda o: asarray([1.0], 3), TypeError, "dtype must be .*, got 3"),
    Row("to_numpy(data)", lambda o: to_numpy(MASKED), TypeError, "data must not be a masked array"),
    Row(
        "to_numpy(data)",
        lambda o: to_numpy([[1], [1, 2]]),
        TypeError,
        "data must be an array of numbers, got",
    ),
    Row("to_numpy(data)", lambda o: to_numpy({"a": 1}), TypeError, "data must hold numbers, got object"),
    Row("to_numpy(data)", lambda o: to_numpy(None), TypeError, "data must hold numbers, got object from N"),
]

# ------------------------------------------------------------------- samples and labels, at every boundary

METHODS_OF_DATA = ("loss", "accuracy", "gradient", "numerical_gradient")
TABLE += [
    Row(
        "Network.numerical_gradient(x)",
        lambda o: o.net.numerical_gradient(o.x[0], o.t),
        ValueError,
        "^TwoLayerNet.numerical_gradient: x must have shape",
    )
]
WRONG_X = {
    "objects": (
        lambda o: o.x.astype(object),
        TypeError,
        r"x must hold numbers, got object .*astype\(float\)",
    ),
    "frame of objects": (
        lambda o: Frame(o.x.astype(object)),
        TypeError,
        "x must hold numbers, got object from pandas",
    ),
    "masked": (lambda o: np.ma.masked_array(o.x, o.x > 0.5), TypeError, "x must not be a masked.*x.filled"),
    "nothing masked": (lambda o: np.ma.masked_array(o.x), TypeError, "x must not be a masked"),
    "records": (lambda o: np.zeros(3, "f4,f4"), TypeError, "x must hold numbers, got "),
    "texts": (lambda o: np.full((3, 4), "1.5"), TypeError, "x must hold numbers, got <U3"),
    "dates": (lambda o: np.zeros((3, 4), "M8[s]"), TypeError, "x must hold numbers, got datetime64"),
    "None": (lambda o: None, TypeError, "x must hold numbers, got object from NoneType"),
    "ragged": (lambda o: [[1.0], [1.0, 2.0]], TypeError, "x must be an array of numbers, got list"),
    "a function": (lambda o: len, TypeError, "x must hold numbers"),
    "a generator": (
        lambda o: (i for i in range(3)),
        TypeError,
        "x must hold numbers, got object from generator",
    ),
    "0-d": (lambda o: 1.0, ValueError, r"x must have shape \(N, …\) with 4 values per sample, got \(\)"),
    "one sample": (lambda o: o.x[0], ValueError, r"x must .* for a single sample use x.reshape\(1, -1\)"),
    "too wide": (lambda o: np.ones((3, 5)), ValueError, "x must have shape"),
    "too wide, and NaN": (lambda o: np.full((3, 5), NAN), ValueError, r"x must have shape .*, got \(3, 5\)"),
    "no columns": (lambda o: o.x[:, :0], ValueError, r"x must have shape .*, got \(3, 0\)"),
    "NaN": (lambda o: o.x * np.float32(NAN), ValueError, r"x must be finite, got nan at \[0, 0\]"),
    "infinite": (
        lambda o: np.where(o.x == o.x[2, 1], INF, o.x),
        ValueError,
        r"x must be finite, got inf at \[2, 1\]",
    ),
    "too large": (lambda o: np.full((3, 4), 1e300), ValueError, "x must fit in float32, got 1e[+]300"),
    "clongdouble": (lambda o: o.x.astype("clongdouble"), TypeError, "x must be complex64 or complex128, got"),
    "another library": (
        lambda o: strict(o.x),
        TypeError,
        "x must be on backend numpy, got an array",
    ),
}
WRONG_LABELS = {
    "too large": (lambda: [0, 1, 3], ValueError, r"labels must lie in 0..2, got 0..3: 3 at \[2\]"),
    "negative": (lambda: [0, -1, 2], ValueError, r"labels must lie in 0..2, got -1..2: -1 at \[1\]"),
    "uint64": (
        lambda: np.array([0, 2**63 + 1, 1], "u8"),
        ValueError,
        r"labels must lie in 0..2, got .* at \[1\]",
    ),
    "beyond int64": (lambda: [0, 1, 2**64], TypeError, "labels must hold numbers, got object from list"),
    "a column": (
        lambda: [[0], [1], [2]],
        ValueError,
        r"labels .* got \(3, 1\); use numpy.ravel\(labels\)",
    ),
    "a frame's column": (
        lambda: Frame(LABELS[:, None]),
        ValueError,
        r"labels .*; use numpy.ravel\(labels\)",
    ),
    "other classes": (
        lambda: np.eye(4)[:3],
        ValueError,
        "labels .*; these are one-hot for 4 classes",
    ),
    "two ones": (
        lambda: np.eye(3) + np.eye(3)[[0, 0, 1]],
        ValueError,
        "every row of soft targets must sum to 1, got 2 at .0.",
    ),
    "a half": (lambda: [0.0, 0.5, 1.0], TypeError, r"labels must be integers, got 0.5 at \[1\]"),
    "floats": (lambda: [0.0, 1.0, 2.0], TypeError, r"labels must be integers, .* labels.astype\(int\)"),
    "booleans": (lambda: [True, False, True], TypeError, "labels must be integers, got bool"),
    "complex": (lambda: [0j, 1, 2], TypeError, "labels must be integers, got complex128"),
    "NaN": (lambda: [0, 1, NAN], ValueError, r"labels must be finite, got nan at \[2\]"),
    "texts": (
        lambda: ["a", "b", "c"],
        TypeError,
        r"labels must hold numbers, got <U1 from list; .*, int\)",
    ),
    "too few": (lambda: [0, 1], ValueError, r"labels must have shape \(3,\) or one-hot \(3, 3\), got \(2,\)"),
    "none": (list, ValueError, r"labels must have shape .* got \(0,\)"),
    "None": (lambda: None, TypeError, "labels must hold numbers, got object from NoneType"),
    "a number": (lambda: 1, ValueError, r"labels must have shape .* got \(\)"),
    "masked": (
        lambda: np.ma.masked_array([0, 1, 2], [0, 0, 1]),
        TypeError,
        "labels must not be a masked array",
    ),
    "another library": (
        lambda: strict([0, 1, 2]),
        TypeError,
        "labels must be on backend numpy, got an array",
    ),
}
for n, (make, error, words) in enumerate(WRONG_X.values()):
    of_method = METHODS_OF_DATA[n % 3]
    call = lambda o, make=make, of_method=of_method: getattr(o.net, of_method)(make(o), o.t)  # noqa: E731
    TABLE += [
        Row(f"TwoLayerNet.{of_method}(x)", call, error, words),
        Row("TwoLayerNet.predict(x)", lambda o, make=make: o.net.predict(make(o)), error, words),
        Row("TwoLayerNet.predict_proba(x)", lambda o, make=make: o.net.predict_proba(make(o)), error, words),
        Row(
            "TwoLayerNet.predict_labels(x)",
            lambda o, make=make: o.net.predict_labels(make(o)),
            error,
            words,
        ),
        Row(
            "train(x_train)",
            lambda o, make=make: train(o.net, make(o), o.t, rng=o.rng),
            error,
            rf"^train \(.*\): {words}",
        ),
        Row("Network.gradient(x)", lambda o, make=make: o.norm.gradient(make(o), o.t), error, words),
    ]
for n, (make, error, words) in enumerate(WRONG_LABELS.values()):
    of_method = METHODS_OF_DATA[n % 4]
    call = lambda o, make=make, of_method=of_method: getattr(o.net, of_method)(o.x, make())  # noqa: E731
    TABLE += [
        Row(f"TwoLayerNet.{of_method}(t)", call, error, words),
        Row(
            "train(t_train)",
            lambda o, make=make: train(o.net, o.x, make(), rng=o.rng),
            error,
            rf"^train \(.*\): {words}",
        ),
        Row(
            "SoftmaxCrossEntropy.forward(t)",
            lambda o, make=make: o.loss.forward(o.scores, make()),
            error,
            words,
        ),
        Row("Network.loss(t)", lambda o, make=make: o.norm.loss(o.x, make()), error, words),
    ]

# ---------------------------------------------------------------------------------- training and optimizers

TABLE += [
    Row("train(net)", lambda o: train(3, o.x, o.t), TypeError, "net must be a backprop.networks.Network, "),
    Row("train(net)", lambda o: train(TwoLayerNet, o.x, o.t), TypeError, "net must be a .*, got <class"),
    Row("train(x_test)", lambda o: train(o.net, o.x, o.t, o.x), ValueError, "give both x_test and"),
    Row(
        "train(x_test)",
        lambda o: train(o.net, o.x, o.t, o.x[:, :2], o.t),
        ValueError,
        r"^train \(x_test, t_test\): x",
    ),
    Row(
        "train(t_test)",
        lambda o: train(o.net, o.x, o.t, t_test=o.t),
        ValueError,
        "give both x_test and",
    ),
    Row(
        "train(t_test)",
        lambda o: train(o.net, o.x, o.t, o.x, o.t + 1),
        ValueError,
        r"^train \(.*\): labels must lie",
    ),
    Row("train(iterations)", lambda o: trained(o, epochs=2), ValueError, "give iterations or epochs, not "),
    Row("train(batch_size)", lambda o: trained(o, batch_size=10**14), MemoryError, ".*; lower batch_size"),
    Row(
        "train(learning_rate)",
        lambda o: trained(o, learning_rate=1e39),
        ValueError,
        "learning_rate .* in float32",
    ),
    Row(
        "train(learning_rate)",
        lambda o: trained(o, learning_rate=1e-38),
        ValueError,
        "learning_rate must be from 1.18e-38 to ",
    ),
    Row(
        "train(learning_rate)",
        lambda o: trained(o, learning_rate=0.1, optimizer=o.used),
        ValueError,
        "give learning_rate or optimizer, not both",
    ),
    Row("train(optimizer)", lambda o: trained(o, optimizer="adam"), TypeError, "optimizer must be .* got "),
    Row("train(optimizer)", lambda o: trained(o, optimizer=SGD), TypeError, "optimizer must be an Optimiz"),
    Row(
        "train(optimizer)",
        lambda o: train(o.norm, o.x, o.t, optimizer=o.used, rng=o.rng),
        ValueError,
        "^Momentum: an optimizer stays with the parameters of its first update",
    ),
    Row("train(callback)", lambda o: trained(o, callback=3), TypeError, "callback must be callable, got 3"),
    *[
        Row(
            "train(evaluate_every)",
            lambda o, v=v: trained(o, evaluate_every=v),
            (TypeError, ValueError),
            "evaluate_every",
        )
        for v in ("epochs", 0, -1, True, [], 1.0, HUGE, np.array(["epoch"]))
    ],
    *[
        Row(
            "train(checkpoint_every)",
            lambda o, v=v: trained(o, checkpoint="run", checkpoint_every=v),
            (TypeError, ValueError),
            "checkpoint_every",
        )
        for v in ("epochs", 0, -1, True, [], 1.0, HUGE)
    ],
    *[
        Row(
            "train(shuffle)",
            lambda o, v=v: trained(o, shuffle=v),
            ValueError,
            "shuffle must be one of draw, e",
        )
        for v in ("epoch", None, True, ["draw"], np.array(["draw", "epochs"]))
    ],
    Row(
        "train(shuffle)",
        lambda o: trained(o, shuffle="epochs", batch_size=4),
        ValueError,
        'batch_size must be at most 3, the training samples, with shuffle="epochs", got 4',
    ),
    Row(
        "train(shuffle)",
        lambda o: trained(o, shuffle="epochs", batch_size=3, validation=0.3),
        ValueError,
        "batch_size must be at most 2",
    ),
    *[
        Row(
            "train(validation)",
            lambda o, v=v: trained(o, validation=v),
            (TypeError, ValueError),
            "validation must be a share of the training set, in .*, or a pair .*, got ",
        )
        for v in (0, 1, 1.0, -0.5, NAN, HUGE, "0.1", True, X, [X], (X, LABELS, X), {"x": X}, Silent())
    ],
    *[
        Row(
            "train(communicator)",
            lambda o, v=v: trained(o, communicator=v),
            TypeError,
            "^train: communicator must be a Communicator such as Mpi",
        )
        for v in (3, True, ["mpi"], X, {}, Silent(), object)
    ],
    *[
        Row(
            "train(communicator)",
            lambda o, v=v: trained(o, communicator=v),
            ValueError,
            "^train: communicator must be alone, mpi, nccl, got ",
        )
        for v in ("MPI", "gloo", "", "x" * 1000)
    ],
    Row(
        "train(validation)", lambda o: trained(o, validation=0.1), ValueError, "validation must hold out at "
    ),
    Row(
        "train(validation)", lambda o: trained(o, validation=0.9), ValueError, "validation must .* got 0.9 of"
    ),
    Row(
        "train(validation)",
        lambda o: trained(o, validation=(o.x, o.t + 1)),
        ValueError,
        r"^train \(validation\): labels must lie",
    ),
    Row(
        "train(validation)",
        lambda o: trained(o, validation=(o.x[:, :2], o.t)),
        ValueError,
        r"^train \(validation\): x must have shape",
    ),
    Row(
        "train(validation)",
        lambda o: train(o.norm, o.x, o.t, validation=0.5, optimizer=o.used, rng=o.rng),
        ValueError,
        "^Momentum: an optimizer stays with the parameters of its first update",
    ),
    Row(
        "train(patience)",
        lambda o: trained(o, patience=2),
        ValueError,
        "patience needs a loss to watch; give",
    ),
    Row(
        "train(patience)",
        lambda o: trained(o, patience=2, validation=0.5, evaluate_every=None),
        ValueError,
        "patience counts evaluations, so evaluate_every must not be None",
    ),
    *[
        Row(
            f"{name}({parameter})",
            call,
            TypeError,
            f"{parameter} must be a Schedule, such as Cosine.., or a function of the step, got ",
        )
        for v in ("cosine", 3, Cosine, [Cosine()], Silent(), X)
        for name, parameter, call in (
            ("train", "schedule", lambda o, v=v: trained(o, schedule=v)),
            ("WarmUp", "then", lambda o, v=v: WarmUp(3, then=v)),
        )
    ],
    *[
        Row(
            "train(schedule)",
            lambda o, v=v: trained(o, schedule=lambda step: v if step else 1.0),
            (TypeError, ValueError),
            "schedule must return a finite number of at least 0, got .* for step 1",
        )
        for v in (
            NAN,
            INF,
            -1.0,
            -INF,
            "1",
            None,
            True,
            1j,
            [1.0],
            np.ones(2),
            np.ones(()),
            HUGE,
            Silent(),
        )
    ],
    Row(
        "train(schedule)",
        lambda o: trained(o, schedule=lambda step: 1e41 if step else 1.0),
        ValueError,
        "schedule must keep the learning rate finite in float32, got 1e.41 · 0.1 for step 1",
    ),
    Row("train(schedule)", lambda o: trained(o, schedule=later), TypeError, "schedule must not be async"),
    Row(
        "train(schedule)",
        lambda o: trained(o, schedule=Schedule()),
        TypeError,
        "^Schedule: a schedule needs factor",
    ),
    Row(
        "train(schedule)",
        lambda o: trained(o, schedule=OneCycle(momentum=(0.9, 0.8))),
        ValueError,
        "schedule changes the momentum, but SGD has none; use Momentum",
    ),
    *[
        Row("OneCycle(momentum)", lambda o, v=v: OneCycle(momentum=v), (TypeError, ValueError), "momentum")
        for v in (0.9, (0.9,), (0.8, 0.9), (1.0, 0.5), (0.9, -0.1), ("0.9", 0.8), (NAN, 0.5), "ab", {1: 2})
    ],
    Row(
        "learning_rate_range(net)",
        lambda o: learning_rate_range(3, o.x, o.t),
        TypeError,
        "net must be a backpr",
    ),
    Row(
        "learning_rate_range(x)",
        lambda o: learning_rate_range(o.net, o.x[:, :2], o.t),
        ValueError,
        "x must have",
    ),
    Row(
        "learning_rate_range(t)",
        lambda o: learning_rate_range(o.net, o.x, o.t + 1),
        ValueError,
        "labels must ",
    ),
    Row(
        "learning_rate_range(optimizer)",
        lambda o: ranged(o, optimizer=SGD),
        TypeError,
        "optimizer must be an O",
    ),
    Row(
        "learning_rate_range(iterations)",
        lambda o: ranged(o, iterations=9),
        ValueError,
        "iterations must be at ",
    ),
    Row(
        "learning_rate_range(highest)",
        lambda o: ranged(o, highest=1e-5),
        ValueError,
        "highest must be above lo",
    ),
    Row(
        "learning_rate_range(highest)",
        lambda o: ranged(o, highest=1e39),
        ValueError,
        r"^learning_rate_range \(highest\): learning_rate must be .* in float32",
    ),
    Row(
        "learning_rate_range(lowest)",
        lambda o: ranged(o, lowest=1e-50),
        ValueError,
        r"^learning_rate_range \(lowest\): learning_rate must be .* in float32",
    ),
    Row("Momentum(momentum)", lambda o: Momentum(0.1, 1.0), ValueError, "momentum .* below 1, got 1.0"),
    *[
        Row(
            f"{kind.__name__}(decayed)",
            lambda o, kind=kind, v=v: kind(0.1, decayed=v),
            ValueError if isinstance(v, str) or (isinstance(v, list) and not v) else TypeError,
            r'decayed must be "weights", "all" or a list of names.*, got ',
        )
        for kind in OPTIMIZERS
        for v in ("W1", "", [], None, True, ["W1", 2], X, b"all", ENDLESS, {"W1": 1})
    ],
    *[
        Row(
            "SGD.update(params)",
            lambda o, v=v: SGD(0.1, decayed=v).update(o.net.params, o.net.gradient(o.x, o.t)),
            ValueError,
            "^SGD: decayed must name parameters, got .*; the names are W1, b1, W2, b2$",
        )
        for v in (["W3"], ["W1", "w" * 1000], ("weights",))
    ],
    *[
        Row(
            f"Adam.{name}(value)",
            lambda o, name=name, v=v: Adam(0.1, **{name: v}).update(o.net.params, o.net.gradient(o.x, o.t)),
            ValueError,
            f"^Adam: {name} must be from 1.18e-38 to 3.4e.38 in float32, got ",
        )
        for name, v in (
            ("eps", 1e-38),
            ("clip", 1e-50),
            ("clip", 1e39),
            ("weight_decay", 1e39),
            ("beta1", 1e-40),
        )
    ],
    *[
        Row(
            f"Momentum.{name}(value)",
            lambda o, name=name, v=v: setattr(o.used, name, v),
            (TypeError, ValueError),
            f"^Momentum: {name} must be (a|from) ",
        )
        for name in ("weight_decay", "clip")
        for v in ("0.1", True, -0.1, NAN, HUGE, 1e39)
    ],
    *[
        Row(
            "SGD.learning_rate(value)",
            lambda o, v=v: setattr(o.used, "learning_rate", v),
            (TypeError, ValueError),
            "^Momentum: learning_rate must be",
        )
        for v in ("0.1", True, 0, NAN, HUGE, 1e39)
    ],
    *[
        Row(
            "Momentum.momentum(value)",
            lambda o, v=v: setattr(o.used, "momentum", v),
            (TypeError, ValueError),
            "^Momentum: momentum must be a",
        )
        for v in ("0.1", True, -0.1, 1.0, NAN, HUGE)
    ],
]


def update(params, grads):
    return lambda o: SGD(0.1).update(params(o), grads(o))


def same(o):
    return {"w": o.params["w"], "v": o.params["w"]}


OF_UPDATES = {
    "no mapping": (
        lambda o: 3,
        lambda o: {},
        TypeError,
        "params must be arrays by name, such as net.params, got 3",
    ),
    "a list": (lambda o: [1.0], lambda o: [1.0], TypeError, "params must be arrays by name"),
    "nothing": (lambda o: {}, lambda o: {}, ValueError, "params must hold at least one array, got none"),
    "one array twice": (
        same,
        lambda o: {**o.grads, "v": o.grads["w"]},
        ValueError,
        "w and v are the same",
    ),
    "numbers": (
        lambda o: {"w": 1.0},
        lambda o: {"w": 1.0},
        TypeError,
        "w must be an array of a known library, got flo",
    ),
    "NumPy's numbers": (
        lambda o: {"w": np.float64(1)},
        lambda o: {"w": np.ones(())},
        ValueError,
        "w must be .* read-only",
    ),
    "read-only": (
        lambda o: {**o.params, "w": o.read_only},
        lambda o: {**o.grads, "w": o.x},
        ValueError,
        "w must be .* wri",
    ),
    "integers": (
        lambda o: {"w": np.ones(3, int)},
        lambda o: o.grads,
        TypeError,
        "w must be float32 or float64, got int64",
    ),
    "float16": (
        lambda o: {"w": np.ones(3, "f2")},
        lambda o: o.grads,
        TypeError,
        "w must be float32 or float64, got float16",
    ),
    "complex": (
        lambda o: {"w": np.ones(3) + 0j},
        lambda o: o.grads,
        TypeError,
        "w must be float32 or float64, got comp",
    ),
}
OF_GRADIENTS = {
    "None": (lambda o: o.net.params, lambda o: None, TypeError, "grads must be arrays by name"),
    "none": (
        lambda o: o.net.params,
        lambda o: {},
        ValueError,
        r"the gradient of W1 must have shape \(4, 5\), got none",
    ),
    "of another shape": (
        lambda o: o.params,
        lambda o: {**o.grads, "v": np.ones(3)},
        ValueError,
        "the gradient of v must",
    ),
    "a list": (
        lambda o: o.params,
        lambda o: {**o.grads, "v": [1.0, 2.0]},
        ValueError,
        "the gradient of v .* got list",
    ),
    "complex": (
        lambda o: o.params,
        lambda o: {**o.grads, "v": np.ones(2) * 1j},
        TypeError,
        "the gradient of v .* real",
    ),
    "objects": (
        lambda o: o.params,
        lambda o: {**o.grads, "v": np.ones(2, "O")},
        TypeError,
        "the gradient of v .* real",
    ),
    "of another library": (
        lambda o: o.params,
        lambda o: {**o.grads, "v": strict([1.0, 1.0])},
        TypeError,
        "arrays must come from",
    ),
    "of another network": (
        lambda o: o.net.params,
        lambda o: o.norm.params,
        ValueError,
        "grads must have the names and",
    ),
    "of another dtype": (
        lambda o: o.net.params,
        lambda o: o.net.astype("f8").params,
        TypeError,
        "params and grads must",
    ),
}
TABLE += [Row("SGD.update(params)", update(a, b), error, words) for a, b, error, words in OF_UPDATES.values()]
TABLE += [
    Row("SGD.update(grads)", update(a, b), error, words) for a, b, error, words in OF_GRADIENTS.values()
]
TABLE += [
    Row(
        "Momentum.update(params)",
        lambda o: o.used.update(o.norm.params, o.norm.params),
        ValueError,
        "^Momentum: an optimizer stays",
    ),
    Row(
        "Momentum.update(grads)", lambda o: o.used.update(o.net.params, {}), ValueError, "the gradient of W1"
    ),
    Row(
        "Optimizer.update(params)",
        lambda o: Optimizer(0.1).update(o.params, o.grads),
        TypeError,
        "^Optimizer: .* needs compu",
    ),
]

# ------------------------------------------------------------------------------------------------- networks

OF_NETWORKS = {
    "layers": [
        (lambda o: Network(3, o.loss, 4), TypeError, "layers must be a dict by name or a list, got int"),
        (
            lambda o: Network("Affine", o.loss, 4),
            TypeError,
            "layers must be a dict by name or a list, got str",
        ),
        (lambda o: Network([], o.loss, 4), ValueError, "layers must hold at least one layer, got none"),
        (
            lambda o: Network({3: o.affine}, o.loss, 4),
            TypeError,
            "the names of layers must be strings, got 3",
        ),
        (
            lambda o: Network({"r": o.relu}, o.loss, 4),
            ValueError,
            "no layer has parameters, so there is nothing to",
        ),
        (
            lambda o: Network([3], o.loss, 4),
            TypeError,
            "layer int1 must have forward and backward, as ReLU.. has, got 3",
        ),
        (
            lambda o: Network([Affine], o.loss, 4),
            TypeError,
            r"layer Affine1 must be an object, not its class: Affine\(\)",
        ),
        (
            lambda o: Network([o.affine, Affine(2), o.affine], o.loss, 4),
            ValueError,
            "Affine1 and Affine3 are one object",
        ),
        (
            lambda o: Network([o.net.layers["Affine1"]], o.loss, 4),
            ValueError,
            "Affine1, .*, already belongs to a network",
        ),
        (
            lambda o: Network([o.affine, Affine.create(4, 3)], o.loss, 4),
            ValueError,
            r"Affine2, .* does not fit after Aff",
        ),
        (
            lambda o: Network([Affine(10**9)], o.loss, 10**9),
            MemoryError,
            "1e[+]18 values do not fit in any memory",
        ),
    ],
    "loss": [
        (
            lambda o: Network([o.affine], None, 4),
            TypeError,
            "loss must have forward and backward, .* got None",
        ),
        (
            lambda o: Network([o.affine], SoftmaxCrossEntropy, 4),
            TypeError,
            "loss must be an object, not its class",
        ),
        (lambda o: Network([o.affine], "cross-entropy", 4), TypeError, "loss must have forward and backward"),
    ],
    "input_size": [
        (
            lambda o: Network([o.affine], o.loss, 5),
            ValueError,
            r"Affine1, Affine\(4, 3\), does not fit after the input",
        ),
        (lambda o: Network([o.affine], o.loss, ()), ValueError, "Affine1, .*, does not fit after the input"),
        (
            lambda o: Network([o.affine], o.loss, (10**10, 10**10)),
            ValueError,
            "input_size must be at most 1e[+]15",
        ),
    ],
    "output_size": [
        (lambda o: Network([o.affine], o.loss, 4, 5), ValueError, "output_size is 5, but Affine1 returns 3")
    ],
    "dtype": [
        (
            lambda o: Network([o.affine], o.loss, 4, dtype="f8"),
            TypeError,
            "parameters must have one dtype, float64",
        )
    ],
    "backend": [
        (
            lambda o: Network([o.affine], o.loss, 4, backend=backend_or_skip("array_api_strict")),
            TypeError,
            "W of Affine1 is",
        )
    ],
}
TABLE += [
    Row(f"Network({parameter})", call, error, words)
    for parameter, rows in OF_NETWORKS.items()
    for call, error, words in rows
]


def without_a_loss(o):
    net = copy.deepcopy(o.net)
    net.loss_layer = None
    return net.loss(o.x, o.t)


def regression(o):
    return Network([Affine(3)], MeanSquaredError(), 4, rng=0)


TABLE += [
    Row(
        "Sequential(layers)",
        lambda o: Sequential([o.net, Affine(3)], 4),
        TypeError,
        "^Network: layer TwoLayerNet1 must not be a network itself",
    ),
    Row(
        "Sequential(loss)",
        lambda o: Sequential([Affine(3)], 4, SoftmaxCrossEntropy),
        TypeError,
        "^Network: loss",
    ),
    Row(
        "MultiLayerNet(hidden_size_list)",
        lambda o: MultiLayerNet(4, 5, 3),
        TypeError,
        "hidden_size_list must be a list of integers, got 5",
    ),
    Row(
        "MultiLayerNet(hidden_size_list)",
        lambda o: MultiLayerNet(4, [5, 0], 3),
        ValueError,
        r"hidden_size_list\[1\] must be at least 1, got 0",
    ),
    Row(
        "MultiLayerNet(activation)",
        lambda o: MultiLayerNet(4, [5], 3, "rule"),
        ValueError,
        "activation must be one of relu, .*, got 'rule'",
    ),
    Row(
        "SimpleConvNet(conv_param)",
        lambda o: SimpleConvNet(conv_param={"filter_num": 30, "filter_size": 5, "pad": 0, "stride": 0}),
        ValueError,
        r"conv_param\['stride'\] must be at least 1, got 0",
    ),
    Row(
        "SimpleConvNet(input_dim)", lambda o: SimpleConvNet(784), ValueError, r"input_dim must be \(channels"
    ),
    Row(
        "SimpleConvNet(input_dim)",
        lambda o: SimpleConvNet((1, 4, 4)),
        ValueError,
        r"input_dim is too small, got \(1, 4, 4\): only 4 × 4 values are left in front of Conv2D\(30, 5\)",
    ),
    Row("SimpleConvNet(hidden_size)", lambda o: SimpleConvNet(hidden_size=10**10), MemoryError, ".*; lower"),
    Row("to_torch(net)", lambda o: to_torch(o.affine), TypeError, "net must be a .*Network, got Affine"),
    Row("TwoLayerNet(hidden_size)", lambda o: TwoLayerNet(hidden_size=10**13), MemoryError, ".*; lower hid"),
    Row(
        "TwoLayerNet(weight_init_std)",
        lambda o: TwoLayerNet(weight_init_std=1e300),
        ValueError,
        "^Network: .* W must fit in",
    ),
    Row("TwoLayerNet.loss(x)", without_a_loss, TypeError, "^Network: loss must have forward and backward"),
    Row(
        "Network.accuracy(t)",
        lambda o: regression(o).accuracy(o.x, o.x[:, :3]),
        TypeError,
        "Mean.* does not define",
    ),
    Row("Network.gradient(t)", lambda o: regression(o).gradient(o.x, o.t), ValueError, "targets must have"),
    Row(
        "Network.gradient(x)",
        lambda o: o.net.gradient(o.x + 0j, o.t),
        TypeError,
        "^TwoLayerNet.gradient: x must be real",
    ),
    Row("Network.gradient(x)", lambda o: o.net.gradient(o.x[:0], []), ValueError, "^TwoLayerNet.gradient:"),
]

# ---------------------------------------------------------------------------- parameters, by name or assigned

OF_ASSIGNMENTS = {
    "of another shape": (lambda o: np.ones((5, 4)), ValueError, r"W1 must have shape \(4, 5\), got \(5, 4\)"),
    "a number": (lambda o: 0.0, ValueError, r"W1 must have shape \(4, 5\), got \(\)"),
    "complex": (lambda o: np.ones((4, 5)) * 1j, TypeError, "W1 holds float32 and cannot take complex128"),
    "objects": (lambda o: np.ones((4, 5), object), TypeError, "W1 holds float32 and cannot take object"),
    "masked": (
        lambda o: np.ma.masked_array(np.ones((4, 5))),
        TypeError,
        "W1 must not be a masked array, whose mask",
    ),
    "texts": (lambda o: [["a"] * 5] * 4, TypeError, "W1 must hold numbers, got <U1 from list"),
    "ragged": (
        lambda o: [[1.0], [1.0, 2.0]],
        TypeError,
        "W1 must be an array of numbers, got list; are its rows",
    ),
    "None": (lambda o: None, TypeError, "W1 must hold numbers, got object from NoneType"),
    "too large": (lambda o: np.full((4, 5), 1e300), ValueError, "W1 must fit in float32, got 1e[+]300"),
}
for make, error, words in OF_ASSIGNMENTS.values():
    TABLE += [
        Row(
            "Arrays[name]",
            lambda o, make=make: o.net.params.__setitem__("W1", make(o)),
            error,
            f"^Arrays: {words}",
        ),
        Row(
            "Arrays.update(more)",
            lambda o, make=make: o.net.params.update(b1=[5] * 5, W1=make(o)),
            error,
            f"^Arrays: {words}",
        ),
    ]
TABLE += [
    Row(
        "Arrays[name]",
        lambda o: o.net.params["W9"],
        KeyError,
        "^Arrays: no array named 'W9'; the names are W",
    ),
    Row("Arrays[name]", lambda o: o.net.params[[]], KeyError, r"^Arrays: no array named \[\]"),
    Row("Arrays[name]", lambda o: o.net.params.pop("W1"), TypeError, "^Arrays: 'W1' cannot be deleted"),
    Row(
        "Arrays.update(other)",
        lambda o: o.net.params.update(3),
        TypeError,
        "other must map names to",
    ),
    Row("Arrays.update(other)", lambda o: o.net.params.update([1]), TypeError, r".*, got \[1\]"),
    Row(
        "Arrays.update(more)",
        lambda o: o.net.params.update(b1=[5] * 5, W9=1),
        KeyError,
        "^Arrays: no array named 'W9'",
    ),
]

# -------------------------------------------------------------------------------------------------- layers

WRONG_FOR_LAYERS = {
    "a list": (
        lambda x: x.tolist(),
        TypeError,
        "must be an array of a known library, got list; convert it with backprop.asarray",
    ),
    "a frame": (Frame, TypeError, "must be an array of a known library, got pandas.Frame"),
    "None": (lambda x: None, TypeError, "must be an array of a known library, got NoneType"),
    "a matrix": (
        lambda x: x.view(np.matrix),
        TypeError,
        "must be an array of a known library, got numpy.matrix",
    ),
    "masked": (np.ma.masked_array, TypeError, "must be an array of a known library, got numpy.ma"),
    "float16": (lambda x: x.astype("f2"), TypeError, "must hold float32 or float64, got float16; cast it"),
    "longdouble": (lambda x: x.astype("longdouble"), TypeError, "must hold float32 or float64, got float"),
    "clongdouble": (
        lambda x: x.astype("clongdouble"),
        TypeError,
        "must hold float32 or float64, got complex",
    ),
    "integers": (lambda x: x.astype(int), TypeError, "must hold floating-point numbers, got int64; cast it"),
    "booleans": (lambda x: x > 0.5, TypeError, "must hold floating-point numbers, got bool"),
    "objects": (lambda x: x.astype(object), TypeError, "must hold floating-point numbers, got object"),
    "records": (lambda x: np.zeros(3, "f4,f4"), TypeError, "must hold floating-point numbers, got "),
}
LAYERS = {
    "ReLU": lambda o: o.relu,
    "Sigmoid": lambda o: Sigmoid(),
    "Affine": lambda o: o.affine,
    "Conv2D": lambda o: o.conv,
    "MaxPool2D": lambda o: MaxPool2D(2),
    "BatchNorm": lambda o: o.batch_norm,
    "AveragePool2D": lambda o: AveragePool2D(2),
    "GlobalAveragePool2D": lambda o: GlobalAveragePool2D(),
    "GELU": lambda o: GELU(),
    "LayerNorm": lambda o: o.layer_norm,
    "Softmax": lambda o: Softmax(),
    "Tanh": lambda o: Tanh(),
}
for n, (make, error, words) in enumerate(WRONG_FOR_LAYERS.values()):
    for name, layer in [*LAYERS.items()][n % 4 :: 2]:
        call = lambda o, make=make, layer=layer: layer(o).forward(make(o.x))  # noqa: E731
        TABLE.append(Row(f"{name}.forward(x)", call, error, f"^{name}.forward: x {words}"))
    TABLE += [
        Row(
            "MeanSquaredError.forward(scores)",
            lambda o, make=make: MeanSquaredError().forward(make(o.x), o.x),
            error,
            f"^MeanSquaredError.forward: scores {words}",
        ),
        Row(
            "Affine(W)",
            lambda o, make=make: Affine(make(o.x), np.ones(4, "f4")),
            error,
            "W (and b )?",
        ),
        Row(
            "Affine(b)",
            lambda o, make=make: Affine(o.x, make(np.ones(4, "f4"))),
            error,
            "(b must|arrays|W and b|give W and b)",
        ),
        Row(
            "BatchNorm(gamma)",
            lambda o, make=make: BatchNorm(make(np.ones(4)), np.ones(4)),
            error,
            f"^BatchNorm: gamma (and beta must|{words})",
        ),
    ]
TABLE += [
    Row("Affine(W)", lambda o: Affine(4, 3), TypeError, r".* use Affine.create\(4, 3\), or Affine\(3\) in "),
    Row("Affine(W)", lambda o: Affine("3"), TypeError, "W and b must be arrays, .*, got '3'; or Affine.cr"),
    Row("Affine(W)", lambda o: Affine(None), TypeError, "W and b must be arrays, .*, got None; or Affine."),
    Row("Affine(W)", lambda o: Affine(3.0), TypeError, "W and b must be arrays, .*, got 3.0; or Affine.cr"),
    Row("Affine(W)", lambda o: Affine(True), TypeError, "the number of outputs must be an integer, got"),
    Row("Affine(W)", lambda o: Affine(0), ValueError, "the number of outputs must be at least 1, got 0"),
    Row("Affine(b)", lambda o: Affine(o.x), TypeError, "W and b must be arrays"),
    Row("Affine(b)", lambda o: Affine(o.x, np.ones(3, "f4")), ValueError, r"W must have shape \(D, M\) an"),
    Row(
        "Affine(b)", lambda o: Affine(o.x, strict(np.ones(4, "f4"))), TypeError, "arrays must come from one l"
    ),
    Row(
        "BatchNorm(beta)", lambda o: BatchNorm(np.ones(3), np.ones(2)), ValueError, "gamma and beta must have"
    ),
    Row("BatchNorm(beta)", lambda o: BatchNorm(np.ones(3)), TypeError, ".* two arrays, or left out, .* None"),
    Row("BatchNorm(gamma)", lambda o: BatchNorm(3), TypeError, r".* got 3 and None; use BatchNorm\(\)"),
    Row("Affine.forward(x)", lambda o: Affine(3).forward(o.x), RuntimeError, ".* has no arrays yet"),
    Row("Affine.forward(x)", lambda o: o.affine.forward(o.x[:, :3]), ValueError, "x must have shape"),
    Row("Affine.forward(x)", lambda o: o.affine.forward(o.x.astype(float)), TypeError, "x and W must have"),
    Row("Affine.forward(x)", lambda o: o.affine.forward(strict(o.x)), TypeError, "arrays must come from one"),
    Row("BatchNorm.forward(x)", lambda o: o.batch_norm.forward(o.x[:0]), ValueError, ".* with N at least 1"),
    Row("BatchNorm.forward(x)", lambda o: o.batch_norm.forward(o.x[0]), ValueError, "x must have shape"),
    Row(
        "BatchNorm.forward(x)", lambda o: o.batch_norm.forward(o.x[:1]), ValueError, "^BatchNorm.* two values"
    ),
    Row(
        "Network.loss(x)",
        lambda o: o.norm.loss(o.x[:1], o.t[:1], True),
        ValueError,
        "^BatchNorm.* two values",
    ),
    Row("Network.gradient(x)", lambda o: o.norm.gradient(o.x[:1], o.t[:1]), ValueError, "^BatchNorm.* two"),
    Row(
        "train(batch_size)",
        lambda o: train(o.norm, o.x, o.t, batch_size=1, rng=o.rng),
        ValueError,
        "^BatchNorm.* two values",
    ),
    Row(
        "LayerNorm(beta)", lambda o: LayerNorm(np.ones(3), np.ones(2)), ValueError, "gamma and beta must have"
    ),
    Row("LayerNorm(beta)", lambda o: LayerNorm(np.ones(3)), TypeError, ".* two arrays, or left out, .* None"),
    Row("LayerNorm(gamma)", lambda o: LayerNorm((3, 4)), TypeError, r".* got \(3, 4\) and None; use Layer"),
    Row("LayerNorm(gamma)", lambda o: LayerNorm(*np.ones((2, 0))), ValueError, "gamma and beta must have"),
    Row("LayerNorm.forward(x)", lambda o: LayerNorm().forward(o.x), RuntimeError, ".* has no arrays yet"),
    Row("LayerNorm.forward(x)", lambda o: o.layer_norm.forward(o.x[:, :3]), ValueError, "x must have shape"),
    Row("LayerNorm.forward(x)", lambda o: o.layer_norm.forward(o.x[0]), ValueError, "x must have shape"),
    Row("LeakyReLU(slope)", lambda o: LeakyReLU(1.0), ValueError, "slope must be .* below 1, got 1"),
    Row("LeakyReLU(slope)", lambda o: LeakyReLU(-0.1), ValueError, "slope must be .* at least 0 .*got -0.1"),
    Row("Softmax.forward(x)", lambda o: Softmax().forward(o.x[:, :0]), ValueError, "x must have shape"),
    Row("Softmax.forward(x)", lambda o: Softmax().forward(np.asarray(o.x[0, 0])), ValueError, "x must have"),
    Row("Flatten.forward(x)", lambda o: Flatten().forward(np.asarray(o.x[0, 0])), ValueError, "x must have"),
    Row("Affine.build(shape)", lambda o: Affine(3).build("a"), TypeError, "shape must be an integer, got "),
    Row("Affine.build(shape)", lambda o: Affine(3).build((-3,)), ValueError, "shape must be at least 1, g"),
    *[
        Row("Layer(state)", lambda o, v=v: Layer(state=v), TypeError, "^Layer: .* must be an array of")
        for v in ({"m": 3}, {"m": [1.0], "v": X}, vars(int))
    ],
    Row("Layer.forward(x)", lambda o: Layer().forward(o.x), TypeError, "^Layer: a layer needs compute and"),
    Row("Loss.forward(scores)", lambda o: Loss().forward(o.x, o.x), TypeError, "^Loss: a layer needs comp"),
    Row(
        "Loss.forward(scores)",
        lambda o: MeanSquaredError().forward(o.x[:0], o.x[:0]),
        ValueError,
        "^MeanSquaredError.f.*N at l",
    ),
    Row(
        "Loss.forward(t)",
        lambda o: MeanSquaredError().forward(o.x, o.x[:, :2]),
        ValueError,
        "^MeanSquaredError.f.*targets",
    ),
    Row(
        "Loss.forward(t)",
        lambda o: MeanSquaredError().forward(o.x, o.x + 0j),
        TypeError,
        "^Mean.*: targets must be real",
    ),
    Row(
        "Loss.forward(t)",
        lambda o: MeanSquaredError().forward(o.x, o.x * np.float32(NAN)),
        ValueError,
        "^Mean.*: targets must be fin",
    ),
    Row(
        "Loss.forward(scores)",
        lambda o: o.loss.forward(o.scores[:0], []),
        ValueError,
        "^SoftmaxCrossEntropy.forward: logits",
    ),
    *[
        Row(
            "SoftmaxCrossEntropy.forward(t)",
            lambda o, t=t: o.loss.forward(o.scores, t),
            ValueError,
            f"^SoftmaxCrossEntropy.forward: {words}",
        )
        for t, words in (
            (X[:, :3] - 1, r"soft targets must be at least 0, got -.* at \[0, 0\]; for logits pass their"),
            (X[:, :3], r"every row of soft targets must sum to 1, got 0\.\d+ at \[0\]; divide each row"),
            (np.full((3, 3), 100 / 3), r".* sum to 1, got 100 at \[0\]; divide percentages by 100"),
            ([[1.0, 0, 0], [1, 0, 1], [0, 0, 1]], r".* got 2 at \[1\]; .* use SigmoidBinaryCrossEntropy"),
        )
    ],
    *[
        Row(
            "SigmoidBinaryCrossEntropy.forward(t)",
            lambda o, t=t: SigmoidBinaryCrossEntropy().forward(o.scores, t),
            error,
            f"^SigmoidBinaryCrossEntropy.forward: targets {words}",
        )
        for t, error, words in (
            (1 - 2 * np.eye(3), ValueError, r"must lie in 0..1, got -1 at .0, 0.; .* pass \(t \+ 1\) / 2"),
            (3 * np.eye(3, dtype=int), ValueError, r"must lie .* 3 at \[0, 0\]; .* use SoftmaxCrossEntropy"),
            (1.5 + abs(X[:, :3]), ValueError, "must lie in .*; for measured values use MeanSquaredError"),
            (LABELS, ValueError, r"must have the shape of the outputs, \(3, 3\), got \(3,\)"),
            (np.full((3, 3), NAN), ValueError, "must be finite, got nan"),
            (1j * np.eye(3), TypeError, "must be real, got complex128"),
        )
    ],
]
for kind in (
    Layer,
    ReLU,
    Sigmoid,
    Tanh,
    GELU,
    Softmax,
    Flatten,
    GlobalAveragePool2D,
    Loss,
    SigmoidBinaryCrossEntropy,
    MeanSquaredError,
):
    TABLE += [
        Row(
            f"{kind.__name__}(state)",
            lambda o, kind=kind: kind(state=3),
            TypeError,
            f"^{kind.__name__}: state must be arrays by",
        ),
        Row(
            f"{kind.__name__}(params)",
            lambda o, kind=kind: kind(w=[1.0]),
            TypeError,
            f"^{kind.__name__}: w must be an array",
        ),
    ]

# ------------------------------------------------------------------------------------------ layers of images

W4, B2 = np.ones((2, 3, 2, 2), "f4"), np.zeros(2, "f4")
KERNEL = "the size of the kernel must be "
TABLE += [
    *[
        Row("Conv2D(W)", lambda o, v=v: Conv2D(v, 3), (TypeError, ValueError), words)
        for v, words in (
            (True, "the number of filters must be an integer, got True"),
            *((v, "the number of filters must be at least 1, got ") for v in (0, -1, np.int8(-3))),
            (HUGE, "the number of filters must be at most 1e[+]15, got 1000"),
            *(
                (v, "W must be an array of a known library, got ")
                for v in ("3", 3.0, NAN, None, [3], W4.tolist())
            ),
        )
    ],
    *[
        Row("Conv2D(b)", lambda o, v=v: Conv2D(3, v), (TypeError, ValueError), words)
        for v, words in (
            *(
                (v, f"{KERNEL}an integer, got ")
                for v in ("5", b"5", 5.0, True, {5}, np.array(5), np.array([5, 5]))
            ),
            *((v, f"{KERNEL}at least 1, got ") for v in (0, -1, (2, 0), [-2, 2])),
            *((v, f"{KERNEL}at most 1e[+]15, got 1000") for v in (HUGE, (10**14, 10**14))),
            *((v, "the kernel must have a height and a width, got ") for v in ((), (1, 2, 3), [2] * 9)),
            ((2, "3"), f"{KERNEL}an integer, got '3'"),
            (None, r"the size of the kernel is missing; for example Conv2D\(30, 5\)"),
        )
    ],
    *[
        Row("Conv2D(W)", lambda o, W=W, b=b: Conv2D(W, b), error, words)
        for W, b, error, words in (
            (
                W4[0],
                B2,
                ValueError,
                r"W must have shape \(F, C, height, width\) and b \(F,\), got \(3, 2, 2\) and",
            ),
            (
                W4[:, :, :, :, None],
                B2,
                ValueError,
                "W must have shape .F, C, height, width. and b .F,., got ",
            ),
            (W4[:0], B2[:0], ValueError, "W must have shape .F, C, height, width. and b .F,., got "),
            (W4[:, :0], B2, ValueError, "W must have shape .F, C, height, width. and b .F,., got "),
            (W4.astype(int), B2, TypeError, "W must hold floating-point numbers, got int64"),
            (W4, B2.astype(float), TypeError, "W and b must have one dtype"),
        )
    ],
    Row("Conv2D(b)", lambda o: Conv2D(W4), TypeError, "W and b must be arrays, or the number of filters and"),
    Row("Conv2D(b)", lambda o: Conv2D(W4, B2[:1]), ValueError, "W must have shape .*, got .* and .1,."),
    Row(
        "Conv2D(b)", lambda o: Conv2D(W4, B2[:, None]), ValueError, "W must have shape .*, got .* and .2, 1."
    ),
    Row("Conv2D(b)", lambda o: Conv2D(W4, 2), TypeError, "b must be an array of a known library, got int"),
    Row("Conv2D(b)", lambda o: Conv2D(W4, strict(B2)), TypeError, "arrays must come from one l"),
    Row(
        "Conv2D.build(shape)",
        lambda o: Conv2D(3, 2).build(784),
        ValueError,
        r"^Conv2D: a sample must have shape .* got \(784,",
    ),
    Row("Conv2D.forward(x)", lambda o: Conv2D(3, 2).forward(o.images), RuntimeError, ".* has no arrays yet"),
    Row(
        "Conv2D.forward(x)",
        lambda o: o.conv.forward(o.images[:, :2]),
        ValueError,
        r"x .* \(N, 3, H, W\), got ",
    ),
    Row(
        "Conv2D.forward(x)",
        lambda o: o.conv.forward(np.ones((2, 5, 4, 3), "f4")),
        ValueError,
        "x must .* got .2, 5, 4, 3.; move its last axis to place 1",
    ),
    Row(
        "Conv2D.forward(x)", lambda o: o.conv.forward(o.images.astype(float)), TypeError, "x and W must have"
    ),
    *[
        Row(
            "Conv2D.forward(x)",
            lambda o, v=v: Conv2D(W4, B2, padding=v).forward(o.images[:0]),
            ValueError,
            f"padded images may have 1e[+]15 values, got a padding of {v}",
        )
        for v in (10**15, 10**9)
    ],
    *[
        Row(
            f"{kind.__name__}(padding)",
            lambda o, kind=kind: kind(3, padding=2),
            ValueError,
            "padding must be at",
        )
        for kind in (MaxPool2D, AveragePool2D)
    ],
    Row(
        "Sequential(layers)",
        lambda o: Sequential([Conv2D(3, 9)], (1, 5, 5)),
        ValueError,
        "^Network: Conv2D1, C",
    ),
    *[
        Row(
            "Sequential(layers)",
            lambda o, layer=layer: Sequential([Affine(6), copy.deepcopy(layer)], 784),
            ValueError,
            "^Network: .*, does not fit after Affine1, which returns .6,. per sample: .* must have ",
        )
        for layer in (Conv2D(3, 2), MaxPool2D(3, 2, 1), AveragePool2D(3, 2, 1), GlobalAveragePool2D())
    ],
    Row(
        "Sequential(layers)",
        lambda o: Sequential([Conv2D(3, 3, padding=10**15), Affine(3)], (1, 5, 5)),
        ValueError,
        "^Network: Conv2D1, .*: padded images may have 1e[+]15 values",
    ),
]
OF_IMAGES = {"Conv2D": lambda o: o.conv, **{each: LAYERS[each] for each in ("MaxPool2D", "AveragePool2D")}}
OF_IMAGES["GlobalAveragePool2D"] = LAYERS["GlobalAveragePool2D"]
for name, layer in OF_IMAGES.items():
    TABLE += [
        Row(
            f"{name}.forward(x)",
            lambda o, layer=layer, change=change: layer(o).forward(change(o.images)),
            *words,
        )
        for change, *words in (
            (
                lambda x: x[0],
                ValueError,
                r"x must have shape \(N, C, H, W\), got .3, 5, 4.; use x\[.*None\]",
            ),
            (lambda x: x.reshape(2, 60), ValueError, r"x must .*, got .2, 60.; use x.reshape\(-1, C, H, W\)"),
            (lambda x: x[None], ValueError, r"x must have shape \(N, C, H, W\), got \(1, 2, 3, 5, 4\)"),
            (lambda x: x[0, 0, 0, 0, ...], ValueError, r"x must have shape \(N, C, H, W\), got \(\)"),
            (
                lambda x: x[:, :, :0],
                ValueError,
                "the kernel, . × ., must fit in the image .* of 0, got 0 × 4",
            ),
        )
    ]
for kind in (MaxPool2D, AveragePool2D):
    TABLE += [
        Row(f"{kind.__name__}.forward(x)", lambda o, layer=layer: layer.forward(o.images), ValueError, words)
        for layer, words in (
            (kind(6), "the kernel, 6 × 6, must fit in the image and its padding of 0, got 5 × 4"),
            (kind(10**15), "the kernel, 1.* × 1.*, must fit in the image and its padding of 0, got 5 × 4"),
            (
                kind(10**7, padding=5 * 10**6),
                "padding, 5000000, must be at most the height and .* got 5 and 4",
            ),
        )
    ]
for kind, name in ((Conv2D, "stride"), (Conv2D, "padding"), (MaxPool2D, "size"), (AveragePool2D, "stride")):
    TABLE.append(
        Row(
            f"{kind.__name__}({name})",
            lambda o, kind=kind, name=name: setattr(o.conv if kind is Conv2D else kind(2), name, 2),
            AttributeError,
            f"{name} is fixed when the layer is made; create a new {kind.__name__} for another",
        )
    )

# ----------------------------------------------------------------- backward: its order, and what it is given

FORWARD = lambda o: (o.relu.forward(o.x), o.affine.forward(o.x), o.loss.forward(o.scores, o.t))  # noqa: E731
DOUT = np.ones((3, 4), "f4")
for make, error, words in WRONG_FOR_LAYERS.values():
    dout = make(DOUT)
    text = words if "known library" in words else "must have the (dtype|shape) of the"
    TABLE.append(
        Row(
            "ReLU.backward(dout)",
            stepped(FORWARD, lambda o, dout=dout: o.relu.backward(dout)),
            (error, ValueError),
            f"^ReLU.backward: dout {text}",
        )
    )
TABLE += [
    Row(
        "ReLU.backward(dout)",
        lambda o: o.relu.backward(DOUT),
        RuntimeError,
        "no forward has run; call forward",
    ),
    Row(
        "ReLU.backward(dout)",
        stepped(lambda o: (FORWARD(o), o.relu.backward(DOUT)), lambda o: o.relu.backward(DOUT)),
        RuntimeError,
        "an earlier backward has used up the last forward; call forward again",
    ),
    Row(
        "ReLU.backward(dout)",
        stepped(lambda o: o.relu.forward(o.x, training=False), lambda o: o.relu.backward(DOUT)),
        RuntimeError,
        "the last forward ran with training=False, which keeps nothing; call forward",
    ),
    Row(
        "Affine.backward(dout)",
        stepped(FORWARD, lambda o: o.affine.backward(DOUT)),
        ValueError,
        "dout must have",
    ),
    Row(
        "Affine.backward(dout)",
        stepped(FORWARD, lambda o: o.affine.backward(strict(DOUT))),
        TypeError,
        "^Affine.b.*: arrays must",
    ),
    Row("Loss.backward(dout)", lambda o: o.loss.backward(), RuntimeError, "^SoftmaxCrossEntropy.backward:"),
]
for dout, error, words in [
    ("a", TypeError, "must be an array of a known library, got str"),
    (None, TypeError, "must be an array of a known library, got NoneType"),
    (True, TypeError, "must be an array of a known library, got bool"),
    (np.ones(3, "f4"), ValueError, r"must have the shape of the mean loss, \(\), got \(3,\)"),
    (HUGE, ValueError, "must be a finite number, got 1"),
    (NAN, ValueError, "must be a finite number, got nan"),
]:
    TABLE.append(
        Row(
            "Loss.backward(dout)",
            stepped(FORWARD, lambda o, dout=dout: o.loss.backward(dout)),
            error,
            f"^SoftmaxCrossEntropy.backward: dout {words}",
        )
    )

# --------------------------------------------------------------------------------------- numbers and checks

SUM = lambda x: (x * x).sum()  # noqa: E731
OF_X = {
    "a number": (lambda o: 3.0, TypeError, "x must be an array of a known library, got float"),
    "NumPy's number": (
        lambda o: np.float64(3),
        TypeError,
        "x must be an array that can be changed .* got numpy.float64",
    ),
    "a list": (lambda o: [1.0], TypeError, "x must be an array of a known library, got list"),
    "None": (lambda o: None, TypeError, "x must be an array of a known library, got NoneType"),
    "read-only": (lambda o: o.read_only, TypeError, "x must be an array that can be changed in place"),
    "one value in many places": (
        lambda o: np.broadcast_to(np.ones(1), (3,)),
        TypeError,
        "x must be an array that can be",
    ),
    "overlapping": (
        lambda o: np.lib.stride_tricks.as_strided(np.ones(1), (3,), (0,)),
        TypeError,
        "x must be an array that",
    ),
    "float32": (lambda o: o.x, TypeError, 'method "central" needs x in float64, got float32'),
    "integers": (lambda o: o.t, TypeError, 'method "central" needs x in float64, got int64'),
    "empty": (lambda o: np.ones((0, 3)), ValueError, "x must hold at least one number"),
    "infinite": (lambda o: np.array([1.0, INF]), ValueError, r"x must be finite, got inf at \[1\]"),
}
OF_F = {
    "a number": (3, "f must be callable, got 3"),
    "None": (None, "f must be callable, got None"),
    "returns nothing": (lambda x: None, "f must return one number, got None"),
    "returns an array": (lambda x: x, r"f must return one number, got an array of shape \(3, 4\)"),
    "returns a list": (lambda x: [1.0], r"f must return one number, got \[1.0\]"),
    "returns a text": (lambda x: "1", "f must return one number, got '1'"),
    "returns NumPy's text": (lambda x: np.str_("1"), "f must return one number, got np.str_"),
    "returns a truth": (lambda x: True, "f must return one number, got True"),
    "returns too large an integer": (
        lambda x: HUGE,
        "f must return one number within the range of a float, got 1000",
    ),
    "returns float32": (
        lambda x: np.float32(1.0),
        "f must return one number in double precision, got float32",
    ),
    "returns complex": (lambda x: 1j, "f must return one real number"),
}
TABLE += [
    Row("numerical_gradient(x)", lambda o, make=make: numerical_gradient(SUM, make(o)), error, words)
    for make, error, words in OF_X.values()
]
TABLE += [
    Row("numerical_gradient(f)", lambda o, f=f: numerical_gradient(f, o.x.astype(float)), TypeError, words)
    for f, words in OF_F.values()
]
TABLE += [
    Row("check_gradients(inputs)", lambda o: check_gradients(o.net, o.x), TypeError, "a network takes x and"),
    Row("check_gradients(inputs)", lambda o: check_gradients(o.loss, o.x), TypeError, "a loss takes scores"),
    Row(
        "check_gradients(constants)", lambda o: check_gradients(o.relu, o.x, constants=3), TypeError, "const"
    ),
    Row(
        "Adapter(forward)", lambda o: Adapter(o.relu, forward=3), TypeError, "forward must be a method's nam"
    ),
    Row(
        "Adapter(backward)", lambda o: Adapter(o.relu, backward=[]), TypeError, "backward must be a method's"
    ),
    Row("check_gradients(obj)", lambda o: check_gradients(None, o.x), TypeError, "NoneType has no forward"),
    Row("check_gradients(obj)", lambda o: check_gradients(ReLU, o.x), TypeError, ""),
    Row("check_gradients(inputs)", lambda o: check_gradients(o.relu), TypeError, "pass the inputs of"),
    Row("check_gradients(inputs)", lambda o: check_gradients(o.relu, o.x[:0]), ValueError, ""),
    Row(
        "check_gradients(inputs)",
        lambda o: check_gradients(o.relu, o.x * np.float32(NAN)),
        ValueError,
        ".* finite",
    ),
    Row(
        "check_gradients(inputs)",
        lambda o: check_gradients(o.net, o.x, [0, 1, 3]),
        ValueError,
        "^.*: labels must lie in 0..2",
    ),
    Row(
        "check_gradients(constants)",
        lambda o: check_gradients(o.relu, o.x, constants=["q"]),
        (TypeError, ValueError),
        "",
    ),
    Row("check_function(forward)", lambda o: check_function(3, None, o.x), TypeError, "forward must be a"),
    Row("check_function(backward)", lambda o: check_function(SUM, 3, o.x), TypeError, "forward must be a"),
    Row(
        "check_function(arrays)",
        lambda o: check_function(SUM, None, o.x[:0]),
        ValueError,
        "^check_gradients: ",
    ),
    Row("check_function(arrays)", lambda o: check_function(SUM, None), TypeError, "^check_gradients: "),
    Row(
        "check_function(method)",
        lambda o: check_function(SUM, None, o.x, method="x"),
        ValueError,
        "^check_gradients: method",
    ),
    Row(
        "check_function(mode)",
        lambda o: check_function(SUM, None, o.x, mode=3),
        ValueError,
        "^check_gradients: m",
    ),
    Row(
        "check_function(rng)",
        lambda o: check_function(SUM, None, o.x, rng=-1),
        ValueError,
        "^check_gradients: rng must be",
    ),
    Row(
        "check_function(constants)",
        lambda o: check_function(lambda x: (SUM(x), 2 * x), None, o.x, constants="q"),
        (TypeError, ValueError),
        "^check_gradients: ",
    ),
    Row("Adapter(forward)", lambda o: Adapter(o.relu, forward=int), TypeError, "forward must be a .*'int'>"),
    Row("Adapter(layer)", lambda o: Adapter(3), TypeError, "^check_gradients: int has no forward"),
    Row(
        "Adapter(layer)",
        lambda o: Adapter(ReLU),
        TypeError,
        r"^check_gradients: obj must be an object, not its class: pass ReLU\(",
    ),
    Row("Network(layers)", lambda o: Network([Adapter(o.affine)], o.loss, 4), TypeError, ".* an Adapter, wh"),
    Row(
        "Network(loss)", lambda o: Network([o.affine], Adapter(o.loss), 4), TypeError, ".* an Adapter, which"
    ),
    Row(
        "Adapter(forward)",
        lambda o: Adapter(o.relu, forward=o.relu.forward),
        TypeError,
        "forward must take the layer, .*; pass the method's name, forward='forward'",
    ),
    Row(
        "Adapter(backward)",
        lambda o: Adapter(o.relu, backward=o.relu.backward),
        TypeError,
        "backward must take the layer, .*; pass the method's name, backward='backward'",
    ),
    *[
        Row(
            f"Adapter({name})",
            lambda o, name=name, v=v: Adapter(o.affine, **{name: v}),
            TypeError,
            f"{name} must be an attribute's name, a list of names, or a function of the layer, got ",
        )
        for name in ("params", "grads")
        for v in (3, "", int, {"W": "W"}, (each for each in "W"), X, [X])
    ],
    Row(
        "Adapter(params)",
        lambda o: check_gradients(Adapter(o.affine, params="W" * 500), o.x),
        AttributeError,
        "^check_gradients: Affine has no attribute W+…, named in params or grads",
    ),
    Row(
        "check_gradients(inputs)",
        lambda o: check_gradients(Adapter(o.loss), o.scores),
        TypeError,
        "a loss takes scores and targets, got 1 inputs",
    ),
    Row(
        "check_gradients(inputs)",
        lambda o: check_gradients(o.net, o.x, (label for label in o.t)),
        TypeError,
        "input 2 must be copyable, such as an array or a list, got <generator",
    ),
    *[
        Row(
            "check_function(forward)",
            lambda o, made=made: check_function(lambda x: made, lambda dout: dout, o.x),
            TypeError,
            "^check_gradients: <lambda> must return numbers, got an array of ",
        )
        for made in (np.zeros(3, "f4,f4"), np.array(["a", "b"]), np.zeros(3, "M8[s]"))
    ],
    Row("Adapter(forward)", lambda o: Adapter(o.relu, forward="run"), TypeError, "^check_gradients: ReLU "),
    Row(
        "Adapter(backward)",
        lambda o: Adapter(o.relu, backward="run_back"),
        TypeError,
        "^check_gradients: ReLU has no run_b",
    ),
    Row(
        "Adapter(params)",
        lambda o: check_gradients(Adapter(o.affine, params=["q"]), o.x),
        AttributeError,
        "^check_gradients: ",
    ),
    Row(
        "Adapter(grads)",
        lambda o: check_gradients(Adapter(o.affine, params=["W"], grads=["q"]), o.x),
        AttributeError,
        "^check_gradients: ",
    ),
    Row(
        "AddLayer.backward(dout)",
        lambda o: AddLayer().backward(1.0),
        RuntimeError,
        "^AddLayer.backward: call forward first",
    ),
    Row(
        "MulLayer.backward(dout)",
        lambda o: MulLayer().backward(1.0),
        RuntimeError,
        "^MulLayer.backward: call forward first",
    ),
]

# ----------------------------------------------------------------- classes whose author has made a mistake


class Own(TwoLayerNet):
    """A network of a user's, with a method that returns something, or an attribute."""

    def __init__(self, **given):
        super().__init__(4, 5, 3, rng=0)
        for name, value in given.items():
            setattr(self, name, value)

    def loss(self, x, t):
        return self.of_loss if hasattr(self, "of_loss") else super().loss(x, t)

    def accuracy(self, x, t):
        return self.of_accuracy if hasattr(self, "of_accuracy") else super().accuracy(x, t)


class Made(Layer):
    """A layer out = w x, whose first arrays are what it is given."""

    def __init__(self, *made):
        self.made = made

    def initial(self, shape, rng):
        return self.made[0] if len(self.made) == 1 else self.made

    def compute(self, xp, x, w):
        return x * w, (x, w)

    def derive(self, xp, dout, x, w):
        return dout * w, xp.sum(dout * x, axis=0)


class Settled(Made):
    def compute(self, xp, x, weight):
        return x * weight, (x, weight)


class NoState(Momentum):
    zeros = "v"


class OwnRate(SGD):
    learning_rate = property(lambda self: 0.001, lambda self, value: None)


class NoRate(SGD):
    def __init__(self):
        pass


async def later(history):
    pass


def in_network(*layers):
    return Network([*layers, Affine(3)], SoftmaxCrossEntropy(), 4, rng=0)


W = np.ones(4)
NO_NUMBER = (None, "1", [1.0], True, np.ones(3))
TWO_DICTS = "^Made.initial must return two dicts of arrays, parameters and state, got "
OF_AUTHORS = [
    (lambda o: Layer(x=W), ValueError, "^Layer.params: no parameter may be called x"),
    (lambda o: in_network(Made({"x": W}, {})), ValueError, "^Network: Made1.*: no parameter may be called x"),
    (lambda o: in_network(Made({"w": W})), TypeError, TWO_DICTS),
    (lambda o: in_network(Made({"w": W, "b": W})), TypeError, TWO_DICTS),
    (lambda o: in_network(Made(None)), TypeError, TWO_DICTS),
    (lambda o: in_network(Made({"w": "a"}, {})), TypeError, "^Made.build: w must hold numbers, got <U1"),
    (lambda o: in_network(Settled({"w": W}, {})), TypeError, r"^Settled.compute must .* by name.*, w"),
    (lambda o: trained(o, callback=later), TypeError, "callback must not be async"),
    (lambda o: trained(o, optimizer=NoRate()), TypeError, "^NoRate: learning_rate must be a number, got N"),
    (
        lambda o: trained(o, optimizer=OwnRate()),
        TypeError,
        "^OwnRate: a subclass cannot define learning_rate",
    ),
    (lambda o: trained(o, optimizer=NoState(0.1)), TypeError, "^NoState: zeros and numbers must be tuples"),
    *(
        (lambda o, v=v: train(Own(of_loss=v), X, LABELS), TypeError, "^Own.loss must return one number, got ")
        for v in NO_NUMBER
    ),
    *(
        (
            lambda o, v=v: train(Own(of_accuracy=v), X, LABELS),
            TypeError,
            "^Own.accuracy must return one number",
        )
        for v in NO_NUMBER
    ),
    *(
        (lambda o, f=f: f(Own(lock=Lock())), TypeError, "^Own: lock cannot be copied: cannot pickle")
        for f in (copy.deepcopy, lambda net: net.astype("float64"), lambda net: net.to("numpy"))
    ),
]
TABLE += [Row("train(net)", *each) for each in OF_AUTHORS]
TABLE += [
    Row("TwoLayerNet.astype(dtype)", lambda o: o.net.astype(None), ValueError, "dtype must be float32 or fl"),
    Row(
        "set_backend(backend)",
        lambda o: set_backend("numpy "),
        ValueError,
        "backend must be .*'numpy '; did",
    ),
    Row("Affine(b)", lambda o: Affine(W[:, None]), TypeError, "W and b must be arrays, or W alone"),
    Row(
        "TwoLayerNet.predict(x)",
        lambda o: o.net.predict(map(list, o.x)),
        TypeError,
        r".*numpy.array\(list\(x",
    ),
    Row(
        "TwoLayerNet.loss(t)", lambda o: o.net.loss(o.x, b"012"), TypeError, r".*array\(list\(labels\), int\)"
    ),
    Row(
        "MeanSquaredError.forward(t)",
        lambda o: MeanSquaredError().forward(W[:, None], W[None]),
        ValueError,
        r"targets must .*, got \(1, 4\); use t.reshape\(4, 1\)",
    ),
    Row(
        "numerical_gradient(x)",
        lambda o: numerical_gradient(SUM, W + 1j, method="complex"),
        ValueError,
        "x must have no imaginary part",
    ),
]

# -------------------------------------------------------------------------------------------- the tests of it

WHERE = re.compile(r"[\w.]+( \([\w, ]+\))?(: | must | needs )")  # how a message begins
OF_NUMPY = (
    "ufunc",
    "broadcast",
    "__array__",
    "__getitem__",
    "inhomogeneous",
    "dimension exceeded",
    "ambiguous",
)


def identify(rows):
    return [f"{row.attacks}-{i}" for i, row in enumerate(rows)]


@pytest.mark.parametrize("row", TABLE, ids=identify(TABLE))
def test_a_refused_call_says_so_in_a_line_and_changes_nothing(row):
    things = Things()
    before = things.bits()
    with pytest.raises(row.error) as caught:
        row.call(things)
    message = str(caught.value.args[0]) if isinstance(caught.value, KeyError) else str(caught.value)
    begins = row.words if row.words.startswith("^") else f"{row.attacks.partition('(')[0]}: {row.words}"
    assert re.match(begins, message, re.DOTALL), message
    if not isinstance(
        caught.value, BackendUnavailable
    ):  # which names the backend, with the command that installs it
        assert WHERE.match(message) and len(message) <= 200 and len(message.splitlines()) <= 2, message
    assert not any(words in message for words in OF_NUMPY), message
    assert things.bits() == before
    assert get_backend().name == "numpy"


# What the library makes itself: records, which hold what they are given, and what trusts its callers.
MADE_BY_US = (
    "ArrayCheck",
    "GradientReport",
    "Verdict",
    "History",
    "Diverged",
    "DataError",
    "FileError",
    "Trainer",
    "LearningRateRange",
)
MADE_BY_US += ("Setting",)
# Held by their own tables: tests/data, tests/graph, tests/plots, tests/test_scalar.py.
ELSEWHERE = (
    "load_fashion_mnist",
    "load_mnist",
    "load_mnist_sample",
    "load_digit",
    *import_module("backprop.graph").__all__,
)
ELSEWHERE += ("Alone", "Communicator", "Mpi", "Nccl", "RankFailed")  # tests/backends/test_communicators.py
ELSEWHERE += (*import_module("backprop.plots").__all__, *import_module("backprop.scalar").__all__)
METHODS = {
    Network: ("predict", "loss", "accuracy", "gradient", "numerical_gradient", "to", "astype")
    + ("save", "load", "load_weights", "predict_proba", "predict_labels"),
    Layer: ("forward", "backward", "build"),
    Loss: ("forward", "backward"),
    Optimizer: ("update",),
    Affine: ("create",),
}


def public():
    """Every public function and class by name, of the package and of its parts."""
    parts = [
        f"backprop.{part.name}"
        for part in iter_modules(backprop.__path__)
        if part.ispkg and part.name != "cli"
    ]
    for module in map(import_module, ["backprop", *parts]):
        for name in getattr(module, "__all__", ()):
            if callable(getattr(module, name)):
                yield name, getattr(module, name)


def attacked():
    """The parameters under attack by function; those of a method also under its base class."""
    found = {}
    classes = dict(public())
    for row in TABLE:
        name, _, parameter = row.attacks.rstrip(")").partition("(")
        kind, _, method = name.partition(".")
        bases = [base.__name__ for base in classes[kind].__mro__] if method and kind in classes else [kind]
        for base in bases:
            found.setdefault(f"{base}.{method}" if method else base, set()).add(parameter)
    return found


def test_every_public_function_and_every_parameter_is_attacked():
    rows, missing = attacked(), []
    functions = {name: each for name, each in public() if name not in (*MADE_BY_US, *ELSEWHERE)}
    for kind, names in METHODS.items():
        functions |= {f"{kind.__name__}.{name}": getattr(kind, name) for name in names}
    for name, function in functions.items():
        parameters = [
            each for each in inspect.signature(function).parameters if each not in ("self", "where")
        ]
        missing += [f"{name}({each})" for each in parameters if each not in rows.get(name, ())]
    assert not missing
    assert len(TABLE) >= 150
