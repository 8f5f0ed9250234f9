"""The same seed gives the same bits: in any process and thread, wherever data lies, whatever came before."""

import multiprocessing
import os
import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from backprop import TwoLayerNet, train

FILE = Path(__file__).with_name("small_trainings.py")
ROOT = FILE.parents[2]
SMALL = runpy.run_path(str(FILE))
digest, digits, odd_sizes, DTYPES = (SMALL[name] for name in ("digest", "digits", "odd_sizes", "DTYPES"))

trainings = pytest.mark.parametrize(
    ("make", "dtype"), [(make, dtype) for make in (digits, odd_sizes) for dtype in DTYPES]
)


@pytest.fixture(scope="module")
def expected():
    """The digest of each small training, by its function and dtype."""
    return {(make, dtype): digest(make, dtype) for make in (digits, odd_sizes) for dtype in DTYPES}


def assert_equal(out, expected):
    """Check the output of the program: its own line, and that of its fork where forks exist."""
    lines = [line.split() for line in out.splitlines()]
    assert sorted(name for name, *_ in lines) == (["forked", "own"] if hasattr(os, "fork") else ["own"])
    assert all(found == [*expected.values()] for _, *found in lines)


@pytest.mark.parametrize(("seed", "flags"), [("0", []), ("random", ["-OO"])])
def test_in_other_processes(expected, seed, flags):
    """Fresh ones and forked ones. A hash seed changes the order of sets; -OO leaves out docstrings."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
    command = [sys.executable, *flags, FILE]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    assert_equal(ran.stdout, expected)


@pytest.mark.slow
def test_in_a_process_that_was_spawned(expected, capfd):
    program = {"target": runpy.run_path, "args": (str(FILE),), "kwargs": {"run_name": "__main__"}}
    process = multiprocessing.get_context("spawn").Process(**program)
    process.start()
    process.join(120)
    assert process.exitcode == 0
    assert_equal(capfd.readouterr().out, expected)


def at(offset):
    """A function that copies an array to so many bytes behind the beginning of a line of the cache."""

    def moved(x):
        memory = np.empty(x.nbytes + 256, "uint8")
        start = -memory.ctypes.data % 128 + offset
        there = memory[start : start + x.nbytes].view(x.dtype).reshape(x.shape)
        there[...] = x
        return there

    return moved


@trainings
def test_at_any_address(expected, make, dtype):
    size = np.dtype(dtype).itemsize
    for offset in [*range(0, 16 * size, size), 1, 3]:
        assert digest(make, dtype, at(offset)) == expected[make, dtype], offset


ARRANGED = {
    "Fortran's order": np.asfortranarray,
    "every other row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "every third column": lambda x: np.repeat(x, 3, axis=1)[:, ::3],
    "backwards": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "the other bytes first": lambda x: x.astype(x.dtype.newbyteorder()),
    "lists": lambda x: x.tolist(),
}


@trainings
@pytest.mark.parametrize("way", ARRANGED)
def test_in_any_order_of_memory(expected, make, dtype, way):
    assert digest(make, dtype, ARRANGED[way]) == expected[make, dtype]


@trainings
@pytest.mark.parametrize("parts", [(1, 11), (5, 1, 6)])
def test_in_one_call_or_in_several(expected, make, dtype, parts):
    assert digest(make, dtype, parts=parts) == expected[make, dtype]


@trainings
def test_in_threads(expected, make, dtype):
    with ThreadPoolExecutor(4) as pool:
        assert {*pool.map(lambda _: digest(make, dtype), range(8))} == {expected[make, dtype]}


@trainings
def test_after_odd_allocations(expected, make, dtype):
    """The previous content of new arrays' memory does not matter."""
    for size in (1, 31, 1000, 12_345):
        junk = [np.full(size, value, dtype) for value in (np.nan, np.inf, -1e30, 7.0) for _ in range(20)]
        del junk[::2]
        assert digest(make, dtype) == expected[make, dtype]


@trainings
def test_after_trainings_that_were_broken_off(expected, make, dtype):
    """By an exception of a callback or of a layer."""
    x, t, net = make(dtype)

    def stop(history):
        if len(history.loss) > 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(net, x, t, epochs=3, batch_size=30, rng=0, callback=stop)
    with pytest.raises(ValueError):
        train(TwoLayerNet(3, 2, 2, rng=0), [[np.nan] * 3], [0], iterations=1)
    assert digest(make, dtype) == expected[make, dtype]
