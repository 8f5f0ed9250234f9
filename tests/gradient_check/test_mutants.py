"""Mutants of the library's own formulas and of their twins: each one changed in one place, each one caught.

Each is tried on square arrays, 4 samples of 4 values to 4 units, so that no wrong axis betrays itself by a
shape, and on oblong ones, so that it does. Twins are tried inside networks as well, where neighbours are
computed as one.
"""

import inspect
import re
from functools import partial

import mutations
import numpy as np
import pytest
from mutations import DOES_NOT_RUN, agrees, mutants_of

from backends import TWINS
from backends.numpy import affine as affine_twins
from backends.numpy import batch_norm as batch_norm_twins
from backends.numpy import blocks as block_twins
from backends.numpy import dropout as dropout_twins
from backends.numpy import layer_norm as layer_norm_twins
from backends.numpy import leaky_relu as leaky_relu_twins
from backends.numpy import mean_squared_error as squared_twins
from backends.numpy import product
from backends.numpy import relu as relu_twins
from backends.numpy import sigmoid as sigmoid_twins
from backends.numpy import sigmoid_binary_cross_entropy as binary_twins
from backends.numpy import softmax_cross_entropy as loss_twins
from backprop import check_gradients, layers, losses, scalar
from backprop.layers import (
    affine,
    batch_norm,
    dropout,
    gelu,
    layer_norm,
    leaky_relu,
    relu,
    sigmoid,
    softmax,
    tanh,
)
from backprop.losses import mean_squared_error, sigmoid_binary_cross_entropy, softmax_cross_entropy
from backprop.networks import Network
from backprop.scalar import arithmetic, exponential

SQUARE, OBLONG = (4, 4, 4), (6, 5, 3)  # samples, values in, units


def data(*shape, seed=4):
    return np.random.default_rng(seed).normal(size=shape)


def labels(n, classes):
    return [(2 * i + 2) % classes if i % 2 else i % classes for i in range(n)]


def soft(n, classes):
    """Return soft targets, zeros among them."""
    return np.random.default_rng(3).multinomial(5, np.full(classes, 1 / classes), n) / 5


def affine_of(d, m, seed=2):
    layer = layers.Affine.create(d, m, weight_init_std=1.0, rng=seed, dtype="float64")
    layer.params["b"][...] = data(m, seed=seed)
    return layer


def batch_norm_of(d):
    return layers.BatchNorm(data(d, seed=1), data(d, seed=2))


def layer_norm_of(*shape):
    return layers.LayerNorm(data(*shape, seed=1), data(*shape, seed=2))


def dropout_of(d):
    layer = layers.Dropout(0.4)
    layer.build((d,), rng=2)
    layer.state["passes"], layer.state["first_row"] = [3], [2]
    return layer


def in_pairs(n, d, m):
    """Return a network computed by the twins Affine+ReLU and Affine+SoftmaxCrossEntropy."""
    chain = [affine_of(d, 7), layers.ReLU(), affine_of(7, m, seed=3)]
    return Network(chain, losses.SoftmaxCrossEntropy(), d), data(n, d), labels(n, m)


def one_by_one(n, d, m):
    """Return a network in which no two neighbours are computed as one."""
    chain = [affine_of(d, 7), layers.Sigmoid(), batch_norm_of(7), layers.ReLU(), affine_of(7, m, seed=3)]
    return Network([*chain, layers.Sigmoid()], losses.SoftmaxCrossEntropy(), d), data(n, d), labels(n, m)


def images_in_pairs(n, d, m):
    """Return a network computed in pairs for samples with two axes."""
    chain = [affine_of(2 * d, 7), layers.ReLU(), affine_of(7, m, seed=3)]
    return Network(chain, losses.SoftmaxCrossEntropy(), (2, d)), data(n, 2, d), labels(n, m)


def channels_last(n, d, m):
    """Return a network in which BatchNorm gets images with their channels last in memory."""
    conv = layers.Conv2D(data(d, 2, 2, 3), data(d))
    chain = [conv, layers.Sigmoid(), batch_norm_of(d), affine_of(2 * d, m)]
    return Network(chain, losses.SoftmaxCrossEntropy(), (2, 2, 4)), data(n, 2, 2, 4), labels(n, m)


class WithoutInput(Network):
    """A network that does not compute the gradient of its input, as in training."""

    def gradient(self, x, t):
        return super().gradient(x, t)


def parameters_alone(n, d, m):
    chain = [affine_of(d, 7), layers.Sigmoid(), affine_of(7, m, seed=3)]
    return WithoutInput(chain, losses.SoftmaxCrossEntropy(), d), data(n, d), labels(n, m)


def images_in_one_pair(n, d, m):
    return Network([affine_of(2 * d, m)], losses.SoftmaxCrossEntropy(), (2, d)), data(n, 2, d), labels(n, m)


CASES = {
    "affine": lambda n, d, m: (affine_of(d, m), data(n, d)),
    "affine, images": lambda n, d, m: (affine_of(2 * d, m), data(n, 2, d)),
    "relu": lambda n, d, m: (layers.ReLU(), data(n, d)),
    "leaky relu": lambda n, d, m: (layers.LeakyReLU(0.3), data(n, d)),
    "gelu": lambda n, d, m: (layers.GELU(), data(n, d)),
    "gelu, far out": lambda n, d, m: (layers.GELU(), 1e4 * data(n, d)),
    "sigmoid": lambda n, d, m: (layers.Sigmoid(), data(n, d)),
    "sigmoid, far out": lambda n, d, m: (layers.Sigmoid(), 1e4 * data(n, d)),
    "tanh": lambda n, d, m: (layers.Tanh(), data(n, d)),
    "tanh, far out": lambda n, d, m: (layers.Tanh(), 1e4 * data(n, d)),
    "softmax": lambda n, d, m: (layers.Softmax(), data(n, d)),
    "softmax, far out": lambda n, d, m: (layers.Softmax(), 1e4 * data(n, d)),
    "softmax, images": lambda n, d, m: (layers.Softmax(), data(n, d, m)),
    "layer norm": lambda n, d, m: (layer_norm_of(d), data(n, d)),
    "layer norm, images": lambda n, d, m: (layer_norm_of(2, m), data(n, 2, m)),
    "batch norm": lambda n, d, m: (batch_norm_of(d), data(n, d)),
    "batch norm, images": lambda n, d, m: (batch_norm_of(d), data(n, d, 2, m)),
    "dropout": lambda n, d, m: (dropout_of(d), data(n, d)),
    "dropout, images": lambda n, d, m: (dropout_of(3 * d), data(n, 3, d)),
    "cross-entropy": lambda n, d, m: (losses.SoftmaxCrossEntropy(), data(n, d), labels(n, d)),
    "cross-entropy, far out": lambda n, d, m: (losses.SoftmaxCrossEntropy(), 1e4 * data(n, d), labels(n, d)),
    "cross-entropy, soft": lambda n, d, m: (losses.SoftmaxCrossEntropy(), data(n, d), soft(n, d)),
    "cross-entropy, smoothed": lambda n, d, m: (losses.SoftmaxCrossEntropy(0.3), data(n, d), labels(n, d)),
    "cross-entropy, both": lambda n, d, m: (losses.SoftmaxCrossEntropy(0.3), data(n, d), soft(n, d)),
    "binary": lambda n, d, m: (losses.SigmoidBinaryCrossEntropy(), data(n, d), soft(n, d)),
    "binary, far out": lambda n, d, m: (losses.SigmoidBinaryCrossEntropy(), 1e4 * data(n, d), soft(n, d)),
    "binary, images": lambda n, d, m: (
        losses.SigmoidBinaryCrossEntropy(),
        3 * data(n, d, m),
        soft(n, d * m).reshape(n, d, m),
    ),
    "squared error": lambda n, d, m: (losses.MeanSquaredError(), data(n, d), data(n, d, seed=5)),
    "squared error, images": lambda n, d, m: (
        losses.MeanSquaredError(),
        data(n, d, m),
        data(n, d, m, seed=5),
    ),
    "in pairs": in_pairs,
    "in pairs, images": images_in_pairs,
    "in one pair, images": images_in_one_pair,
    "one by one": one_by_one,
    "parameters alone": parameters_alone,
    "channels last": channels_last,
    "mul": lambda n, d, m: (scalar.MulLayer(), data(n, d), data(n, d, seed=5)),
    "add": lambda n, d, m: (scalar.AddLayer(), data(n, d), data(d, seed=5)),
    "sum": lambda n, d, m: (scalar.SumLayer(), data(n, d), data(d, seed=5), data(n, d, seed=6)),
    "div": lambda n, d, m: (scalar.DivLayer(), data(n, d), 1.5 + data(n, d, seed=5) ** 2),
    "reciprocal": lambda n, d, m: (scalar.ReciprocalLayer(), 1.5 + data(n, d) ** 2),
    "exp": lambda n, d, m: (scalar.ExpLayer(), data(n, d)),
    "log": lambda n, d, m: (scalar.LogLayer(), 1.5 + data(n, d) ** 2),
}
PAIRS, SINGLE = ["in pairs", "in pairs, images", "in one pair, images"], ["one by one", "parameters alone"]
NORMED = ["batch norm", "batch norm, images", "channels last"]
LOSS = ["cross-entropy", "cross-entropy, far out"]
SOFT = ["cross-entropy, soft", "cross-entropy, smoothed", "cross-entropy, both"]
BINARY, SQUARED = ["binary", "binary, far out", "binary, images"], ["squared error", "squared error, images"]
FORMULAS = [  # class, method, module with its globals, cases that run it
    (layers.Affine, "compute", affine, ["affine", "affine, images"]),
    (layers.Affine, "derive", affine, ["affine", "affine, images"]),
    (layers.ReLU, "compute", relu, ["relu"]),
    (layers.ReLU, "derive", relu, ["relu"]),
    (layers.LeakyReLU, "compute", leaky_relu, ["leaky relu"]),
    (layers.LeakyReLU, "derive", leaky_relu, ["leaky relu"]),
    (layers.GELU, "compute", gelu, ["gelu", "gelu, far out"]),
    (layers.GELU, "derive", gelu, ["gelu", "gelu, far out"]),
    (layers.Tanh, "compute", tanh, ["tanh", "tanh, far out"]),
    (layers.Tanh, "derive", tanh, ["tanh", "tanh, far out"]),
    (layers.Softmax, "compute", softmax, ["softmax", "softmax, far out", "softmax, images"]),
    (layers.Softmax, "derive", softmax, ["softmax", "softmax, far out", "softmax, images"]),
    (layers.LayerNorm, "compute", layer_norm, ["layer norm", "layer norm, images"]),
    (layers.LayerNorm, "derive", layer_norm, ["layer norm", "layer norm, images"]),
    (layers.Sigmoid, "compute", sigmoid, ["sigmoid", "sigmoid, far out"]),
    (layers.Sigmoid, "derive", sigmoid, ["sigmoid", "sigmoid, far out"]),
    (layers.BatchNorm, "compute", batch_norm, ["batch norm", "batch norm, images"]),
    (layers.BatchNorm, "derive", batch_norm, ["batch norm", "batch norm, images"]),
    (layers.Dropout, "derive", dropout, ["dropout", "dropout, images"]),
    (losses.SoftmaxCrossEntropy, "compute", softmax_cross_entropy, [*LOSS, *SOFT]),
    (losses.SoftmaxCrossEntropy, "derive", softmax_cross_entropy, [*LOSS, *SOFT]),
    (losses.SigmoidBinaryCrossEntropy, "compute", sigmoid_binary_cross_entropy, BINARY),
    (losses.SigmoidBinaryCrossEntropy, "derive", sigmoid_binary_cross_entropy, BINARY),
    (losses.MeanSquaredError, "compute", mean_squared_error, SQUARED),
    (losses.MeanSquaredError, "derive", mean_squared_error, SQUARED),
    (scalar.MulLayer, "backward", arithmetic, ["mul"]),
    (scalar.AddLayer, "backward", arithmetic, ["add"]),
    (scalar.SumLayer, "backward", arithmetic, ["sum"]),
    (scalar.DivLayer, "backward", arithmetic, ["div"]),
    (scalar.ReciprocalLayer, "backward", arithmetic, ["reciprocal"]),
    (scalar.ExpLayer, "backward", exponential, ["exp"]),
    (scalar.LogLayer, "backward", exponential, ["log"]),
]
HELPERS = [  # functions that several twins call, and cases that run them
    (batch_norm, "_axes", ["batch norm", "batch norm, images"]),
    (batch_norm, "_per_feature", ["batch norm", "batch norm, images"]),
    (affine_twins, "products", ["affine, images", *PAIRS, *SINGLE]),
    (affine_twins, "rows_of", ["affine", "affine, images", *PAIRS]),
    (product, "product", [*PAIRS, *SINGLE]),
    (product, "together", [*PAIRS, *SINGLE]),
    (product.Product, "rows", [*PAIRS, *SINGLE]),
    *(
        (batch_norm_twins, name, NORMED)
        for name in ("channels_last", "rows_of", "images_of", "along", "sums")
    ),
    (loss_twins, "losses", [*LOSS, *SOFT, *PAIRS, *SINGLE]),
    (loss_twins, "dlogits", [*LOSS, *SOFT, *PAIRS, *SINGLE]),
    (loss_twins, "smoothed", SOFT),
]
TWIN_MODULES = {
    affine_twins: ["affine", "affine, images", *PAIRS, *SINGLE],
    relu_twins: ["relu", *SINGLE],
    leaky_relu_twins: ["leaky relu"],
    sigmoid_twins: ["sigmoid", "tanh", "sigmoid, far out", "tanh, far out"],
    batch_norm_twins: NORMED,
    layer_norm_twins: ["layer norm", "layer norm, images"],
    dropout_twins: ["dropout", "dropout, images"],
    loss_twins: [*LOSS, *PAIRS, *SINGLE],
    binary_twins: BINARY,
    squared_twins: SQUARED,
}

SIDES = ("its left side", "its right side")
SHARED = "one thread or several, the same"
ANY_ROWS = "channels alternate in rows of any number of pixels, in any order"
FACTOR = "the twin flattens it; only the formula, which may follow the twin, reads its shape"
EQUIVALENT = {  # mutants that compute the same, with the reason
    "ReLU.compute, node 12: xp.real(x) <= 0 -> <": "at 0 it is 0 on either side",
    "LeakyReLU.compute, node 12: xp.real(x) <= 0 -> <": "likewise",
    "LeakyReLU.derive, node 9: xp.real(out) > 0 -> >=": "only at the kink another slope",
    "twin of LeakyReLU.derive, node 64: out_block > zero -> >=": "likewise",
    "GELU.compute, node 18: xp.real(x) < -FARTHEST -> <=": "there both are -FARTHEST",
    "GELU.compute, node 42: xp.real(x) > FARTHEST -> >=": "likewise",
    "GELU.compute, node 51: xp.real(x) > 0 -> >=": "near 0 both are x",
    "GELU.compute, node 75: 0 -> the other axis": "likewise",
    "Tanh.compute, node 19: xp.real(x) < 0 -> <=": "at 0 both forms are right",
    "Tanh.compute, node 31: 0 -> the other axis": "so they are up to 1",
    "Softmax.derive, node 14: 2 -> 1 less": "once is right but for rounding",
    "Sigmoid.compute, node 9: xp.real(x) < 0 -> <=": "at 0 both forms are right",
    "Sigmoid.compute, node 16: 0 -> the other axis": "so they are up to 1",
    "backends.numpy.affine.rows_of, node 12: 2 -> 1 less": "rows are reshaped to themselves",
    **{
        f"backends.numpy.affine.products, node {change}": SHARED
        for change in (
            *(f"38: dz.size * W.shape[0] -> {other}" for other in ("+", "/", *SIDES)),
            "94: 0 -> the other axis",
        )
    },
    **{
        f"backends.numpy.product.product, node {change}": SHARED
        for change in (
            "10: not is_shared(a.size * b.shape[1]) -> the opposite",
            *(f"21: a.size * b.shape[1] -> {other}" for other in ("+", "/", *SIDES)),
            "45: 1 -> the other axis",
        )
    },
    **{f"backends.numpy.product.together, node 40: rows // LEAST -> {side}": SHARED for side in SIDES},
    "Product.rows, node 15: len(self.a) * (part + 1) // number -> its left side": "computed twice",
    "Product.rows, node 20: len(self.a) * part -> its right side": "likewise",
    "twin of Affine.compute, node 20: x.ndim == 2 -> !=": "a copy holds the same",
    "twin of Affine.compute, node 35: 2 -> 1 less": "likewise",
    "twin of Affine+ReLU.compute, node 21: x.ndim == 2 -> !=": "likewise",
    "twin of Affine+ReLU.compute, node 43: 2 -> 1 less": "likewise",
    "twin of Affine+SoftmaxCrossEntropy.compute, node 48: 2 -> 1 less": "likewise",
    "backends.numpy.batch_norm.channels_last, node 12: 2 -> 1 less": "with two axes it is [0, 1]",
    "backends.numpy.batch_norm.rows_of, node 12: 2 -> 1 less": ANY_ROWS,
    "backends.numpy.batch_norm.rows_of, node 16: x.shape[-2] * x.shape[-1] -> its right side": ANY_ROWS,
    "twin of BatchNorm.compute, node 248: [1] * (x.ndim - 2) -> its left side": FACTOR,
    "twin of BatchNorm.compute, node 321: x.ndim - 2 -> +": FACTOR,
    "twin of BatchNorm.compute, node 321: x.ndim - 2 -> its left side": FACTOR,
    "twin of BatchNorm.compute, node 321: x.ndim - 2 -> its right side": FACTOR,
    "twin of BatchNorm.compute, node 357: 2 -> 1 less": FACTOR,
    "twin of Affine+SoftmaxCrossEntropy.derive, node 20: 0 -> the other axis": "it is not read",
    "SoftmaxCrossEntropy.compute, node 113: xp.real(t) > 0.0 -> >=": "only an infinite logit tells",
    "SoftmaxCrossEntropy.compute, node 115: 0.0 -> 1 more": "it is multiplied by a t of 0",
    "backends.numpy.softmax_cross_entropy.losses, node 203: rest * ones(classes, z.dtype) -> /": "by 1",
    "SigmoidBinaryCrossEntropy.compute, node 12: xp.real(z) > 0.0 -> >=": "at 0 both forms are right",
    "SigmoidBinaryCrossEntropy.compute, node 23: 0.0 -> 1 more": "up to 1 both forms are right",
    "twin of Affine+ReLU.compute, node 31: out.nbytes <= BLOCK -> <": "one block or several, the same",
    "twin of Affine+ReLU.compute, node 31: out.nbytes <= BLOCK -> >=": "likewise",
    "twin of Affine+ReLU.derive, node 13: out.nbytes <= BLOCK -> <": "likewise",
    "twin of Affine+ReLU.derive, node 13: out.nbytes <= BLOCK -> >=": "likewise",
}
OTHER_FUNCTIONS = {  # mutants whose gradient is right, that of another function; values tell them
    "ReLU.compute, node 22: 0 -> the other axis": "0 up to 1",
    "GELU.compute, node 10: xp.where(xp.real(x) < -FARTHEST, -FARTHEST, xp.where(xp.real(x) > FARTHEST, "
    "FARTHEST, x)) -> the other way round": "0",
    "GELU.compute, node 18: xp.real(x) < -FARTHEST -> >": "0",
    "GELU.compute, node 38: -FARTHEST -> +": "0 up to FARTHEST",
    "BatchNorm.compute, node 98: variance + self.eps -> -": "another ε",
    "BatchNorm.compute, node 98: variance + self.eps -> its left side": "no ε",
    "LayerNorm.compute, node 64: variance + self.eps -> -": "another ε",
    "LayerNorm.compute, node 64: variance + self.eps -> its left side": "no ε",
    "SigmoidBinaryCrossEntropy.compute, node 28: "
    "xp.where(positive, 1.0 - t, t) -> the other way round": "of 1 - t",
    "SigmoidBinaryCrossEntropy.compute, node 50: 1.0 - t -> +": "of -t where z > 0",
    "SigmoidBinaryCrossEntropy.compute, node 50: 1.0 - t -> its left side": "of t = 0 where z > 0",
    "SigmoidBinaryCrossEntropy.compute, node 50: 1.0 - t -> its right side": "of 1 - t where z > 0",
    "SigmoidBinaryCrossEntropy.compute, node 79: 1.0 -> 1 more": "of t - 1 where z > 0",
    "MeanSquaredError.compute, node 9: y - t -> +": "of -t",
    "MeanSquaredError.compute, node 9: y - t -> its left side": "of t = 0",
}


# ------------------------------------------------------------------------------------------------ all of them


def mutants():
    """Yield all mutants: the changed function, the place it goes to, and the cases that run it."""
    for owner, method, module, cases in FORMULAS:
        function = inspect.getattr_static(owner, method)
        for name, mutant in mutants_of(function, module, f"{owner.__name__}.{method}"):
            yield pytest.param(mutant, (owner, method), cases, id=name)
    for owner, function, cases in HELPERS:
        module = inspect.getmodule(owner)
        for name, mutant in mutants_of(getattr(owner, function), module, f"{owner.__name__}.{function}"):
            yield pytest.param(mutant, (owner, function), cases, id=name)
    for (backend, formula), twin in list(TWINS.items()):
        module = next((m for m in TWIN_MODULES if m.__name__ == twin.function.__module__), None)
        if backend == "numpy" and module is not None:
            for name, mutant in mutants_of(twin.function, module, f"twin of {formula}"):
                yield pytest.param(mutant, ("numpy", formula), TWIN_MODULES[module], id=name)


@pytest.fixture
def put(monkeypatch):
    """Return put(function, place), which puts a mutant in place of a twin, a formula or a helper."""

    yield partial(mutations.put, monkeypatch)
    monkeypatch.undo()


ALL = list(mutants())
UNCHANGED = [mutant for mutant in ALL if mutant.id.endswith(", unchanged")]
RIGHT = [mutant for mutant in ALL if mutant.id in EQUIVALENT or mutant.id in OTHER_FUNCTIONS]
MUTANTS = [mutant for mutant in ALL if not any(mutant is each for each in (*UNCHANGED, *RIGHT))]


def verdicts(cases, *namespaces):
    """Return whether the gradients agree in some cases: by both methods, for arrays of one block or several.

    namespaces: further globals that say how large a block is.
    """
    for case in cases:
        for shape in (SQUARE, OBLONG):
            for method in ("complex", "central"):
                yield agrees(check_gradients(*CASES[case](*shape), method=method), method)
    with pytest.MonkeyPatch.context() as patch:
        for names in (vars(block_twins), vars(affine_twins), *namespaces):
            patch.setitem(names, "BLOCK", 120)  # bytes: two rows, and a rest
        for case in set(cases) & {"in pairs"}:
            yield agrees(check_gradients(*CASES[case](*OBLONG)), "complex")
        for least in (2, 8):  # several threads, each with at least two rows, and one alone
            for names in (vars(product), *namespaces):
                patch.setitem(names, "SMALL", 1)
                patch.setitem(names, "LEAST", least)
                patch.setitem(names, "allowed_threads", lambda: 2)
            for case in [each for each in cases if each in ("affine", "in pairs", "parameters alone")]:
                yield agrees(check_gradients(*CASES[case](*OBLONG), method="central"), "central")


@pytest.mark.parametrize(("mutant", "place", "cases"), MUTANTS)
def test_a_mutant_is_caught(put, mutant, place, cases):
    put(mutant, place)
    try:
        caught = not all(verdicts(cases, mutant.__globals__))
    except DOES_NOT_RUN:
        return  # the mutant does not run at all
    assert caught


@pytest.mark.parametrize(("function", "place", "cases"), UNCHANGED)
def test_what_they_are_mutants_of_passes(put, function, place, cases):
    put(function, place)
    assert all(verdicts(cases, function.__globals__))


def test_the_networks_run_the_twins_of_pairs(put):
    seen = []
    for formula in ("Affine+ReLU.derive", "Affine+SoftmaxCrossEntropy.derive"):
        function = TWINS["numpy", formula].function
        put(lambda *args, f=function, name=formula: seen.append(name) or f(*args), ("numpy", formula))
    check_gradients(*in_pairs(*SQUARE)).assert_ok()
    assert set(seen) == {"Affine+ReLU.derive", "Affine+SoftmaxCrossEntropy.derive"}


@pytest.mark.parametrize(("mutant", "place", "cases"), RIGHT)
def test_one_with_a_right_gradient_computes_the_same_or_shows_in_its_values(
    request, put, mutant, place, cases
):
    right = outputs(cases)
    put(mutant, place)
    largest = max(abs(now - then).max() for now, then in zip(outputs(cases), right, strict=True))
    name = request.node.callspec.id
    assert largest < 1e-12 if name in EQUIVALENT else largest > 1e-7


def outputs(cases):
    """Return the outputs of some cases."""
    return [run_forward(*CASES[case](*shape)) for case in cases for shape in (SQUARE, OBLONG)]


def run_forward(obj, *inputs):
    return np.asarray(obj.loss(*inputs, training=True) if isinstance(obj, Network) else obj.forward(*inputs))


def test_there_are_many_and_every_right_one_is_still_among_them():
    assert len(MUTANTS) >= 200
    assert {*EQUIVALENT, *OTHER_FUNCTIONS} == {mutant.id for mutant in RIGHT}


def test_every_twin_of_a_layer_or_loss_has_mutants():
    """GELU's alone has none: float32 alone has a twin, and a gradient is checked in float64.

    Those of images have theirs in test_mutants_of_convolution.py.
    """
    of_images = {"Conv2D", "MaxPool2D", "AveragePool2D", "GlobalAveragePool2D"}
    of_layers = {*layers.__all__, *losses.__all__} - {"GELU"} - of_images
    twinned = {
        name for backend, name in TWINS if backend == "numpy" and re.split("[.+]", name)[0] in of_layers
    }
    assert twinned == {place[1] for _, place, _ in (each.values for each in UNCHANGED) if place in TWINS}
