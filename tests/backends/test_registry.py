"""Which backend an array belongs to, what is refused, and how arrays move and backends are added."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import numpy as np
import pytest

from backends import (
    Backend,
    available_backends,
    backend_of,
    describe,
    known_backends,
    load,
    one_backend,
    owner_of,
    register,
    registry,
)
from backends.numpy import NumpyBackend
from backprop import (
    asarray,
    check_gradients,
    get_backend,
    numerical_gradient,
    set_backend,
    to_numpy,
    use_backend,
)
from backprop.layers import Affine, ReLU
from backprop.optimizers import SGD


@pytest.fixture
def other(library):
    """A further backend: this line is all that it takes."""
    return register(Backend("other", library("other")))


def refusal(function, *arguments):
    with pytest.raises(TypeError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_every_backend_owns_its_arrays(backend):
    x = backend.asarray([1.0])
    assert backend_of(x) is backend and product(x, x, x) is backend and owner_of(x) is backend


def product(x, W, b):
    return one_backend("product", x=x, W=W, b=b)


def test_a_mixture_names_place_variables_kinds_and_cure(other):
    message = refusal(product, other.asarray([1.0]), np.ones(1), np.ones(1))
    for words in (
        "product: ",
        "x is other.",
        "W is numpy.ndarray",
        "backprop.asarray(array, backend='other')",
    ):
        assert words in message


def test_a_mixture_is_found_wherever_it_stands(other):
    x, foreign = np.ones(1), other.asarray([1.0])
    assert "b is other." in refusal(product, x, x, foreign)
    assert "W is other." in refusal(product, x, foreign, x)
    assert "x is other." in refusal(product, foreign, x, x)


UNKNOWN = {
    "list": lambda file: [1.0],
    "float": lambda file: 1.0,
    "NoneType": lambda file: None,
    "float16": lambda file: np.float16(1.0),
    "matrix": lambda file: np.ones((1, 1)).view(np.matrix),
    "MaskedArray": lambda file: np.ma.masked_array([1.0, 2.0], [True, False]),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_what_is_no_plain_array_of_a_known_library_is_refused(kind, tmp_path):
    value = UNKNOWN[kind](tmp_path / "file")
    assert owner_of(value) is None and describe(value).endswith(kind)
    must = f"must be an array of a known library, got {describe(value)}"
    assert f"product: x {must}" in refusal(product, value, np.ones(1), np.ones(1))
    assert f"product: W {must}" in refusal(product, np.ones(1), value, np.ones(1))
    assert f"backend_of: array {must}" in refusal(backend_of, value)


def test_an_array_in_a_file_is_an_array(tmp_path):
    x = np.memmap(tmp_path / "x", "float64", "w+", shape=(3, 4))
    x[:] = np.random.default_rng(0).normal(size=x.shape)
    plain, b = np.array(x), np.ones(4)
    assert owner_of(x) is get_backend("numpy")
    for layer, mapped, expected in (
        (ReLU(), x, np.maximum(plain, 0.0)),
        (Affine(plain.T, b[:3]), x, plain @ plain.T + 1.0),
        (Affine(x, b), plain[:, :3], plain[:, :3] @ plain + 1.0),
    ):
        assert np.allclose(layer.forward(mapped), expected) and check_gradients(layer, mapped).ok
    assert np.allclose(numerical_gradient(lambda x: (x * x).sum(), x), 2.0 * plain)
    SGD(1.0).update({"x": x}, {"x": plain})
    assert not x.any()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64", "complex128"])
def test_a_round_trip_keeps_values_shape_and_dtype(backend, dtype):
    host = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    moved = asarray(host)
    back = to_numpy(moved)
    assert backend_of(moved) is backend and type(back) is np.ndarray
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, host)


def test_asarray_moves_between_any_two_backends(backend, other):
    x = backend.asarray([1.0, 2.0])
    there = asarray(x, backend=other)
    back = asarray(there, backend=backend)
    assert (backend_of(there), backend_of(back)) == (other, backend)
    assert to_numpy(there).tolist() == to_numpy(back).tolist() == [1.0, 2.0]


def test_asarray_takes_names_and_any_librarys_dtypes(backend, other):
    for dtype in ("float32", np.float32, np.dtype("float32"), backend.dtype("float32"), other.xp.float32):
        assert to_numpy(asarray([1, 2], dtype)).dtype == "float32"
    for target in ("numpy", other):
        assert to_numpy(asarray([1, 2], backend.dtype("float32"), backend=target)).dtype == "float32"


def test_asarray_copies_only_where_it_must(backend):
    x = asarray([1.0, 2.0])
    same, other_dtype = asarray(x), asarray(x, "float32")
    x[0] = 5.0
    assert to_numpy(same).tolist() == [5.0, 2.0]
    assert to_numpy(other_dtype).tolist() == [1.0, 2.0]


def test_asarray_takes_lists_and_memory_maps(backend, tmp_path):
    file = np.memmap(tmp_path / "file", "float32", "w+", shape=(2,))
    for data in ([0.0, 0.0], (0.0, 0.0), file):
        assert backend_of(asarray(data)) is backend


def test_to_numpy_takes_host_data():
    x = np.ones(2)
    assert to_numpy(x) is x
    assert to_numpy([1, 2]).tolist() == [1, 2]


def test_a_registered_backend_is_known_available_and_can_be_chosen(other):
    assert "other" in known_backends() and "other" in available_backends()
    assert load("other") is get_backend("other") is other
    set_backend("other")
    assert type(asarray([1.0])) is other.xp.ndarray


def test_layers_run_on_a_registered_backend(other):
    with use_backend("other"):
        x, W, b = asarray([[1.0, -2.0]]), asarray([[1.0, 2.0], [3.0, 4.0]]), asarray([6.0, 1.0])
    out = ReLU().forward(Affine(W, b).forward(x))
    assert backend_of(out) is other and to_numpy(out).tolist() == [[1.0, 0.0]]


def test_the_latest_backend_of_a_name_counts(other, library):
    replacement = register(Backend("other", library("other")))
    assert load("other") is replacement
    assert known_backends().count("other") == 1


def test_numpy_is_one_object():
    assert load("numpy") is load("numpy") is backend_of(np.ones(1))
    assert type(load("numpy")) is NumpyBackend


def test_threads_that_ask_for_a_backend_at_once_get_the_same_one(monkeypatch):
    class Slow(NumpyBackend):
        def __init__(self):
            sleep(0.05)
            super().__init__()

    monkeypatch.setattr(registry, "_CLASSES", {"numpy": f"{__name__}:Slow"})
    monkeypatch.setitem(globals(), "Slow", Slow)
    registry._loaded.clear()
    with ThreadPoolExecutor(8) as pool:
        assert len({id(backend) for backend in pool.map(load, ["numpy"] * 8)}) == 1
