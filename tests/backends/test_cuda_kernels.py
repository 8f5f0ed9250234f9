"""kernels.cu without a GPU: NVRTC compiles it for every architecture, and g++ runs it on the CPU."""

import subprocess
from contextlib import suppress
from itertools import product

import numpy as np
import pytest
from cuda_emulator import EmulatedCupy, EmulatedModule, as_cpp, compile_cpp

from backends import registry
from backends.backend import Backend
from backends.cupy_backend import SOURCE
from backprop import TwoLayerNet, train

ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
GENERIC = Backend("generic", np, np.ndarray)
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def emulated():
    return EmulatedCupy()


def a(*shape):
    return RNG.standard_normal(shape, dtype=np.float32)


def assert_close(mine, expected, scale=1.0):
    np.testing.assert_allclose(mine, expected, rtol=2e-6, atol=2e-6 * scale)


# About those of a warp and of a block of columns (32) and of its rows (8).
SIZES = [1, 7, 8, 9, 31, 32, 33, 65]


@pytest.mark.parametrize(("n", "m"), [*product((1, 7, 9, 33), (1, 31, 32, 33, 65)), (300, 3)])
def test_the_backwards_at_sizes_that_fill_no_block(emulated, n, m):
    dout, out, x, W = a(n, m), np.maximum(a(n, m), 0), a(n, 4), a(4, m)
    mine = emulated.affine_relu_backward(dout, out, x, W)
    expected = GENERIC.affine_relu_backward(*(v.astype("float64") for v in (dout, out, x, W)))
    for got, wanted in zip(mine, expected, strict=True):
        assert_close(got, wanted, scale=n + m)
    _, _, db = emulated.affine_backward(dout, x, W, needs_dx=False)
    assert_close(db, dout.sum(axis=0, dtype="float64"), scale=n)


@pytest.mark.parametrize("seed", [1.0, 0.1, 0.0])
@pytest.mark.parametrize(("n", "classes"), [*product((1, 8, 9), SIZES), (3, 1000)])
def test_the_loss_of_any_number_of_classes(emulated, n, classes, seed):
    x, W, b, labels = a(n, 5), a(5, classes), 3 * a(classes), RNG.integers(classes, size=n)
    losses, dz = emulated.affine_softmax_cross_entropy(x, W, b, labels, seed)
    wide = (v.astype("float64") for v in (x, W, b))
    expected, derivative = GENERIC.affine_softmax_cross_entropy(*wide, labels, seed)
    assert_close(losses, expected, scale=10)
    assert (dz is None) == (seed == 0.0)
    if seed:
        assert_close(dz, derivative)


def test_the_derivative_may_be_written_over_the_logits_and_comes_where_it_was_asked_for(emulated):
    x, W, b, labels, dz = a(9, 5), a(5, 40), a(40), RNG.integers(40, size=9), a(9, 40)
    _, got = emulated.affine_softmax_cross_entropy(x, W, b, labels, 1.0, dz)
    assert got is dz
    dout, out = a(9, 40), np.maximum(a(9, 40), 0)
    expected = dout * (out > 0)
    emulated.affine_relu_backward(dout, out, x, W, dz=dout)
    np.testing.assert_array_equal(dout, expected)


@pytest.mark.parametrize("shape", [(50,), (50, 84), (50, 2, 3), (50, 3), (0, 4)])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int64"])
def test_rows_are_gathered_whatever_they_hold(emulated, shape, dtype):
    array = (100 * RNG.random(shape)).astype(dtype)
    indices = RNG.integers(50, size=70) if shape[0] else np.zeros(0, np.int64)
    out = np.zeros((len(indices), *shape[1:]), dtype)
    np.testing.assert_array_equal(emulated.gather(array, indices), array[indices])
    assert emulated.gather(array, indices, out) is out
    np.testing.assert_array_equal(out, array[indices])


def test_what_a_kernel_cannot_take_goes_to_the_generic_one(emulated):
    x, W, b, labels = a(6, 5), a(5, 4), a(4), np.array([0, 1, 2, 3, 0, 1])
    expected = GENERIC.affine_relu(x, W, b)
    assert_close(emulated.affine_relu(np.asfortranarray(x), W, b), expected)
    assert_close(emulated.affine_relu(x.astype("float64"), W, b), expected)
    logits = a(4, 6).T
    for mine, wanted in zip(
        emulated.softmax_cross_entropy(logits, labels.astype("int32")),
        GENERIC.softmax_cross_entropy(logits, labels),
        strict=True,
    ):
        assert_close(mine, wanted)


def test_the_same_arguments_give_the_same_bits(emulated):
    dout, out, x, W = a(200, 40), a(200, 40), a(200, 5), a(5, 40)
    first, *others = (emulated.affine_relu_backward(dout, out, x, W) for _ in range(3))
    for other in others:
        for one, two in zip(first, other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_a_network_trains_on_them(emulated, monkeypatch):
    """All of the CuPy backend's way through a training, on NumPy's arrays: the same as NumPy's own."""
    x, t = a(60, 12), RNG.integers(3, size=60)

    def trained():
        net = TwoLayerNet(12, 40, 3, rng=0, dtype="float32", weight_init_std=0.3)
        history = train(net, x, t, x, t, iterations=20, batch_size=10, learning_rate=0.5, rng=1)
        return net.params.flat, history

    expected, by_numpy = trained()
    monkeypatch.setitem(registry._by_type, np.ndarray, emulated)
    monkeypatch.setitem(registry._loaded, "numpy", emulated)
    flat, history = trained()
    assert_close(flat, expected, scale=10)
    assert_close(history.loss, by_numpy.loss, scale=10)
    assert history.test_accuracy == by_numpy.test_accuracy


MUTANTS = [
    ("(i - n * width)", "(i - n * width) / 2"),
    ("i % m", "i / m % m"),
    ("value <= 0.0f", "value <= 0.5f"),
    ("out[i] > 0.0f", "out[i] >= 0.0f"),
    ("dz[i] = value;", ""),
    ("row += 8", "row += 9"),
    ("y < 8", "y < 7"),
    ("other = 16; other; other /= 2) largest", "other = 0; other; other /= 2) largest"),
    ("other = 16; other; other /= 2) total", "other = 8; other; other /= 2) total"),
    ("c = lane; c < classes; c += 32) total", "c = lane; c < 32; c += 32) total"),
    ("b[label] : 0.0f) - largest", "b[label] : 0.0f)"),
    ("seed / (float)n", "seed / (float)classes"),
    ("softmax - 1.0f", "softmax"),
    ("parameters[i] -=", "parameters[i] +="),
]


def all_kernels(backend):
    """What every kernel of kernels.cu gives for the same arguments: in float32 there, else in float64."""
    rng = np.random.default_rng(5)
    x, W, b = rng.normal(size=(33, 4)), rng.normal(size=(4, 40)), 30 * rng.normal(size=40)
    dout, labels, flat = rng.normal(size=(33, 40)), rng.integers(40, size=33), rng.normal(size=300)
    if backend is not GENERIC:
        x, W, b, dout, flat = (v.astype("float32") for v in (x, W, b, dout, flat))
    out = backend.affine_relu(x, W, b)
    gradients, gathered = backend.affine_relu_backward(dout, out, x, W), backend.gather(x, labels % 33)
    loss = backend.affine_softmax_cross_entropy(x, W, b, labels)
    backend.sgd(flat, flat[::-1].copy(), 0.1)
    return [out, *gradients, gathered, *loss, flat]


def agree(emulated):
    return all(
        np.allclose(mine, expected, rtol=1e-5, atol=1e-5)
        for mine, expected in zip(all_kernels(emulated), all_kernels(GENERIC), strict=True)
    )


def test_all_kernels_agree(emulated):
    assert agree(emulated)


@pytest.mark.slow
@pytest.mark.parametrize(("right", "wrong"), MUTANTS)
def test_a_mutant_is_caught(right, wrong):
    source, emulated = SOURCE.read_text(), EmulatedCupy()
    assert source.count(right) == 1
    emulated._module = EmulatedModule(source.replace(right, wrong))
    assert not agree(emulated)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nvrtc_compiles_it(architecture):
    """No GPU is needed for that, but CuPy and NVIDIA's compiler library, nvidia-cuda-nvrtc."""
    nvrtc = pytest.importorskip("cupy", reason="CuPy is not installed").cuda.nvrtc
    try:
        nvrtc.getVersion()
    except Exception as error:  # of several kinds
        pytest.skip(f"NVRTC cannot be loaded: {error}")
    program = nvrtc.createProgram(SOURCE.read_text(), "kernels.cu", [], [])
    try:
        with suppress(nvrtc.NVRTCError):
            nvrtc.compileProgram(program, [f"-arch=sm_{architecture}", "-std=c++17"])
        log = nvrtc.getProgramLog(program).strip("\0 \n")
        assert not log, log
        assert len(nvrtc.getCUBIN(program)) > 1000
    finally:
        nvrtc.destroyProgram(program)


MAIN = """
int main() {
    const int n = 20, m = 40;
    static float dout[n * m], out[n * m], dz[n * m], db[m], losses[n];
    static int64 labels[n];
    for (int i = 0; i < n * m; ++i) dout[i] = i % 7 - 3.0f, out[i] = i % 3 - 1.0f;
    run_on_cpu({2}, {32, 8}, [&] { bias_backward(dout, out, dz, db, n, m, 1); });
    run_on_cpu({3}, {256}, [&] { softmax_cross_entropy(out, db, labels, losses, out, n, m, 1.0f); });
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("planted", [False, True], ids=["as it is", "without its __syncthreads"])
def test_thread_sanitizer_finds_a_race_where_one_is(tmp_path, planted):
    source = SOURCE.read_text()
    if planted:
        assert source.count("__syncthreads();") == 1
        source = source.replace("__syncthreads();", "")
    compile_cpp(as_cpp(source) + MAIN, tmp_path / "run", "-fsanitize=thread", "-g")
    ran = subprocess.run([tmp_path / "run"], capture_output=True, text=True, timeout=300)
    assert ("WARNING: ThreadSanitizer: data race" in ran.stderr) == planted, ran.stderr[-3000:]
    assert (ran.returncode != 0) == planted, ran.stderr[-3000:]
