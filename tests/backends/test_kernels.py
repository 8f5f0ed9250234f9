"""A faster kernel computes what the generic one computes, and no kernel writes into its arguments."""

import inspect
from itertools import cycle

import numpy as np
import pytest
from emulated_cupy import emulated_backend

from backends import Backend
from backends.cupy_backend import CupyBackend
from backends.kernels import Kernels
from backends.numpy_backend import NumpyBackend
from backends.testing import backend_or_skip

KERNELS = [name for name, value in vars(Kernels).items() if inspect.isfunction(value)]
PUBLIC = [name for name in KERNELS if not name.startswith("_")]

# The arguments of each kernel for n samples; a(*shape) draws an array.
CASES = {
    "affine": lambda a, n: [(a(n, 5), a(5, 4), a(4))],
    "affine_backward": lambda a, n: [
        (a(n, 4), a(n, 5), a(5, 4)),
        (a(n, 4), a(n, 5), a(5, 4), None, None, None, False),
    ],
    "affine_of_copies": lambda a, n: [(a(1, n, 5), a(3, 5, 4), a(3, 4)), (a(3, n, 5), a(3, 5, 4), a(3, 4))],
    "affine_moves": lambda a, n: [(a(n, 5), np.array([0, 19, 7]), 4)],
    "relu": lambda a, n: [(a(n, 5),), (a(n, 2, 3),)],
    "relu_backward": lambda a, n: [(a(n, 5), a(n, 5))],
    "affine_relu": lambda a, n: [(a(n, 5), a(5, 4), a(4))],
    "affine_relu_backward": lambda a, n: [
        (a(n, 4), a(n, 4), a(n, 5), a(5, 4)),
        (a(n, 4), a(n, 4), a(n, 5), a(5, 4), None, None, None, None, False),
    ],
    "sigmoid": lambda a, n: [(10 * a(n, 5),)],
    "sigmoid_backward": lambda a, n: [(a(n, 5), 10 * a(n, 5))],
    "exp": lambda a, n: [(a(n, 5),)],
    "log": lambda a, n: [(a(n, 5) ** 2 + 1,)],
    "softmax_cross_entropy": lambda a, n: [
        (a(n, 5), labels(n)),
        (100 * a(n, 5), labels(n)),
        (a(n, 5), labels(n), 0.0),
        (a(n, 1), np.zeros(n, "int64")),
    ],
    "affine_softmax_cross_entropy": lambda a, n: [
        (quarters(a(n, 5)), quarters(a(5, 4)), quarters(a(4)), labels(n) % 4, seed)
        for seed in (1.0, 0.25, 0.0)
    ],
    "gather": lambda a, n: [(a(n, 5), np.array([n - 1, 0, 0]))],
    "minibatch": lambda a, n: [
        (x, labels(n), np.array([n - 1, 0, 0]), np.zeros((3, *x.shape[1:]), a(1).dtype), np.zeros(3, "int64"))
        for x in (a(n, 5), a(n, 2, 3), np.arange(5 * n, dtype="uint8").reshape(n, 5))
    ],
    "sgd": lambda a, n: [(a(n), a(n), 0.1), (a(n), a(n), 1.0), (a(n), a(n), a(1))],
    "mean": lambda a, n: [(a(n),)],
    "argmax": lambda a, n: [(a(n, 5),)],
    "count_correct": lambda a, n: [(a(n, 5), labels(n))],
    "inner": lambda a, n: [(a(n, 5), a(n, 5))],
    "row_sums": lambda a, n: [(a(n),), (a(n, 5),), (a(n, 2, 3),)],
    "one_hot": lambda a, n: [(np.array([2, 0, 4]), 5, "float64")],
    "sum_to": lambda a, n: [(a(2, n, 5), (n, 1)), (a(n, 5), (n, 5))],
}
REAL_ONLY = {"sgd", "minibatch", "argmax", "count_correct"}  # what no gradient check asks of them
REAL = [("float32",), ("float64",)]
COMPLEX = [("complex128",), ("complex128", "float64"), ("float64", "complex128")]  # the arguments' in turn


def quarters(array):
    """Rounded, so that products are exact in any order: a small loss is a difference of large numbers."""
    return (np.round(array * 4) / 4).astype(array.dtype)


def labels(n):
    return np.arange(n) * 7 % 5


def drawing(dtypes, seed=3):
    rng, dtypes = np.random.default_rng(seed), cycle(dtypes)

    def draw(*shape):
        dtype = next(dtypes)
        imaginary = 1j * rng.normal(size=shape) if dtype == "complex128" else 0.0
        return (rng.normal(size=shape) + imaginary).astype(dtype)

    return draw


def cases(name, dtypes):
    return [case for n in (1, 6, 100) for case in CASES[name](drawing(dtypes), n)]


def on(backend, values):
    return [backend.asarray(v.copy()) if isinstance(v, np.ndarray) else v for v in values]


def overrides(cls):
    return [name for name in KERNELS if getattr(cls, name) is not getattr(Kernels, name)]


CLASSES = {"numpy": NumpyBackend, "emulated cupy": CupyBackend, "cupy": CupyBackend}
EACH = ["numpy", "emulated cupy", pytest.param("cupy", marks=pytest.mark.gpu)]


def each_override(dtypes=((),)):
    """A backend and the name of each of its overrides, with each of the dtypes that its kernel may get."""
    return [
        pytest.param(of, name, *given, marks=[pytest.mark.gpu] if of == "cupy" else [])
        for of, cls in CLASSES.items()
        for name in overrides(cls)
        for given in dtypes
        if not (name in REAL_ONLY and given and given[0] in COMPLEX)
    ]


@pytest.fixture
def backend_for(monkeypatch):
    """The backend of that name; skips the test where it cannot be used."""

    def get(name):
        return emulated_backend(monkeypatch) if name == "emulated cupy" else backend_or_skip(name)

    return get


def as_list(returned):
    return list(returned) if isinstance(returned, tuple) else [returned]


def outcome(kernel, backend, case):
    """What a kernel returns, and what its arguments hold afterwards."""
    arguments = on(backend, case)
    return as_list(kernel(backend, *arguments)) + arguments


def assert_same(backend, mine, reference, name):
    for a, b in zip(mine, reference, strict=True):
        assert type(a) is type(b), name
        if isinstance(b, backend.array_type):
            a, b = backend.to_numpy(a), backend.to_numpy(b)
            assert (a.dtype, a.shape) == (b.dtype, b.shape), name
            ulp = np.finfo(b.dtype).eps if b.dtype.kind in "fc" else 0
            largest = abs(b[np.isfinite(b)]).max(initial=0)
            np.testing.assert_allclose(a, b, rtol=4 * ulp, atol=8 * ulp * largest, err_msg=name)


def test_there_are_overrides_to_compare():
    assert {"affine", "relu", "softmax_cross_entropy"} <= set(overrides(NumpyBackend))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_kernel_has_a_case(name):
    assert name in CASES, f"add the arguments of {name} to CASES: its overrides could not be compared"


@pytest.mark.parametrize(("cls", "name"), [(c, n) for c in (NumpyBackend, CupyBackend) for n in overrides(c)])
def test_an_override_is_called_as_the_generic_kernel_is(cls, name):
    def parameters(kernel):
        return [(p.name, p.kind, p.default) for p in inspect.signature(kernel).parameters.values()]

    assert parameters(getattr(cls, name)) == parameters(getattr(Kernels, name))


@pytest.mark.parametrize(("of", "name", "dtypes"), each_override([(d,) for d in REAL + COMPLEX]))
def test_an_override_computes_what_the_generic_kernel_computes(of, name, dtypes, backend_for):
    backend = backend_for(of)
    generic = Backend("generic", backend.xp, backend.array_type)
    for case in cases(name, dtypes):
        reference = outcome(getattr(Kernels, name), generic, case)
        assert_same(backend, outcome(getattr(CLASSES[of], name), backend, case), reference, name)


@pytest.mark.parametrize(("of", "name"), each_override())
def test_an_override_takes_its_arguments_by_name_too(of, name, backend_for):
    backend = backend_for(of)
    kernel, case = getattr(backend, name), on(backend, cases(name, ["float64"])[0])
    by_name = dict(zip(inspect.signature(kernel).parameters, case, strict=False))
    assert_same(backend, as_list(kernel(**by_name)), as_list(kernel(*case)), name)


ODD = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -5e-324, 1e308])
ODD_CASES = {
    "relu": (ODD,),
    "relu_backward": (np.ones(8), ODD),
    "softmax_cross_entropy": (np.array([[0.0, -np.inf, 1.0], [np.nan, 0.0, 1.0]]), np.array([0, 1])),
}


@pytest.mark.parametrize("name", ODD_CASES)
@pytest.mark.parametrize("of", EACH)
def test_an_override_treats_nan_and_infinity_as_the_generic_kernel_does(of, name, backend_for):
    backend, cls = backend_for(of), CLASSES[of]
    generic = Backend("generic", backend.xp, backend.array_type)
    reference = outcome(getattr(Kernels, name), generic, ODD_CASES[name])
    assert_same(backend, outcome(getattr(cls, name), backend, ODD_CASES[name]), reference, name)


@pytest.mark.parametrize("name", [name for name in PUBLIC if name not in ("sgd", "minibatch")])
def test_a_kernel_does_not_write_into_its_arguments(backend, name):
    for dtypes in REAL if name in REAL_ONLY else REAL + COMPLEX[:1]:
        for case in cases(name, dtypes):
            arguments = on(backend, case)
            getattr(backend, name)(*arguments)
            for before, after in zip(case, arguments, strict=True):
                if isinstance(before, np.ndarray):
                    np.testing.assert_array_equal(backend.to_numpy(after), before)
