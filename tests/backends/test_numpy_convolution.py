"""The NumPy twins of Conv2D compute what its formulas do: every form, size, split of the batch and layout."""

from itertools import product

import numpy as np
import pytest

from backends import TWINS, NewArrays, Workspace
from backends.numpy import batch_parts
from backends.numpy.conv2d import part, passes
from backends.numpy.conv2d.direct import Direct
from backends.numpy.conv2d.form import Form
from backends.numpy.conv2d.geometry import Geometry
from backends.numpy.conv2d.narrow import Narrow
from backends.numpy.conv2d.winograd import Winograd
from backends.registry import load
from backprop.layers import Conv2D, MaxPool2D, ReLU

RNG = np.random.default_rng(0)
BEHIND = {"alone": [], "ReLU": [ReLU()], "pool": [ReLU(), MaxPool2D(2)]}
# (N, C, F, kernel, stride, padding, image)
SIZES = [
    *product((2,), (1, 6), (4,), [(3, 3), (2, 3), (5, 5)], (1, 2), (0, 1), [(6, 5), (7, 9)]),
    *product((3,), (6,), (3,), [(3, 3), (1, 1), (4, 2)], (1, 3), (3, 4), [(6, 7)]),  # padding ≥ kernel
    (0, 6, 3, (3, 3), 1, 1, (6, 6)),
    (1, 1, 1, (1, 1), 1, 0, (2, 2)),
    (2, 8, 3, (7, 7), 1, 0, (8, 9)),
    (23, 6, 5, (3, 3), 1, 1, (6, 7)),
]


def drawn(N, C, F, kernel, stride, padding, image, dtype="float64"):
    """A layer, its input, and by the formulas: the function of what follows to (out, gradients)."""
    W = RNG.standard_normal((F, C, *kernel)).astype(dtype)
    layer = Conv2D(W, RNG.standard_normal(F).astype(dtype), stride=stride, padding=padding)
    return layer, RNG.standard_normal((N, C, *image)).astype(dtype)


def by_formulas(layers, x, dout):
    out, saved_of = x, []
    for layer in layers:
        out, saved = layer.compute(np, out, *layer.params.values())
        saved_of.append(saved)
    dout, grads = dout(out.shape).astype(x.dtype), []
    given = dout
    for layer, saved in zip(layers[::-1], saved_of[::-1], strict=True):
        dout = layer.derive(np, dout, *saved)
        if layer.params:
            dout, *grads = dout
    return given, [out, dout, *grads]


def by_twins(layers, x, dout, ws):
    name = "+".join(type(layer).__name__ for layer in layers)
    own = layers[0] if len(layers) == 1 else layers
    out, saved = TWINS["numpy", f"{name}.compute"].function(own, ws, x, *layers[0].params.values())
    return [out, *TWINS["numpy", f"{name}.derive"].function(own, ws, dout, *saved)]


def memory(dtype="float64", kind=Workspace, **options):
    return kind(load("numpy"), np.dtype(dtype), **options)


def poison(ws):
    for array in (*ws.values(), *ws._shared.values()):
        array.fill(np.nan if array.dtype.kind == "f" else True)


def assert_alike(got, expected, rtol=1e-12):
    for mine, wanted in zip(got, expected, strict=True):
        assert mine.shape == wanted.shape
        assert mine.dtype == wanted.dtype
        np.testing.assert_allclose(mine, wanted, rtol=0, atol=rtol * max(1.0, abs(wanted).max(initial=0.0)))


def fits(size, behind):
    _, C, F, kernel, stride, padding, image = size
    return min(Geometry(image, C, F, kernel, stride, padding).counts) >= (2 if behind == "pool" else 1)


@pytest.fixture(params=["whole", "in blocks", "in parts"])
def work(request, monkeypatch):
    """The batch in one part and block; or in blocks of one tile; or in parts, by three threads."""
    if request.param == "in blocks":
        monkeypatch.setattr(Form, "block", 1)
    if request.param == "in parts":
        monkeypatch.setattr(batch_parts, "allowed_threads", lambda: 3)
        monkeypatch.setattr(batch_parts, "LEAST", 1)
        monkeypatch.setattr(batch_parts, "MOST", 4)


@pytest.mark.parametrize(
    ("size", "behind"), [pair for pair in product(SIZES, BEHIND) if fits(*pair)], ids=str
)
def test_they_compute_what_the_formulas_do(size, behind, work):
    layer, x = drawn(*size)
    layers = [layer, *BEHIND[behind]]
    dout, expected = by_formulas(layers, x, lambda shape: RNG.standard_normal(shape))
    ws = memory()
    for _ in range(2):  # the second time in used memory
        assert_alike(by_twins(layers, x, dout, ws), expected)
        poison(ws)


@pytest.mark.parametrize("behind", BEHIND)
def test_in_float32_and_in_new_arrays(behind):
    layer, x = drawn(5, 6, 4, (3, 3), 1, 1, (8, 8), "float32")
    layers = [layer, *BEHIND[behind]]
    dout, expected = by_formulas(layers, x, lambda shape: RNG.standard_normal(shape))
    assert_alike(by_twins(layers, x, dout, memory("float32", NewArrays)), expected, rtol=2e-6)


@pytest.mark.parametrize("behind", BEHIND)
def test_without_the_gradient_of_the_input(behind):
    layer, x = drawn(3, 1, 4, (3, 3), 1, 1, (8, 8))
    layers = [layer, *BEHIND[behind]]
    dout, (out, _, *grads) = by_formulas(layers, x, lambda shape: RNG.standard_normal(shape))
    mine, dx, *own = by_twins(layers, x, dout, memory(needs_dx=False))
    assert dx is None
    assert_alike([mine, *own], [out, *grads])


@pytest.mark.parametrize("behind", BEHIND)
def test_gradients_go_into_the_memory_provided(behind):
    layer, x = drawn(3, 2, 4, (3, 3), 1, 1, (8, 8))
    layers = [layer, *BEHIND[behind]]
    dW, db = np.empty((4, 2, 3, 3)), np.empty(4)
    ws = memory(provided={("dW", dW.shape): dW, ("db", db.shape): db})
    dout, expected = by_formulas(layers, x, lambda shape: RNG.standard_normal(shape))
    by_twins(layers, x, dout, ws)
    assert_alike([dW, db], expected[2:])


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_images_and_gradients_may_lie_in_any_order(order):
    layer, x = drawn(4, 6, 4, (3, 3), 1, 1, (8, 6))
    dout, expected = by_formulas([layer, ReLU()], x, lambda shape: RNG.standard_normal(shape))
    x, dout = (np.ascontiguousarray(a.transpose(order)).transpose(np.argsort(order)) for a in (x, dout))
    got = by_twins([layer, ReLU()], x, dout, memory())
    assert_alike(got, expected)
    assert got[0].transpose(2, 0, 3, 1).flags.c_contiguous  # channels last


def test_nothing_that_was_given_is_written():
    layer, x = drawn(4, 6, 4, (3, 3), 1, 1, (8, 6))
    layers = [layer, *BEHIND["pool"]]
    dout, _ = by_formulas(layers, x, lambda shape: RNG.standard_normal(shape))
    for array in (x, dout, *layer.params.values()):
        array.flags.writeable = False
    by_twins(layers, x, dout, memory())


def test_the_first_of_a_tie_gets_the_gradient():
    layer = Conv2D(np.ones((1, 1, 1, 1)), np.zeros(1))
    x = np.array([[2.0, 2.0, 0.0, 1.0], [2.0, 2.0, 1.0, 0.0]]).reshape(1, 1, 2, 4)
    _, dx, _, _ = by_twins([layer, *BEHIND["pool"]], x, np.array([[[[3.0, 5.0]]]]), memory())
    np.testing.assert_array_equal(dx[0, 0], [[3, 0, 0, 5], [0, 0, 0, 0]])


@pytest.mark.parametrize("behind", BEHIND)
def test_nan_stays_nan(behind):
    layer, x = drawn(2, 3, 4, (3, 3), 1, 1, (8, 8))
    x[0, 0, 4, 4] = np.nan
    layers = [layer, *BEHIND[behind]]
    _, (expected, *_) = by_formulas(layers, x, lambda shape: np.ones(shape))
    out, *_ = by_twins(layers, x, np.ones(expected.shape), memory())
    assert np.isnan(out).sum() >= np.isnan(expected).sum() > 0
    assert not np.isnan(out[1]).any()


@pytest.mark.parametrize(
    ("size", "form"),
    [
        (Geometry((28, 28), 1, 30, (5, 5), 1, 0), Narrow),
        (Geometry((28, 28), 16, 16, (3, 3), 1, 1), Winograd),
        (Geometry((28, 28), 16, 16, (3, 3), 2, 1), Direct),
        (Geometry((28, 28), 16, 16, (5, 5), 1, 2), Direct),
    ],
)
def test_the_form_is_chosen_by_size(size, form):
    of_batch = part.Part(memory(), 0, slice(0, 2), 0)
    assert type(passes.fastest_form(size, (14, 28), of_batch)) is form
    assert type(passes.fastest_form(size, (14, 28), of_batch, narrow=False)) is (
        Direct if form is Narrow else form
    )


def test_three_threads_give_the_same_bits_every_time(monkeypatch):
    monkeypatch.setattr(batch_parts, "allowed_threads", lambda: 3)
    layer, x = drawn(64, 6, 8, (3, 3), 1, 1, (12, 12), "float32")
    layers = [layer, *BEHIND["pool"]]
    dout, _ = by_formulas(layers, x, lambda shape: RNG.standard_normal(shape))
    ws = memory("float32")
    runs = {b"".join(array.tobytes() for array in by_twins(layers, x, dout, ws)) for _ in range(10)}
    assert len(runs) == 1


def test_the_number_of_threads_may_change_between_the_passes(monkeypatch):
    layer, x = drawn(64, 6, 8, (3, 3), 1, 1, (6, 6))
    for behind in ("ReLU", "pool"):
        layers = (layer, *BEHIND[behind])
        dout, expected = by_formulas(layers, x, lambda shape: RNG.standard_normal(shape))
        name, ws = "+".join(type(each).__name__ for each in layers), memory()
        monkeypatch.setattr(batch_parts, "allowed_threads", lambda: 3)
        out, saved = TWINS["numpy", f"{name}.compute"].function(layers, ws, x, *layer.params.values())
        monkeypatch.setattr(batch_parts, "allowed_threads", lambda: 1)
        grads = TWINS["numpy", f"{name}.derive"].function(layers, ws, dout, *saved)
        assert_alike([out, *grads], expected)


def test_windows_other_than_two_by_two_are_not_fused():
    suits = TWINS["numpy", "Conv2D+ReLU+MaxPool2D.compute"].suits
    assert suits(None, None, MaxPool2D(2))
    assert not any(suits(None, None, pool) for pool in (MaxPool2D(3), MaxPool2D(2, 1), MaxPool2D(2, 2, 1)))
