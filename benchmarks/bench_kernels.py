"""Each method that the NumPy backend does in its own way, against the generic one, at the sizes of training.

To add one: a line in `CASES` for each size at which it is called. A method without a line fails
`test_every_override_has_a_case`.
"""

import inspect

import numpy as np
import pytest

from backends import Backend, load
from backends.kernels import Kernels
from backends.numpy_backend import NumpyBackend
from backprop.timing import Times

BATCH, PIXELS, HIDDEN, CLASSES = 100, 784, 50, 10
HEADER = ("", "size", "own µs", "generic µs", "own / generic", "")


def overrides(cls):
    """The public methods that a backend has in place of generic ones."""
    return [
        name
        for name, value in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_") and value is not getattr(Kernels, name, value)
    ]


rng = np.random.default_rng(0)


def a(*shape):
    """Normal numbers, float32."""
    return rng.standard_normal(shape, dtype=np.float32)


def empty(*shape):
    return np.zeros(shape, np.float32)


x, W1, b1 = a(BATCH, PIXELS), a(PIXELS, HIDDEN), a(HIDDEN)
h, W2, b2 = np.maximum(a(BATCH, HIDDEN), 0), a(HIDDEN, CLASSES), a(CLASSES)
dh, dz = a(BATCH, HIDDEN), a(BATCH, CLASSES)
labels = rng.integers(CLASSES, size=BATCH)
SAMPLES = 10_000
rows = rng.integers(SAMPLES, size=BATCH)
first, second = f"{PIXELS}-{HIDDEN}", f"{HIDDEN}-{CLASSES}"

# Method: size: its arguments, as a training step passes them. Arrays that a method writes are compared too.
CASES = {
    "affine": {first: (x, W1, b1), second: (h, W2, b2)},
    "affine_backward": {
        f"{first}, no dx": (dh, x, W1, empty(*W1.shape), empty(*b1.shape), None, False),
        second: (dz, h, W2, empty(*W2.shape), empty(*b2.shape)),
    },
    "relu": {f"{BATCH} x {HIDDEN}": (a(BATCH, HIDDEN),)},
    "relu_backward": {f"{BATCH} x {HIDDEN}": (dh, h)},
    "softmax_cross_entropy": {
        f"{BATCH} x {CLASSES}": (dz, labels),
        f"{BATCH} x {CLASSES}, loss only": (dz, labels, 0.0),
    },
    "affine_relu": {first: (x, W1, b1, empty(BATCH, HIDDEN))},
    "affine_relu_backward": {
        f"{first}, no dx": (dh, h, x, W1, empty(*W1.shape), empty(*b1.shape), None, empty(*h.shape), False)
    },
    "affine_softmax_cross_entropy": {second: (h, W2, b2, labels, 0.1)},
    "gather": {
        f"{BATCH} of {SAMPLES} x {PIXELS}": (a(SAMPLES, PIXELS), rows, empty(BATCH, PIXELS)),
        f"{BATCH} labels": (rng.integers(CLASSES, size=SAMPLES), rows, np.zeros(BATCH, np.int64)),
    },
    "minibatch": {
        f"{BATCH} of {SAMPLES} x {PIXELS}": (
            a(SAMPLES, PIXELS),
            rng.integers(CLASSES, size=SAMPLES),
            rows,
            empty(BATCH, PIXELS),
            np.zeros(BATCH, np.int64),
        )
    },
    "sgd": {
        "39,760, learning rate 0.1": (a(39_760), a(39_760), 0.1),
        "39,760, scaled already": (a(39_760), a(39_760), 1.0),
        "3,256,330 (hidden 4096), learning rate 0.1": (a(3_256_330), a(3_256_330), 0.1),
    },
}


def copies(arguments):
    return [value.copy() if isinstance(value, np.ndarray) else value for value in arguments]


def outcome(method, backend, arguments):
    """What a method returns, and what its arguments hold afterwards."""
    arguments = copies(arguments)
    returned = method(backend, *arguments)
    return [*(returned if isinstance(returned, tuple) else [returned]), *arguments]


def test_every_override_has_a_case():
    own = set(overrides(NumpyBackend))
    missing, gone = sorted(own - CASES.keys()), sorted(CASES.keys() - own)
    assert not missing, f"bench_kernels.CASES: add the arguments of a training step for {', '.join(missing)}"
    assert not gone, f"bench_kernels.CASES: NumpyBackend does not override {', '.join(gone)}; remove the case"


def test_a_new_override_is_seen():
    class Faster(NumpyBackend):
        def inner(self, a, b):
            return np.vdot(a, b)

    assert set(overrides(Faster)) - set(overrides(NumpyBackend)) == {"inner"}


@pytest.mark.benchmark(group="kernels, own and generic in turns")
@pytest.mark.parametrize(("name", "size"), [(name, size) for name in CASES for size in CASES[name]])
def test_kernel(name, size, works_in_turns, closing_table):
    backend, generic = load("numpy"), Backend("generic", np)
    methods = {"own": (getattr(NumpyBackend, name), backend), "generic": (getattr(Backend, name), generic)}
    results = {which: outcome(*method, CASES[name][size]) for which, method in methods.items()}
    for mine, reference in zip(results["own"], results["generic"], strict=True):
        assert type(mine) is type(reference)
        if isinstance(reference, np.ndarray):
            assert (mine.dtype, mine.shape) == (reference.dtype, reference.shape)
            largest = abs(reference).max()
            np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-5 * largest, err_msg=name)

    def work(method, backend):
        arguments = copies(CASES[name][size])

        def calls(n):
            for _ in range(n):
                method(backend, *arguments)

        return calls

    times = works_in_turns({which: work(*method) for which, method in methods.items()}, rounds=15, block=0.01)
    if times:
        closing_table("NumPy's own kernels, medians", HEADER, [row(name, size, times)])


def row(name: str, size: str, times: Times) -> tuple[str, ...]:
    ratio = times.ratio("own", "generic")
    own, generic = (f"{times.median(which) * 1e6:,.2f}" for which in ("own", "generic"))
    return name, size, own, generic, f"{ratio:.2f}", "faster" if ratio < 1 else "NOT faster"
