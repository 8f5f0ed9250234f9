"""Which backend is in force: every way to choose one, in its order, in its thread, and for its time."""

import copy
import logging
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from importlib import import_module
from itertools import combinations

import numpy as np
import pytest

from backends import Backend, BackendUnavailable, choose, load, register, registry
from backprop import asarray, available_backends, get_backend, precision, set_backend, use_backend, xp

WAYS = {  # the first one that is used decides; and what it says of itself
    "argument": "the backend= argument",
    "block": "use_backend('block')",
    "set": "set_backend('set')",
    "environment": "the environment variable BACKPROP_BACKEND=environment",
}


@pytest.fixture(autouse=True)
def backends_to_choose_from(library):
    """One backend for each way to choose one, of that name."""
    for name in WAYS:
        register(Backend(name, library(name)))


def name_in_force():
    return get_backend().name


def in_a_thread(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


@pytest.mark.parametrize("used", [used for n in range(5) for used in combinations(WAYS, n)], ids="+".join)
def test_the_order_of_choosing(used, monkeypatch):
    if "environment" in used:
        monkeypatch.setenv("BACKPROP_BACKEND", "environment")
    if "set" in used:
        set_backend("set")
    with use_backend("block") if "block" in used else nullcontext():
        choice = choose("argument" if "argument" in used else None)
    assert choice.backend.name == (used[0] if used else "numpy")
    assert choice.why == (WAYS[used[0]] if used else "the default")


def test_the_environment_is_read_at_each_use(monkeypatch):
    monkeypatch.setenv("BACKPROP_BACKEND", "set")
    assert name_in_force() == "set"
    monkeypatch.setenv("BACKPROP_BACKEND", "block")
    assert name_in_force() == "block"
    monkeypatch.setenv("BACKPROP_BACKEND", "")
    assert name_in_force() == "numpy", "an empty variable is as good as none"


def test_set_backend_none_goes_back_to_the_environment(monkeypatch):
    monkeypatch.setenv("BACKPROP_BACKEND", "environment")
    set_backend("set")
    set_backend(None)
    assert name_in_force() == "environment"


def test_the_innermost_block_decides_and_each_end_restores():
    with use_backend("block") as outer:
        with use_backend("argument") as inner:
            assert (outer.name, inner.name, name_in_force()) == ("block", "argument", "argument")
        assert name_in_force() == "block"
    assert name_in_force() == "numpy"


def test_set_backend_inside_a_block_shows_after_it():
    with use_backend("block"):
        set_backend("set")
        assert name_in_force() == "block"
    assert name_in_force() == "set"


def test_an_exception_leaves_its_block_restored():
    with pytest.raises(KeyError, match="mine"), use_backend("block"):
        raise KeyError("mine")
    assert name_in_force() == "numpy"


def test_as_a_decorator_it_holds_during_each_call():
    function = use_backend("block")(name_in_force)
    assert [function(), name_in_force(), function(), name_in_force()] == ["block", "numpy"] * 2


def test_a_block_may_be_entered_again_and_decorate():
    block = use_backend("block")
    with block as outer, use_backend("set"), block as inner:
        assert outer is inner is load("block") and name_in_force() == "block"
    assert name_in_force() == "numpy"

    @block
    def recursive(depth):
        return [
            name_in_force(),
            *(recursive(depth - 1) if depth else in_a_thread(lambda: recursive_in("set"))),
        ]

    def recursive_in(name):
        with use_backend(name):
            return [name_in_force(), block(name_in_force)(), name_in_force()]

    assert recursive(1) == ["block", "block", "set", "block", "set"]
    assert name_in_force() == "numpy"


def test_one_block_in_two_threads():
    block, ready = use_backend("block"), threading.Barrier(2, timeout=10)

    @block
    def inside():
        ready.wait()
        return name_in_force()

    with ThreadPoolExecutor(2) as pool:
        assert [future.result() for future in [pool.submit(inside), pool.submit(inside)]] == ["block"] * 2


@pytest.mark.parametrize("call", [lambda: use_backend("block"), lambda: precision("tf32")])
def test_a_bare_call_changes_nothing_and_says_so(call):
    with pytest.warns(
        RuntimeWarning, match=r"^(use_backend|precision)\('\w+'\) has no effect by itself: write `with"
    ):
        call()
    assert name_in_force() == "numpy"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: use_backend("nunpy"), ValueError, "use_backend: backend must be one of .*, got 'nunpy'"),
        (lambda: use_backend("cupy"), BackendUnavailable, "cupy"),
        (lambda: precision("fp16"), ValueError, "precision: name must be one of ieee, tf32, got 'fp16'"),
    ],
)
def test_a_bare_call_that_cannot_work_raises_at_once(call, error, words, put_cupy):
    put_cupy(None)
    with pytest.raises(error, match=words):
        call()


def test_a_thread_that_is_started_in_a_block_starts_outside_it():
    with use_backend("block"):
        assert in_a_thread(name_in_force) == "numpy"


def test_set_backend_reaches_all_threads():
    in_a_thread(lambda: set_backend("set"))
    assert [name_in_force(), in_a_thread(name_in_force)] == ["set", "set"]


def test_two_threads_in_two_blocks_do_not_disturb_each_other():
    both_inside = threading.Barrier(2, timeout=10)

    def work(name):
        with use_backend(name):
            both_inside.wait()
            seen = name_in_force()
            both_inside.wait()
            return seen

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, ["block", "set"])) == ["block", "set"]


def test_xp_follows_every_switch():
    assert type(xp.zeros(2)) is np.ndarray
    with use_backend("block") as backend:
        assert type(xp.zeros(2)) is backend.array_type
        assert "block" in repr(xp)
    set_backend("set")
    assert type(xp.zeros(2)) is get_backend("set").array_type


def test_xp_offers_what_the_namespace_offers():
    assert {"zeros", "exp"} <= set(dir(xp))
    with pytest.raises(AttributeError, match="no_such_function"):
        xp.no_such_function  # noqa: B018


def test_new_arrays_are_made_where_the_choice_says():
    with use_backend("block"):
        assert type(asarray([1.0])) is get_backend("block").array_type
        assert type(asarray([1.0], backend="numpy")) is np.ndarray


@pytest.mark.parametrize("name", ["numpy", "block"])
def test_a_backend_is_as_good_as_its_name(name):
    backend = load(name)
    assert get_backend(backend) is backend
    with use_backend(backend):
        assert get_backend() is backend
    set_backend(backend)
    assert choose() == (backend, f"set_backend({name!r})")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda b: pickle.loads(pickle.dumps(b))])
@pytest.mark.parametrize("name", ["numpy", "block"])
def test_a_copied_or_pickled_backend_is_the_same_object(name, again):
    assert again(load(name)) is load(name)


def enter(name):
    with use_backend(name):
        raise AssertionError("the block must not run")


@pytest.mark.parametrize(
    ("choice", "where"),
    [
        (get_backend, "get_backend: "),
        (set_backend, "set_backend"),
        (enter, "use_backend"),
        (None, "BACKPROP_BACKEND"),
    ],
)
def test_a_typo_names_its_place_and_the_known_backends_in_one_line(choice, where, monkeypatch):
    set_backend("set")
    if choice is None:
        set_backend(None)
        monkeypatch.setenv("BACKPROP_BACKEND", "nunpy")
    with pytest.raises(ValueError) as caught:
        choice("nunpy") if choice else get_backend()
    message = str(caught.value)
    assert len(message.splitlines()) == 1 and where in message
    assert all(word in message for word in ("'nunpy'", "auto", "cupy", "numpy", 'did you mean "numpy"?'))
    monkeypatch.delenv("BACKPROP_BACKEND", raising=False)
    assert name_in_force() == ("set" if choice else "numpy"), "a failed choice changes nothing"


@pytest.mark.parametrize("wrong", [3, ["numpy"], np])
def test_what_is_no_name_and_no_backend_is_refused_with_the_known_names(wrong):
    with pytest.raises((TypeError, ValueError), match="auto, block, cupy, environment, numpy, set"):
        get_backend(wrong)


def test_auto_takes_the_gpu_where_there_is_one(library, caplog):
    cupy = register(Backend("cupy", library("cupy")))
    assert choose("auto") == (cupy, "the backend= argument: auto takes the GPU")
    assert caplog.messages == []


def test_auto_falls_back_and_says_so_once(put_cupy, caplog, monkeypatch):
    put_cupy(None)
    caplog.set_level(logging.WARNING, "backprop")
    monkeypatch.setenv("BACKPROP_BACKEND", "auto")
    assert name_in_force() == name_in_force() == "numpy"
    (message,) = caplog.messages
    assert "BACKPROP_BACKEND=auto" in message and "takes numpy, since CuPy is not installed" in message


def test_auto_tries_a_missing_backend_once(put_cupy, monkeypatch):
    put_cupy(None)
    tried = []
    monkeypatch.setattr(registry, "import_module", lambda name: tried.append(name) or import_module(name))
    assert [choose("auto").backend.name for _ in range(3)] == ["numpy"] * 3
    assert tried == ["backends.cupy"]


def test_only_auto_falls_back(put_cupy, monkeypatch):
    put_cupy(None)
    set_backend("set")
    with pytest.raises(BackendUnavailable):
        set_backend("cupy")
    assert name_in_force() == "set"
    set_backend(None)
    monkeypatch.setenv("BACKPROP_BACKEND", "cupy")
    for use in (get_backend, lambda: xp.zeros(2), lambda: asarray([1.0])):
        with pytest.raises(BackendUnavailable, match="CuPy is not installed"):
            use()
    assert "cupy" not in available_backends() and "numpy" in available_backends()
