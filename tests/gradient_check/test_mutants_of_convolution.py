"""Mutants of convolution and pooling, of their formulas and their twins: each one is caught.

Images, kernels and outputs are oblong, and some of the last rows and columns are met by no window. The batch
is computed in two parts, and their rows in several blocks. Memory to work in holds NaN at first, and windows
of memory end where the array ends, so that what a mutant reads by mistake shows.

`Form.several` and `Form.at_once` have no mutants: they say how much is computed at a time.
"""

import inspect

import mutations
import numpy as np
import pytest
from mutations import DOES_NOT_RUN, agrees, mutants_of, plain
from numpy.lib.stride_tricks import as_strided

from backends import TWINS
from backends.numpy import batch_parts, pool2d
from backends.numpy.backend import NumpyBackend
from backends.numpy.conv2d import direct, form, geometry, narrow, part, passes, pooling, winograd
from backprop import check_gradients, layers, losses
from backprop.layers import average_pool2d, conv2d, global_average_pool2d, max_pool2d, windows
from backprop.networks import Network

N = 5


def data(*shape, seed=4):
    return np.random.default_rng(seed).normal(size=shape)


def alone(layer, *shape):
    """Return a layer and images of this shape."""
    return layer, data(N, *shape)


def conv(filters, channels, height, width, **settings):
    return layers.Conv2D(
        data(filters, channels, height, width, seed=1), data(filters, seed=2) / 5, **settings
    )


class WithoutInput(Network):
    """A network that does not compute the gradient of its input, as in training."""

    def gradient(self, x, t):
        return super().gradient(x, t)


def network(*chain, shape, kind=Network):
    """Return a network that ends in an Affine of two units, and images of this shape."""
    net = kind([*chain, layers.Affine(2)], losses.SoftmaxCrossEntropy(), shape, rng=3, dtype="float64")
    return net, data(N, *shape), [0, 1, 1, 0, 1]


def rectified(filter_bank, *shape):
    """Return a network in which a twin computes Conv2D and ReLU in one."""
    return network(filter_bank, layers.ReLU(), shape=shape)


def halved(filter_bank, *shape):
    """Return a network in which a twin computes Conv2D, ReLU and max pooling of 2 × 2 in one."""
    return network(filter_bank, layers.ReLU(), layers.MaxPool2D(2), shape=shape)


CASES = {
    "narrow": lambda: alone(conv(3, 2, 3, 2, padding=1), 2, 5, 4),
    "narrow, far padding": lambda: alone(conv(3, 2, 2, 3, stride=5, padding=3), 2, 5, 7),
    "narrow, stride 2": lambda: alone(conv(3, 2, 2, 3, stride=2), 2, 11, 6),
    "direct": lambda: alone(conv(3, 4, 5, 4, padding=2), 4, 6, 5),
    "direct, stride 2": lambda: alone(conv(2, 6, 2, 3, stride=2), 6, 11, 8),
    "direct, far padding": lambda: alone(conv(2, 6, 2, 3, stride=5, padding=3), 6, 5, 7),
    "winograd": lambda: alone(conv(3, 6, 3, 3, padding=1), 6, 5, 4),
    "winograd, no padding": lambda: alone(conv(2, 6, 3, 3), 6, 8, 5),
    "winograd, far padding": lambda: alone(conv(2, 6, 3, 3, padding=3), 6, 2, 3),
    "stride 2, winograd back": lambda: alone(conv(2, 6, 3, 3, stride=2, padding=1), 6, 8, 7),
    "narrow, relu": lambda: rectified(conv(3, 2, 3, 2, padding=1), 2, 5, 4),
    "direct, relu": lambda: rectified(conv(3, 4, 5, 4, padding=2), 4, 6, 5),
    "winograd, relu": lambda: rectified(conv(3, 6, 3, 3, padding=1), 6, 5, 4),
    "narrow, halved": lambda: halved(conv(3, 2, 3, 2, padding=1), 2, 7, 6),
    "direct, halved": lambda: halved(conv(3, 4, 5, 4, padding=2), 4, 7, 8),
    "winograd, halved": lambda: halved(conv(3, 6, 3, 3, padding=1), 6, 7, 4),
    "parameters alone": lambda: network(conv(3, 2, 2, 3), shape=(2, 4, 5), kind=WithoutInput),
    "between": lambda: network(
        conv(2, 2, 2, 3), layers.ReLU(), layers.MaxPool2D(3, 2, 1), layers.Sigmoid(),
        conv(2, 2, 3, 3, padding=1), layers.Sigmoid(), layers.AveragePool2D(2), shape=(2, 7, 10),
    ),
    "max pooling": lambda: alone(layers.MaxPool2D(2), 2, 5, 7),
    "max pooling, overlapping": lambda: alone(layers.MaxPool2D(3, 2, 1), 2, 6, 9),
    "average pooling": lambda: alone(layers.AveragePool2D(2), 2, 5, 7),
    "average pooling, overlapping": lambda: alone(layers.AveragePool2D(3, 2, 1), 2, 7, 8),
    "global": lambda: alone(layers.GlobalAveragePool2D(), 2, 3, 4),
}  # fmt: skip
NARROW = ["narrow", "narrow, stride 2", "narrow, far padding", "narrow, halved"]
DIRECT = ["direct", "direct, stride 2", "direct, far padding", "direct, halved"]
WINOGRAD = ["winograd", "winograd, no padding", "winograd, far padding", "winograd, halved"]
RELU = ["narrow, relu", "direct, relu", "winograd, relu"]
HALVED = ["narrow, halved", "direct, halved", "winograd, halved"]
CONV = ["narrow, far padding", "winograd", "direct, stride 2", "winograd, far padding", "direct, far padding"]
PASSES = [
    *CONV,
    "winograd, relu",
    "narrow, halved",
    "parameters alone",
    "direct",
    "stride 2, winograd back",
    "winograd, far padding",
]
MAX, AVERAGE = (
    ["max pooling", "max pooling, overlapping", "between"],
    ["average pooling", "average pooling, overlapping", "between"],
)
POOL = [*MAX[:2], *AVERAGE]
FORMULAS = [  # class or module, function, module with its globals, cases that run it
    *((windows, name, windows, [*CONV, *POOL]) for name in ("windows", "added_back", "_places")),
    (windows, "window_counts", windows, [*CONV, *POOL]),
    *((layers.Conv2D, name, conv2d, CONV) for name in ("compute", "derive", "_matrices")),
    *((layers.MaxPool2D, name, max_pool2d, MAX[:2]) for name in ("compute", "derive")),
    *((layers.AveragePool2D, name, average_pool2d, AVERAGE[:2]) for name in ("compute", "derive")),
    *(
        (layers.GlobalAveragePool2D, name, global_average_pool2d, ["global"])
        for name in ("compute", "derive")
    ),
]
METHODS = ("products", "zero_dW", "add_dW", "dW")
HELPERS = [  # functions that twins call
    *((direct.Direct, name, direct, DIRECT) for name in METHODS),
    *((winograd.Winograd, name, winograd, WINOGRAD) for name in (*METHODS, "_windows")),
    (winograd.Winograd, "suits", winograd, PASSES),
    (winograd, "_summed_filters", winograd, WINOGRAD),
    *((narrow.Narrow, name, narrow, NARROW) for name in ("entered", *METHODS, "_windows")),
    (narrow.Narrow, "suits", narrow, PASSES),
    *((form.Form, name, form, [*DIRECT, *WINOGRAD, *NARROW]) for name in ("rows", "blocks")),
    *((geometry.Geometry, name, geometry, PASSES) for name in ("counts", "of_dx")),
    *((geometry, name, geometry, PASSES) for name in ("padded", "spread", "_along", "_inside")),
    *((pooling, name, pooling, HALVED) for name in ("pooled", "unpooled")),
    (pooling.Largest, "of", pooling, HALVED),
    *((passes, name, passes, PASSES) for name in ("convolved", "gradients_of", "through", "sizes", "write")),
    (passes, "pooled_sizes", passes, HALVED),
    (part.Part, "count", part, PASSES),
    *((pool2d, name, pool2d, POOL) for name in ("padded", "empty_like", "without_padding", "under")),
]
OF_TWINS = {
    "Conv2D": [*NARROW[:3], *DIRECT[:3], *WINOGRAD[:3]],
    "Conv2D+ReLU": RELU,
    "Conv2D+ReLU+MaxPool2D": HALVED,
    "MaxPool2D": MAX,
    "AveragePool2D": AVERAGE,
}
AT_A_TIME = "how much is computed at a time"
ANY_FORM = "every form computes every convolution that it is given"
MORE = "more memory, read by nothing"
BELOW = "of the padding below, only the rows that the form asks for are read"
TIES = "only equal values tell, and there no derivative exists"
EQUIVALENT = {  # mutants that compute the same, with the reason
    "GlobalAveragePool2D.derive, node 10: share * xp.ones_like(x) -> /": "by 1",
    "Winograd.products, node 67: 4 * X[0].nbytes -> +": AT_A_TIME,
    "Winograd.products, node 67: 4 * X[0].nbytes -> /": AT_A_TIME,
    "Winograd.products, node 67: 4 * X[0].nbytes -> its left side": AT_A_TIME,
    "Winograd.products, node 67: 4 * X[0].nbytes -> its right side": AT_A_TIME,
    "Winograd.products, node 105: 4 -> 1 less": AT_A_TIME,
    "Winograd.products, node 148: 0 -> the other axis": AT_A_TIME,
    "Winograd._windows, node 143: 2 * (first + count) + i - 1 -> its left side": "the step is 2",
    "Winograd._windows, node 189: 1 -> the other axis": "likewise",
    "Winograd.suits, node 13: 1 -> the other axis": ANY_FORM,
    "Winograd.suits, node 16: 3 -> 1 less": ANY_FORM,
    "Winograd.suits, node 17: 3 -> 1 less": ANY_FORM,
    "Narrow.entered, node 178: 2 * p -> +": BELOW,
    "Narrow.entered, node 178: 2 * p -> its right side": BELOW,
    "Narrow.entered, node 219: 2 -> 1 less": BELOW,
    "Narrow.suits, node 4: size.channels * size.kernel[1] < 16 -> <=": ANY_FORM,
    "Narrow.suits, node 4: size.channels * size.kernel[1] < 16 -> >": ANY_FORM,
    "Narrow.suits, node 5: size.channels * size.kernel[1] -> +": ANY_FORM,
    "Narrow.suits, node 5: size.channels * size.kernel[1] -> /": ANY_FORM,
    "Narrow.suits, node 5: size.channels * size.kernel[1] -> its left side": ANY_FORM,
    "Narrow.suits, node 5: size.channels * size.kernel[1] -> its right side": ANY_FORM,
    "Narrow.suits, node 7: 16 -> 1 less": ANY_FORM,
    "Narrow.suits, node 14: 1 -> the other axis": ANY_FORM,
    "Form.rows, node 12: 2 * self.tiles - 1 -> +": MORE,
    "Form.rows, node 12: 2 * self.tiles - 1 -> its left side": MORE,
    "Form.rows, node 20: 1 -> the other axis": MORE,
    "Geometry.of_dx, node 13: size + k - 1 -> +": MORE,
    "Geometry.of_dx, node 13: size + k - 1 -> its left side": MORE,
    "Geometry.of_dx, node 21: 0 -> the other axis": "it is not read: `spread` pads",
    "Geometry.of_dx, node 26: 1 -> the other axis": MORE,
    "geometry.padded, node 98: 2 * p -> +": BELOW,
    "geometry.padded, node 98: 2 * p -> its right side": BELOW,
    "geometry.padded, node 109: 2 -> 1 less": BELOW,
    "geometry._along, node 51: lead + stop -> its right side": "where lead is not 0, needed is larger",
    "geometry._inside, node 28: 1 -> the other axis": "0 everywhere in place of around it",
    "passes.gradients_of, node 372: H % 2 -> its left side": MORE,
    "passes.gradients_of, node 372: H % 2 -> its right side": MORE,
    "passes.sizes, node 61: (rows + 1) // 2 -> its left side": "further tiles are cut off",
    "passes.sizes, node 74: 2 -> 1 less": "likewise",
    "twin of MaxPool2D.compute, node 27: found &= left -> nothing": TIES,
    "twin of MaxPool2D.compute, node 28: left ^= found -> nothing": TIES,
}
OTHER_FUNCTIONS = {  # mutants whose gradient is right, that of another function; values tell them
    "MaxPool2D.compute, node 91: 0.0 -> 1 more": "more by the number of the smaller values",
    "twin of AveragePool2D.compute, node 57: 0.0 -> 1 more": "the padding is 1",
}


def mutants():
    """Yield all mutants: the changed function, the place it goes to, and the cases that run it."""
    for owner, name, module, cases in [*FORMULAS, *HELPERS]:
        function = inspect.getattr_static(owner, name)
        for words, mutant in mutants_of(function, module, f"{owner.__name__.rpartition('.')[2]}.{name}"):
            yield pytest.param(mutant, (owner, name), cases, id=words, marks=marks(words))
    for layer, cases in OF_TWINS.items():
        for method in ("compute", "derive"):
            function = TWINS["numpy", f"{layer}.{method}"].function
            module = inspect.getmodule(function)
            for words, mutant in mutants_of(function, module, f"twin of {layer}.{method}"):
                place = ("numpy", f"{layer}.{method}")
                yield pytest.param(mutant, place, cases, id=words, marks=marks(words))


def marks(words):
    """Return the mark of a mutant that has only one side of an operation: most have another operator too."""
    return [pytest.mark.slow] * words.endswith("side")


ALL = list(mutants())
UNCHANGED = [mutant for mutant in ALL if mutant.id.endswith(", unchanged")]
RIGHT = [mutant for mutant in ALL if mutant.id in EQUIVALENT or mutant.id in OTHER_FUNCTIONS]
MUTANTS = [mutant for mutant in ALL if not any(mutant is each for each in (*UNCHANGED, *RIGHT))]


def within_its_array(x, shape, strides):
    """Return what `as_strided` does, or raise ValueError if it would read beyond the array's memory."""
    start = x.__array_interface__["data"][0]
    end = start + sum((count - 1) * stride for count, stride in zip(x.shape, x.strides, strict=True))
    steps = [(count - 1) * stride for count, stride in zip(shape, strides, strict=True)]
    first = start + sum(step for step in steps if step < 0)
    last = start + sum(step for step in steps if step > 0) + x.itemsize
    if x.size == 0 or not start <= first <= last <= end + x.itemsize:
        raise ValueError("a window of memory reaches beyond its array")
    return as_strided(x, shape, strides)


def nan(self, shape, dtype):
    """Return an array of NaN, or of false."""
    dtype = dtype if isinstance(dtype, np.dtype) else self.dtype(dtype)
    return np.full(shape, False if dtype.kind == "b" else np.nan, dtype)


@pytest.fixture
def put(monkeypatch):
    """Return put(function, place), with small parts and blocks, and memory that holds NaN."""

    def put_in_place(mutant, place):
        monkeypatch.setattr(batch_parts, "MOST", 3)  # samples
        monkeypatch.setattr(form.Form, "several", lambda self, tile: min(2, self.tiles))
        monkeypatch.setattr(NumpyBackend, "empty", nan)
        for names in (*map(vars, (direct, winograd, narrow)), plain(mutant).__globals__):
            if "as_strided" in names:
                monkeypatch.setitem(names, "as_strided", within_its_array)
        mutations.put(monkeypatch, mutant, place)

    yield put_in_place
    monkeypatch.undo()


def verdicts(cases, place):
    """Return whether the gradients agree in some cases, by both methods; those of formulas without twins."""
    for case in cases:
        for method in ("central", "complex"):
            yield agrees(check_gradients(*CASES[case](), method=method), method)
    if place[0] is windows or place[1] == "_matrices":
        with pytest.MonkeyPatch.context() as patch:
            for formula in [each for each in TWINS if "2D" in each[1]]:
                patch.delitem(TWINS, formula)
            for case in cases:
                yield agrees(check_gradients(*CASES[case]()), "complex")


@pytest.mark.parametrize(("mutant", "place", "cases"), MUTANTS)
def test_a_mutant_is_caught(put, mutant, place, cases):
    put(mutant, place)
    try:
        caught = not all(verdicts(cases, place))
    except DOES_NOT_RUN:
        return
    assert caught


@pytest.mark.parametrize(("function", "place", "cases"), UNCHANGED)
def test_what_they_are_mutants_of_passes(put, function, place, cases):
    put(function, place)
    assert all(verdicts(cases, place))


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
    return [run_forward(*CASES[case]()) for case in cases]


def run_forward(obj, *inputs):
    return np.asarray(obj.loss(*inputs, training=True) if isinstance(obj, Network) else obj.forward(*inputs))


def test_there_are_many_and_every_right_one_is_still_among_them():
    assert len(MUTANTS) >= 800
    assert {*EQUIVALENT, *OTHER_FUNCTIONS} == {mutant.id for mutant in RIGHT}


def test_every_twin_of_images_has_mutants():
    twinned = {name for backend, name in TWINS if backend == "numpy" and "2D" in name}
    assert twinned == {f"{layer}.{method}" for layer in OF_TWINS for method in ("compute", "derive")}
