"""Every twin in the table computes what its formulas do, and is found by them: the one test of twins.

A new twin needs no test of its own: only, where its layer is not known yet, a line in LAYERS.
"""

from functools import wraps
from math import prod
from typing import Any, NamedTuple

import numpy as np
import pytest
from emulated_cupy import emulated_backend

import backends.cupy
import backends.numpy  # noqa: F401 - its twins, too
import backprop.layers
import backprop.losses
import backprop.optimizers
from backends import TWINS, NewArrays, Workspace, find, register, twins
from backends.cupy import conv2d, launch, windows
from backends.testing import backend_or_skip
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
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
from backprop.layers.stage import write
from backprop.losses import Loss, MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.optimizers import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSProp, clipping, decay
from backprop.training import step

PLACES = backprop.layers, backprop.losses, backprop.optimizers
FUNCTIONS = step, clipping, decay  # the modules with plain functions that have twins
WIDTH = 5  # numbers per sample that come out of an Affine, or filters of a Conv2D
IMAGES = {
    "Conv2D",
    "MaxPool2D",
    "AveragePool2D",
    "GlobalAveragePool2D",
}  # layers of images, which here have 5 × 4 pixels


class Case(NamedTuple):
    """Arguments of neighbouring layers, the last of which may be a loss; float64, and rounded to quarters.

    Why rounded: products are exact then in any order and in any dtype, so that a ReLU behind them sees the
    same signs everywhere.  names: of the parameters, which are those of the first layer.
    """

    layers: list[Any]
    x: np.ndarray
    names: tuple[str, ...]
    params: tuple[np.ndarray, ...]
    state: tuple[np.ndarray, ...]
    targets: tuple[np.ndarray, ...]
    dout: Any


def quarters(rng, *shape):
    return np.round(rng.normal(size=shape) * 4) / 4


# A layer with its parameters by name and its state, for a sample of that shape.
LAYERS = {
    "Affine": lambda rng, shape: (
        Affine(WIDTH),
        {"W": quarters(rng, prod(shape), WIDTH), "b": quarters(rng, WIDTH)},
        (),
    ),
    "ReLU": lambda rng, shape: (ReLU(), {}, ()),
    "LeakyReLU": lambda rng, shape: (LeakyReLU(), {}, ()),
    "Sigmoid": lambda rng, shape: (Sigmoid(), {}, ()),
    "Tanh": lambda rng, shape: (Tanh(), {}, ()),
    "GELU": lambda rng, shape: (GELU(), {}, ()),
    "BatchNorm": lambda rng, shape: (
        BatchNorm(),
        {"gamma": quarters(rng, shape[0]), "beta": quarters(rng, shape[0])},
        (quarters(rng, shape[0]), 1.0 + abs(quarters(rng, shape[0]))),
    ),
    "LayerNorm": lambda rng, shape: (
        LayerNorm(),
        {"gamma": quarters(rng, *shape), "beta": quarters(rng, *shape)},
        (),
    ),
    "Softmax": lambda rng, shape: (Softmax(), {}, ()),
    "Dropout": lambda rng, shape: (Dropout(0.4), {}, tuple(rng.integers(2**64, size=(3, 1), dtype="uint64"))),
    "Conv2D": lambda rng, shape: (
        Conv2D(WIDTH, (3, 2), padding=1),
        {"W": quarters(rng, WIDTH, shape[0], 3, 2), "b": quarters(rng, WIDTH)},
        (),
    ),
    "MaxPool2D": lambda rng, shape: (MaxPool2D(2), {}, ()),
    "GlobalAveragePool2D": lambda rng, shape: (GlobalAveragePool2D(), {}, ()),
    "AveragePool2D": lambda rng, shape: (AveragePool2D(2, stride=1, padding=1), {}, ()),
    "SoftmaxCrossEntropy": lambda rng, shape: (SoftmaxCrossEntropy(), {}, ()),
    "SigmoidBinaryCrossEntropy": lambda rng, shape: (SigmoidBinaryCrossEntropy(), {}, ()),
    "MeanSquaredError": lambda rng, shape: (MeanSquaredError(), {}, ()),
}
OPTIMIZERS = {
    "SGD": SGD(0.1),
    "Momentum": Momentum(0.1, 0.75),
    "Nesterov": Nesterov(0.1, 0.75),
    "AdaGrad": AdaGrad(0.1, 0.01),
    "RMSProp": RMSProp(0.1, 0.75, 0.01),
    "Adam": Adam(0.1, 0.75, 0.875, 0.01),
}
PLAIN = {"minibatch", "clipped", "decayed", "shrunk"}
OTHERS = {*PLAIN, "SoftmaxCrossEntropy.correct"}

UNITS = {"numpy": "numpy", "emulated": "cupy", "cupy": "cupy"}  # where twins run, and as which backend's
SHAPES = [(1, 6), (9, 2, 3), (1, 1, 1), (33, 6)]


def each(*, of, method="compute"):
    """A place, a unit of twins such as "Affine+ReLU", and a dtype: all with that method in the table.

    of: the last names of the units.
    """
    units = dict.fromkeys(key.rpartition(".")[0] or key for _, key in TWINS)
    return [
        pytest.param(place, unit, dtype, marks=[pytest.mark.gpu] if place == "cupy" else [])
        for place, backend in UNITS.items()
        for unit in units
        for key in [unit if unit in PLAIN else f"{unit}.{method}"]
        if unit.split("+")[-1] in of and (backend, key) in TWINS
        for dtype in TWINS[backend, key].dtypes
    ]


def formulas(key):
    """The functions that a name in the table stands for."""
    names, _, method = key.rpartition(".")
    owners = [
        next(getattr(place, name) for place in PLACES if hasattr(place, name))
        for name in names.split("+")
        if name
    ]
    plain = (getattr(place, method) for place in FUNCTIONS if hasattr(place, method))
    return [getattr(owner, method) for owner in owners] or [next(plain)]


def drawn(unit, shape, seed=3):
    """The arguments of a unit for samples of that shape."""
    rng = np.random.default_rng(seed)
    names = unit.split("+")
    if names[-1] == "SoftmaxCrossEntropy" and len(names) == 1:
        shape = (shape[0], prod(shape[1:]))
    if names[0] in IMAGES:
        shape = (*shape[:2], 5, 4)
    (first, params, state), *others = (LAYERS[name](rng, shape[1:]) for name in names)
    layers = [first, *(layer for layer, _, _ in others)]
    x = quarters(rng, *shape)
    out_shape = (shape[0], WIDTH) if names[0] == "Affine" else shape
    if names[0] in IMAGES:
        out = first.compute(np, x, *params.values())[0]
        for layer in layers[1:]:
            out, _ = layer.compute(np, out)
        out_shape = out.shape
    is_loss = isinstance(layers[-1], Loss)
    if isinstance(layers[-1], SoftmaxCrossEntropy):
        targets: tuple = (rng.integers(out_shape[-1], size=shape[0]),)
    else:
        targets = (rng.integers(5, size=out_shape) / 4,) if is_loss else ()
    dout = 1.0 / shape[0] if is_loss else quarters(rng, *out_shape)
    return Case(layers, x, tuple(params), tuple(params.values()), state, targets, dout)


def with_all_targets(case):
    """The case, and for a loss the same with every other kind of targets, quarters as well."""
    *before, loss = case.layers
    others = []
    if isinstance(loss, SoftmaxCrossEntropy):
        (labels,) = case.targets
        classes = WIDTH if before else case.x.shape[1]
        soft = np.random.default_rng(5).multinomial(4, np.full(classes, 1 / classes), len(labels)) / 4
        others = [(0.0, soft), (0.25, labels), (0.25, soft)]
    smoothed = [([*before, SoftmaxCrossEntropy(smoothing)], (t,)) for smoothing, t in others]
    return [case, *(case._replace(layers=layers, targets=targets) for layers, targets in smoothed)]


def by_formulas(case):
    """Out, the new state, and the gradients of x and of the parameters, in float64 by NumPy."""
    x, saved_of, new = case.x, [], ()
    for i, layer in enumerate(case.layers):
        targets = case.targets if isinstance(layer, Loss) else ()
        own = (*case.params, *case.state) if i == 0 else ()
        x, saved, *new_state = layer.compute(np, x, *targets, *own)
        new = (*new, *(new_state[0] if new_state else ()))
        saved_of.append(saved)
    out, dout, grads = x, case.dout, ()
    for layer, saved in zip(case.layers[::-1], saved_of[::-1], strict=True):
        result = layer.derive(np, dout, *saved)
        dout, *grads = result if isinstance(result, tuple) else (result,)
    return [out, *new, dout, *grads], saved_of


def by_twins(backend, dtype, case, ws, twisted=False):
    """Return the same results by the twins, with what they saved and the arguments that they received."""

    def moved(value):
        if not isinstance(value, np.ndarray):
            return value
        value = value if value.dtype.kind in "iu" else value.astype(dtype)
        if twisted and value.ndim > 1:  # the same numbers, from memory in another order
            return backend.asarray(np.ascontiguousarray(value.T)).T
        return backend.asarray(value.copy())

    x, params, state, targets, dout = (
        tuple(map(moved, part)) if isinstance(part, tuple) else moved(part)
        for part in (case.x, case.params, case.state, case.targets, case.dout)
    )
    compute, derive = (
        find(backend.name, dtype, *[getattr(layer, name) for layer in case.layers])
        for name in ("compute", "derive")
    )
    own = case.layers[0] if len(case.layers) == 1 else tuple(case.layers)
    out, saved, *new = compute(own, ws, x, *targets, *params, *state)
    alone = saved if len(case.layers) == 1 else ()  # what neighbours save together is their own affair
    out, kept = backend.to_numpy(out).copy(), [np.array(to_host(backend, value)) for value in alone]
    result = derive(own, ws, dout, *saved)
    results = [out, *(new[0] if new else ()), *(result if isinstance(result, tuple) else (result,))]
    return results, kept, [x, *params, *state, *targets, dout], saved


def to_host(backend, value):
    return backend.to_numpy(value) if isinstance(value, backend.array_type) else value


def assert_alike(backend, dtype, mine, expected):
    ulp = np.finfo(dtype).eps
    for got, wanted in zip(mine, expected, strict=True):
        got, wanted = np.asarray(to_host(backend, got)), np.asarray(wanted)
        assert got.shape == wanted.shape
        if wanted.dtype in ("uint64", "bool"):  # the state of a generator, or which values are the largest
            assert got.dtype == wanted.dtype
            np.testing.assert_array_equal(got, wanted)
            continue
        assert got.dtype == dtype
        largest = abs(wanted[np.isfinite(wanted)]).max(initial=1.0)
        np.testing.assert_allclose(got, wanted, rtol=8 * ulp, atol=16 * ulp * largest)


@pytest.fixture
def backend_at(monkeypatch):
    """The backend of a place; skips the test where it cannot be used."""

    def get(place):
        return register(emulated_backend(monkeypatch)) if place == "emulated" else backend_or_skip(place)

    return get


@pytest.fixture(params=["whole", "in parts"])
def size(request, monkeypatch):
    """Arrays as small ones are computed, and as large ones: in blocks, and with products by cuBLAS."""
    if request.param == "in parts":
        for module in ("blocks", "affine"):
            monkeypatch.setattr(f"backends.numpy.{module}.BLOCK", 64)
        for name, value in {"SMALL": -1, "ROWS": 4, "MAX_BLOCKS": 2}.items():
            monkeypatch.setattr(launch, name, value)
        monkeypatch.setattr(conv2d, "SHORTEST", 16)
        monkeypatch.setattr(windows, "MOST", 500)


# ------------------------------------------------------------------------------------------- all of the table


def test_every_twin_is_compared():
    units = {given.values[1] for given in each(of=LAYERS)}
    compared = {f"{unit}.{name}" for unit in units for name in ("compute", "derive")}
    compared |= {f"{name}.compute" for name in OPTIMIZERS} | OTHERS
    missing = {key for _, key in TWINS} - compared
    assert not missing, f"add the layers of {', '.join(missing)} to LAYERS: their twins could not be compared"


@pytest.mark.parametrize("key", TWINS, ids="-".join)
def test_every_twin_is_found_by_its_formulas_and_for_its_dtypes_only(key):
    backend, name = key
    found = formulas(name)
    assert "+".join(map(twins.name_of, found)).replace(".compute+", "+").replace(".derive+", "+") == name
    for dtype in ("float16", "float32", "float64", "complex64", "complex128", "int64", "uint8", None):
        expected = TWINS[key].function if dtype in TWINS[key].dtypes else None
        assert find(backend, dtype, *found) is expected
        assert dtype is None or find(backend, np.dtype(dtype), *found) is expected
    assert find("array_api_strict", "float32", *found) is None


@pytest.mark.parametrize(("memory", "layout"), [(NewArrays, "views"), (Workspace, "rows")])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("place", "unit", "dtype"), each(of=LAYERS))
def test_twins_compute_what_their_formulas_do(place, unit, dtype, shape, memory, layout, size, backend_at):
    backend = backend_at(place)
    ws = memory(backend, backend.dtype(dtype))
    for seed in (3, 4):  # the second time in the same arrays, if it is a Workspace
        case = drawn(unit, shape, seed)
        cases = with_all_targets(case) if seed == 3 else [case]
        if isinstance(case.dout, float):
            cases.append(cases[-1]._replace(dout=0.75))
        for each_case in cases:
            mine, kept, arguments, _ = by_twins(backend, dtype, each_case, ws, twisted=layout == "views")
            expected, saved_of = by_formulas(each_case)
            assert_alike(backend, dtype, mine, expected)
            given = (each_case.x, *each_case.params, *each_case.state, *each_case.targets, each_case.dout)
            for before, after in zip(given, arguments, strict=True):
                np.testing.assert_array_equal(
                    to_host(backend, after), before, err_msg="an argument was written"
                )
            if len(each_case.layers) == 1 and not isinstance(each_case.layers[0], Loss):
                assert_alike(backend, dtype, kept, saved_of[0])  # a complex dout is left to the formula


@pytest.mark.parametrize(("place", "unit", "dtype"), each(of=LAYERS))
def test_twins_write_gradients_where_they_are_lent_a_place(place, unit, dtype, size, backend_at):
    backend, case = backend_at(place), drawn(unit, (9, 2, 3))
    shapes = {f"d{name}": array.shape for name, array in zip(case.names, case.params, strict=True)}
    flat = backend.zeros((sum(map(prod, shapes.values())),), dtype)
    provided = {(name, shapes[name]): view for name, view in backend.views(flat, shapes).items()}
    first = 2 + len(case.state)  # after the output, the state and dx
    expected = by_formulas(case)[0][first:]
    for memory in (NewArrays, Workspace):
        flat[...] = backend.zeros(flat.shape, dtype)
        ws = memory(backend, backend.dtype(dtype), provided)
        grads = by_twins(backend, dtype, case, ws)[0][first:]
        assert [id(grad) for grad in grads] == [id(view) for view in provided.values()]
        assert_alike(backend, dtype, grads, expected)


@pytest.mark.parametrize(("place", "unit", "dtype"), each(of=LAYERS))
def test_twins_may_leave_out_what_nobody_asks_for(place, unit, dtype, size, backend_at):
    backend, case = backend_at(place), drawn(unit, (9, 2, 3))
    ws = NewArrays(backend, backend.dtype(dtype), needs_dx=False)
    mine, expected, at = by_twins(backend, dtype, case, ws)[0], by_formulas(case)[0], 1 + len(case.state)
    assert mine[at] is None or case.names == (), "dx is a product that is not needed"
    if mine[at] is None:
        del mine[at], expected[at]
    assert_alike(backend, dtype, mine, expected)


ODD = np.array([[np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, -1e-30, 1e30]])


@pytest.mark.parametrize(("place", "unit", "dtype"), each(of=LAYERS))
def test_nan_and_infinity_are_what_they_are_to_the_formulas(place, unit, dtype, size, backend_at):
    backend, case = backend_at(place), drawn(unit, (2, 8))
    finite = np.array([[0.0, -np.inf, 1.0, 0.0, 0.0, 0.0, 0.0, -1e30]])
    for x in (np.concatenate([ODD, finite]), np.concatenate([finite, ODD])):
        for odd in with_all_targets(case._replace(x=np.resize(x, case.x.shape))):
            with np.errstate(all="ignore"):
                mine, *_ = by_twins(backend, dtype, odd, NewArrays(backend, backend.dtype(dtype)))
                expected, _ = by_formulas(odd)
            for got, wanted in zip(mine, expected, strict=True):
                np.testing.assert_array_equal(np.isnan(to_host(backend, got)), np.isnan(wanted))


@pytest.mark.parametrize("memory", [NewArrays, Workspace])
@pytest.mark.parametrize("count", [1, 70, 600])
@pytest.mark.parametrize(("place", "unit", "dtype"), each(of=OPTIMIZERS))
def test_updates_in_place(place, unit, dtype, count, memory, size, backend_at):
    backend, optimizer, rng = backend_at(place), OPTIMIZERS[unit], np.random.default_rng(3)
    w, g = rng.normal(size=count), rng.normal(size=count)
    settings = [np.array(getattr(optimizer, name)) for name in optimizer.settings]
    state = [abs(rng.normal(size=count)) for _ in optimizer.zeros]  # some of it are squares
    state += [np.array(2.0) for _ in optimizer.numbers]
    given = [backend.asarray(value.astype(dtype)) for value in (w, g, *settings, *state)]
    constant = given[1 : 2 + len(settings)]
    ws = memory(backend, backend.dtype(dtype))
    for _ in range(2):
        new, new_state = find(backend.name, dtype, optimizer.compute)(optimizer, ws, *given)
        kept = given[2 + len(settings) :]
        arrays = len(optimizer.zeros)  # in place, but a count may be new, since all threads read the old one
        assert new is given[0] and [*map(id, new_state)][:arrays] == [*map(id, kept)][:arrays]
        write(kept, new_state)
        w, state = optimizer.compute(np, w, g, *settings, *state)
        assert_alike(backend, dtype, [new, *new_state, *constant], [w, *state, g, *settings])


@pytest.mark.parametrize("in_loop", [True, False])
@pytest.mark.parametrize("count", [1, 70, 600])
@pytest.mark.parametrize(("place", "unit", "dtype"), each(of={"clipped", "decayed", "shrunk"}))
def test_clipping_and_decay(place, unit, dtype, count, in_loop, size, backend_at):
    """In a loop into the gradients' own memory; else the gradient that a user gave stays as it is."""
    backend, (formula,), rng = backend_at(place), formulas(unit), np.random.default_rng(3)
    w, g, share = rng.normal(size=count), rng.normal(size=count), np.arange(count) % 2 * 0.25
    norm = np.sqrt((g**2).sum())
    for number in (0.5 * norm, 2.0 * norm):
        values = {
            "clipped": (g, np.array(number)),
            "decayed": (w, g, share),
            "shrunk": (w, np.array(0.125), share),
        }[unit]
        given = [backend.asarray(value.astype(dtype)) for value in values]
        ws = Workspace(backend, backend.dtype(dtype))
        if in_loop and unit != "shrunk":
            ws["step", (count,)] = given[unit == "decayed"]
        result = find(backend.name, dtype, formula)(ws, *given)
        assert_alike(backend, dtype, [result], [formula(np, *values)])
        if unit == "shrunk":
            assert result is given[0]
        elif not in_loop:
            assert_alike(backend, dtype, given, values)


@pytest.mark.parametrize("memory", [NewArrays, Workspace])
@pytest.mark.parametrize("targets_dtype", ["int64", "float32", "bool"])
@pytest.mark.parametrize("shape", [(50, 9), (50, 2, 3), (50,)])
@pytest.mark.parametrize(("place", "unit", "dtype"), each(of={"minibatch"}))
def test_minibatches(place, unit, dtype, shape, targets_dtype, memory, backend_at):
    backend, rng = backend_at(place), np.random.default_rng(3)
    ws = memory(backend, backend.dtype(dtype))
    x = rng.normal(size=shape).astype(dtype)
    for targets_shape in ((50,), (50, 3), (50, 2, 3)):
        targets = (4 * rng.normal(size=targets_shape)).astype(targets_dtype)
        for _ in range(2):
            batch = rng.integers(50, size=70)
            moved = [backend.asarray(value.copy()) for value in (x, targets, batch)]
            mine = find(backend.name, dtype, step.minibatch)(ws, *moved)
            for got, wanted in zip(mine, step.minibatch(np, x, targets, batch), strict=True):
                assert got.dtype == wanted.dtype
                np.testing.assert_array_equal(backend.to_numpy(got), wanted)
            for before, after in zip((x, targets, batch), moved, strict=True):
                np.testing.assert_array_equal(backend.to_numpy(after), before)


@pytest.mark.parametrize("classes", [1, 3, 40])
@pytest.mark.parametrize(("place", "unit", "dtype"), each(of={"SoftmaxCrossEntropy"}, method="correct"))
def test_right_rows_are_those_that_argmax_finds(place, unit, dtype, classes, backend_at):
    """The first of the largest counts, and NaN counts as largest."""
    backend, loss = backend_at(place), SoftmaxCrossEntropy()
    correct = find(backend.name, dtype, loss.correct)
    rng = np.random.default_rng(0)
    z = rng.integers(3, size=(300, classes)).astype(dtype)
    z[rng.random(z.shape) < 0.05] = np.nan
    labels = np.where(rng.random(300) < 0.7, z.argmax(axis=1), rng.integers(classes, size=300))
    ws = NewArrays(backend, backend.dtype(dtype))
    soft = rng.integers(1, 3, size=z.shape).astype(dtype)
    soft[np.arange(300), labels] += 2 * (rng.random(300) < 0.7)
    for targets in (labels, soft):
        right = backend.to_numpy(correct(loss, ws, backend.asarray(z), backend.asarray(targets)))
        assert right.dtype == bool
        np.testing.assert_array_equal(right, loss.correct(np, z, targets))
        assert right.sum() > (200 if targets is labels else 130)


# --------------------------------------------------------------------------------------- by the very function


class Inherits(Affine):
    """Formulas of Affine."""


class OwnCompute(Affine):
    """Its own forward."""

    def compute(self, xp, x, W, b):
        out, saved = super().compute(xp, x, W, b)
        return 2.0 * out, saved


class OwnDerive(Affine):
    """Its own backward."""

    def derive(self, xp, dout, x, W):
        return super().derive(xp, 2.0 * dout, x, W)


@pytest.mark.parametrize("backend_name", ["numpy", "cupy"])
def test_a_twin_is_found_by_the_very_function(backend_name):
    def found(layer, name, *behind):
        return find(backend_name, "float32", *[getattr(each, name) for each in (layer, *behind)]) is not None

    assert found(Inherits(5), "compute") and found(Inherits(5), "derive")
    assert found(Inherits(5), "compute", ReLU()) and found(Inherits(5), "derive", ReLU())
    assert not found(OwnCompute(5), "compute") and not found(OwnCompute(5), "compute", ReLU())
    assert not found(OwnDerive(5), "derive") and not found(OwnDerive(5), "derive", SoftmaxCrossEntropy())
    layer = Affine(5)
    layer.compute = lambda xp, x, W, b: Affine.compute(layer, xp, x, W, b)
    assert not found(layer, "compute"), "of the object itself"
    layer = Affine(5)
    layer.compute = wraps(layer.compute)(lambda xp, x, W, b: Affine.compute(layer, xp, 2.0 * x, W, b))
    assert not found(layer, "compute"), "it has but the name of the formula"
    assert not found(ReLU(), "compute", ReLU()), "no such pair is in the table"


@pytest.mark.parametrize("backend", ["numpy", "emulated", pytest.param("cupy", marks=pytest.mark.gpu)])
def test_what_a_subclass_computes_is_its_own(backend, backend_at):
    """In a layer on its own: a twin for half of the pair would understand nothing of the other half."""
    backend, case = backend_at(backend), drawn("Affine", (7, 6))
    x, dout, *params = (
        backend.asarray(value.astype("float32")) for value in (case.x, case.dout, *case.params)
    )
    (out, dx, *_), _ = by_formulas(case)
    for cls, forwards, backwards in ((Inherits, 1, 1), (OwnCompute, 2, 1), (OwnDerive, 1, 2)):
        layer = cls(*params)
        assert_alike(backend, "float32", [layer.forward(x)], [forwards * out])
        assert_alike(backend, "float32", [layer.backward(dout)], [backwards * dx])


def test_a_users_own_twin_is_found_by_module_and_name(monkeypatch):
    class Doubled(Layer):
        def compute(self, xp, x):
            return 2.0 * x, ()

    monkeypatch.setattr(twins, "TWINS", dict(TWINS))
    name = f"{Doubled.__module__}:{Doubled.compute.__qualname__}"
    twin = twins.twin("numpy", name, dtypes=("float64",))(lambda self, ws, x: (x + x, ()))
    assert find("numpy", "float64", Doubled().compute) is twin
    assert find("numpy", "float32", Doubled().compute) is None
    assert find("cupy", "float64", Doubled().compute) is None


# ----------------------------------------------------------------------------------------------------- memory


def test_new_arrays_are_new_at_every_request_and_a_workspace_gives_the_same_ones(backend):
    new, kept = NewArrays(backend, backend.dtype("float32")), Workspace(backend, backend.dtype("float32"))
    assert new["out", (2, 3)] is not new["out", (2, 3)]
    assert kept["out", (2, 3)] is kept["out", (2, 3)]
    assert kept["out", (2, 3)] is not kept["out", (3, 2)] and kept["out", (2, 3)] is not kept["dx", (2, 3)]
    for ws in (new, kept):
        assert ws["out", (2, 3)].shape == (2, 3) and str(ws["out", (2, 3)].dtype).endswith("float32")
        assert str(ws["t", (2,), backend.dtype("int64")].dtype).endswith("int64")
        given = type(ws)(backend, backend.dtype("float32"), {("dW", (2, 3)): new["out", (2, 3)]})
        assert given["dW", (2, 3)] is given["dW", (2, 3)]


def test_the_results_of_public_calls_are_never_written_again(backend):
    """Each call has its own NewArrays."""
    layer = Affine.create(6, 5, rng=0, dtype="float32")
    x = backend.asarray(np.ones((3, 6), "float32"))
    out = layer.forward(x)
    before = backend.to_numpy(out).copy()
    dx = layer.backward(out)
    dx_before, dW, db = backend.to_numpy(dx).copy(), layer.grads["W"], layer.grads["b"]
    grads_before = [backend.to_numpy(grad).copy() for grad in (dW, db)]
    for _ in range(2):
        layer.forward(x * 3.0)
        layer.backward(out * 2.0)
    for array, values in ((out, before), (dx, dx_before), (dW, grads_before[0]), (db, grads_before[1])):
        np.testing.assert_array_equal(backend.to_numpy(array), values)
