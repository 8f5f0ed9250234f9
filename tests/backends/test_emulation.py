"""The emulation finds what it is there to find: each fault of a GPU program, planted."""

import gc
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cuda_emulator import EmulatedModule
from emulated_cupy import EmulatedCupy
from emulated_memory import Pool

from backprop import to_numpy

ROOT = Path(__file__).parents[2]
COUPLED = """
extern "C" __global__ void coupled(float* values, int n) {
    if (threadIdx.x == 0) values[blockIdx.x] = 1 + values[(blockIdx.x + 1) % n];
}
extern "C" __global__ void halved(const float* values, float* halves) {
    halves[blockIdx.x] = values[blockIdx.x] / 2 * 4;
}
extern "C" __global__ void turned(const float* values, float* out, int by, bool waits) {
    __shared__ float all[64];
    all[threadIdx.x] = values[threadIdx.x];
    if (waits) __syncthreads();
    out[threadIdx.x] = all[(threadIdx.x + by) % 64];
}
extern "C" __global__ void swapped(float* values, bool waits) {
    float mine = values[threadIdx.x ^ 1];
    if (waits) __syncwarp();
    values[threadIdx.x] = mine;
}
extern "C" __global__ void parted(float* values) {
    if (threadIdx.x == 0) __syncwarp();
    else __syncthreads();
    values[threadIdx.x] = 1;
}
"""


takes_turns = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="threads that take turns need glibc; others run as they like"
)


@pytest.fixture(scope="module")
def module():
    return EmulatedModule(COUPLED)


def test_a_launch_that_reads_what_another_block_writes(module):
    launch = module.get_function("coupled")
    launch((1,), (32,), (np.zeros(1, "float32"), np.int32(1)))
    with pytest.raises(AssertionError, match="coupled: what it gives depends on the order of its blocks"):
        launch((5,), (32,), (np.zeros(5, "float32"), np.int32(5)))


@takes_turns
@pytest.mark.parametrize("by", [1, 63])
def test_a_barrier_of_the_block_that_is_missing(module, by):
    """Return whether a thread reads what an earlier or a later thread in the order has written."""
    values, out = np.arange(1, 65, dtype="float32"), np.zeros(64, "float32")
    launch = module.get_function("turned")
    launch((1,), (64,), (values, out, np.int32(by), np.True_))
    np.testing.assert_array_equal(out, np.roll(values, -by))
    with pytest.raises(AssertionError, match="turned: what it gives depends on the order"):
        launch((1,), (64,), (values + 64, out, np.int32(by + 64), np.False_))


@takes_turns
def test_a_barrier_of_the_warp_that_is_missing(module):
    values = np.arange(40, dtype="float32")
    launch = module.get_function("swapped")
    launch((1,), (40,), (values, np.True_))
    np.testing.assert_array_equal(values, np.arange(40).reshape(20, 2)[:, ::-1].ravel())
    with pytest.raises(AssertionError, match="swapped: what it gives depends on the order"):
        launch((1,), (38,), (values, np.False_))


@takes_turns
def test_threads_that_wait_for_each_other_at_different_barriers(module):
    values = np.zeros(40, "float32")
    with pytest.raises(AssertionError, match="parted: its threads wait at different barriers"):
        module.get_function("parted")((1,), (40,), (values,))
    module.get_function("halved")((40,), (1,), (values + 1, values))
    np.testing.assert_array_equal(values, 2 * np.ones(40))


def test_a_launch_is_done_once_as_far_as_its_arrays_know(module):
    values, halves = np.arange(5, dtype="float32"), np.zeros(5, "float32")
    for _ in range(2):  # at first in both orders
        module.get_function("halved")((5,), (1,), (values, halves))
        np.testing.assert_array_equal(halves, 2 * values)


def test_subnormal_numbers_count_as_zero(module):
    """CuPy compiles with -ftz=true."""
    halves = np.ones(1, "float32")
    module.get_function("halved")((1,), (1,), (np.full(1, 2e-38, "float32"), halves))
    np.testing.assert_array_equal(halves, [0.0])


def test_subnormal_numbers_count_as_zero_in_cupys_own_functions(emulated):
    xp, small = emulated.xp, np.array([2e-38, 1e-39, -1e-39, 0.0], "float32")
    for dtype, expected in (("float32", [0.0, 0.0, 0.0, 0.0]), ("float64", [1e-38, 5e-40, -5e-40, 0.0])):
        half = to_numpy(xp.asarray(small, dtype=dtype) * 0.5)
        np.testing.assert_allclose(half, expected, rtol=1e-6)
    with np.errstate(invalid="ignore"):
        assert np.isnan(to_numpy(xp.asarray(small[3:]) / (xp.asarray(small[3:]) + 1e-39)))
    summed = xp.asarray(small)
    summed += 1e-39
    np.testing.assert_array_equal(to_numpy(summed), np.array([2e-38, 0.0, 0.0, 0.0], "float32"))


def test_an_array_at_an_odd_address(module):
    values = np.zeros(9, "uint8")[1:].view("float32")
    with pytest.raises(AssertionError, match="halved: got an array at an odd address"):
        module.get_function("halved")((2,), (1,), (values, np.zeros(2, "float32")))


def test_memory_that_was_given_back_is_overwritten_and_handed_out_again():
    pool = Pool(EmulatedCupy())
    block = pool.malloc(100)
    store = block.store
    view = np.asarray(block)[10:20]
    store.fill(1)
    del block
    assert store[0] == 1, "an array still lies in it"
    del view
    assert (store == 0xFF).all()
    assert pool.malloc(500).store is store and pool.malloc(600).store is not store


def test_a_pool_that_goes_with_its_memory():
    cupy = EmulatedCupy()
    pool = Pool(cupy)
    pool.malloc(100)
    pool.free_all_blocks()
    assert pool.total_bytes() == 0
    pool.malloc(100)
    del pool
    gc.collect()
    assert cupy.lost == [512]


def test_a_graph_that_needs_an_array_which_is_gone(emulated):
    """It holds addresses, and keeps nothing alive."""
    cupy = emulated.xp
    source, kept = emulated.asarray([3.0], "float32"), emulated.zeros((1,), "float32")

    def recorded(array):
        stream = cupy.cuda.Stream()
        with stream, cupy.cuda.using_allocator(cupy.cuda.MemoryPool().malloc):
            stream.begin_capture()
            emulated.write(kept, array)
            return stream.end_capture()

    graph = recorded(source)
    graph.launch()
    assert to_numpy(kept).tolist() == [3.0]
    del source
    graph.launch()
    assert np.isnan(to_numpy(kept)).all()


def test_what_cupy_refuses_while_a_stream_is_captured(emulated):
    cupy = emulated.xp
    stream, x = cupy.cuda.Stream(), emulated.zeros((2, 2), "float32")
    mask = x == 0
    asked = lambda: float(x[0, 0]), lambda: x @ x, lambda: emulated.asarray([1.0]), lambda: x[mask]
    with stream, cupy.cuda.using_allocator(cupy.cuda.MemoryPool().malloc):
        stream.begin_capture()
        for ask in asked:
            with pytest.raises((RuntimeError, NotImplementedError), match="while the stream is capturing"):
                ask()
        assert stream.end_capture().recorded == []
    for ask in asked:
        ask()


@pytest.mark.parametrize("spoil", ["synchronize", "done"])
def test_a_capture_that_was_spoilt_fails_where_it_ends(emulated, spoil):
    cupy = emulated.xp
    stream, x = cupy.cuda.Stream(), emulated.zeros((2, 2), "float32")
    with stream, cupy.cuda.using_allocator(cupy.cuda.MemoryPool().malloc):
        stream.begin_capture()
        if spoil == "done":
            assert not stream.done
        else:
            with pytest.raises(RuntimeError, match="Unsupported"):
                stream.synchronize()
        with pytest.raises(RuntimeError, match="Invalidated"):
            emulated.write(x, x)
        with pytest.raises(RuntimeError, match="Invalidated"):
            stream.end_capture()
        stream.begin_capture()
        stream.end_capture()


def test_cupy_takes_no_array_of_the_host(emulated):
    cupy, x, host = emulated.xp, emulated.zeros((3,), "float32"), np.ones(3, "float32")
    number = np.int64(3)
    for take in (
        lambda: x + host,
        lambda: cupy.concat([x, host]),
        lambda: cupy.where(host > 0, x, x),
        lambda: x.__setitem__(slice(None), host),
        lambda: emulated.kernel("sgd")((1,), (32,), (x, host, x, number)),
    ):
        with pytest.raises(TypeError):
            take()


def test_what_needs_a_value_waits_for_it(emulated):
    cupy, x = emulated.xp, emulated.asarray([0.0, 2.0], "float32")
    stream = cupy.cuda.Stream()
    for ask in (
        lambda: cupy.nonzero(x),
        lambda: cupy.unique(x),
        lambda: f"{x[1]:.1f}",
        lambda: x.__setitem__(x > 1, 0.0),
    ):
        before = len(cupy.waits)
        ask()
        assert len(cupy.waits) > before
        with stream, cupy.cuda.using_allocator(cupy.cuda.MemoryPool().malloc):
            stream.begin_capture()
            with pytest.raises(RuntimeError, match="while the stream is capturing"):
                ask()
            stream.end_capture()


def test_a_stream_is_of_one_device(monkeypatch):
    cupy = EmulatedCupy(devices=2)
    stream = cupy.cuda.Stream()
    with cupy.cuda.Device(1), pytest.raises(RuntimeError, match="not created on the current device"), stream:
        pass


def test_what_cupy_would_compile_is_known(emulated):
    cupy, x = emulated.xp, emulated.asarray(np.ones((2, 3), "float32"))
    emulated.copy(x)
    emulated.write(emulated.zeros((2, 3), "float32"), x)
    emulated.concat([x, x])
    assert cupy.compiled == set()
    x.copy()
    x[...] = 0.0
    x + x
    assert cupy.compiled == {"copy", "__setitem__", "add"}


def test_what_a_gpu_refuses_or_rounds_is_found_by_its_tests_on_the_emulation():
    """`--emulated-gpu` runs the tests marked gpu; see .ci/run."""
    chosen = ["tests/losses/test_soft_targets.py", "tests/optimizers/test_optimizer.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--emulated-gpu", "-m", "gpu"]
    done = subprocess.run(
        [*command, "-k", "refused or read or smallest_eps", *chosen],
        cwd=ROOT,
        env={**os.environ, "BACKPROP_REQUIRE_GPU": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 0 and "passed" in last and "skipped" not in last, done.stdout[-2000:]
