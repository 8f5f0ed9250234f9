"""kernels.cu without a GPU: NVRTC compiles it for every architecture, and g++ runs it on the CPU."""

import subprocess
from contextlib import suppress
from itertools import product

import numpy as np
import pytest
from cuda_emulator import EmulatedModule, as_cpp, compile_cpp
from library import plain

from backends import cuda_kernels
from backends.backend import Backend
from backends.cuda_kernels import SOURCE

ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
CUPYS_OPTIONS = ("-ftz=true", "--device-as-default-execution-space")  # which it adds to ours
GENERIC = Backend("generic", np, np.ndarray)
RNG = np.random.default_rng(0)

# Products by the kernels that compute all of a layer, or by cuBLAS between the others.
BOTH_WAYS = pytest.mark.parametrize("small", [True, False], ids=["small", "large"])


@pytest.fixture
def cuda(cuda, request, monkeypatch):
    if not request.node.callspec.params.get("small", True):
        monkeypatch.setattr(cuda_kernels, "SMALL", -1)
    return cuda


def a(*shape):
    return RNG.standard_normal(shape, dtype=np.float32)


def call(backend, name, *arguments):
    """A kernel on the backend's own copies of NumPy arrays; what it returns, as NumPy arrays."""
    arguments = [backend.asarray(v.copy()) if isinstance(v, np.ndarray) else v for v in arguments]
    returned = getattr(backend, name)(*arguments)
    values = returned if isinstance(returned, tuple) else (returned,)
    return [None if v is None else backend.to_numpy(v) for v in values]


def assert_close(mine, expected, scale=1.0):
    np.testing.assert_allclose(mine, expected, rtol=2e-6, atol=2e-6 * scale)


# About those of a tile (8), of a warp and of a block of columns (32), and of what shared memory holds at once
# (256).
SIZES = [1, 7, 8, 9, 31, 32, 33, 65]


@BOTH_WAYS
@pytest.mark.parametrize(
    ("n", "d", "m"), [*product((1, 7, 9), (1, 8, 33), (1, 8, 9, 33)), (3, 255, 2), (3, 513, 9)]
)
def test_both_passes_at_sizes_that_fill_no_block(cuda, small, n, d, m):
    x, W, b, dout = a(n, d), a(d, m), a(m), a(n, m)
    wide = [v.astype("float64") for v in (x, W, b, dout)]
    for relu in ("", "_relu"):
        (out,) = call(cuda, f"affine{relu}", x, W, b)
        assert_close(out, getattr(GENERIC, f"affine{relu}")(*wide[:3]), scale=10 + d)
        given = [out] if relu else []
        mine = call(cuda, f"affine{relu}_backward", dout, *given, x, W)
        expected = getattr(GENERIC, f"affine{relu}_backward")(wide[3], *given, *wide[:2])
        for got, wanted in zip(mine, expected, strict=True):
            assert_close(got, wanted, scale=10 + n + m)
        dx, dW, db = call(
            cuda, f"affine{relu}_backward", dout, *given, x, W, *[None] * (3 + len(given)), False
        )
        assert dx is None
        np.testing.assert_array_equal(dW, mine[1])
        np.testing.assert_array_equal(db, mine[2])


@pytest.mark.parametrize(("n", "m"), [(256, 3), (257, 33), (1000, 70)])
def test_a_bias_gradient_of_many_rows_is_summed_in_parts(cuda, monkeypatch, n, m):
    dout, out, x, W = a(n, m), a(n, m), a(n, 2), a(2, m)
    monkeypatch.setattr(cuda_kernels, "SMALL", -1)
    for rows in (cuda_kernels.ROWS, 8):  # 8: the parts are so many that they are summed in parts too
        monkeypatch.setattr(cuda_kernels, "ROWS", rows)
        for given in ([], [out]):
            name = "affine_relu_backward" if given else "affine_backward"
            _, dW, db = call(cuda, name, dout, *given, x, W)
            expected = getattr(GENERIC, name)(*(v.astype("float64") for v in (dout, *given, x, W)))
            assert_close(db, expected[2], scale=n)
            assert_close(dW, expected[1], scale=n)


@BOTH_WAYS
@pytest.mark.parametrize("seed", [1.0, 0.1, 0.0])
@pytest.mark.parametrize(("n", "classes"), [*product((1, 8, 9), SIZES), (3, 1000)])
def test_the_loss_of_any_number_of_classes(cuda, small, n, classes, seed):
    x, W, b, labels = a(n, 13), a(13, classes), 3 * a(classes), RNG.integers(classes, size=n)
    losses, dz = call(cuda, "affine_softmax_cross_entropy", x, W, b, labels, seed)
    wide = (v.astype("float64") for v in (x, W, b))
    expected, derivative = GENERIC.affine_softmax_cross_entropy(*wide, labels, seed)
    assert_close(losses, expected, scale=20)
    assert (dz is None) == (seed == 0.0)
    if seed:
        assert_close(dz, derivative)


@BOTH_WAYS
def test_results_come_where_they_were_asked_for(cuda, small):
    x, W, b, dz, losses = (cuda.asarray(v) for v in (a(9, 5), a(5, 40), a(40), a(9, 40), a(9)))
    labels = cuda.asarray(RNG.integers(40, size=9))
    got_losses, got = cuda.affine_softmax_cross_entropy(x, W, b, labels, 1.0, dz, losses)
    assert got is dz and got_losses is losses
    assert cuda.softmax_cross_entropy(dz, labels, 0.0, losses)[0] is losses
    out, dW, db, dx = (cuda.asarray(v) for v in (a(9, 40), a(5, 40), a(40), a(9, 5)))
    assert cuda.affine(x, W, b, out) is out
    assert cuda.affine_relu(x, W, b, out) is out
    got = cuda.affine_backward(dz, x, W, dW, db, dx)
    assert [id(mine) for mine in got] == [id(given) for given in (dx, dW, db)]
    got = cuda.affine_relu_backward(dz, out, x, W, dW, db, dx, dz)
    assert [id(mine) for mine in got] == [id(given) for given in (dx, dW, db)]


def test_dz_may_be_dout_itself(cuda):
    """In place of a test of its own for the large products, where it is written over."""
    dout, out, x, W = a(9, 40), np.maximum(a(9, 40), 0), a(9, 5), a(5, 40)
    expected = call(cuda, "affine_relu_backward", dout, out, x, W)
    dout, out, x, W = map(cuda.asarray, (dout, out, x, W))
    for mine, wanted in zip(cuda.affine_relu_backward(dout, out, x, W, dz=dout), expected, strict=True):
        np.testing.assert_array_equal(cuda.to_numpy(mine), wanted)


@pytest.mark.parametrize("shape", [(50,), (50, 84), (50, 2, 3), (50, 3), (0, 4)])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int64"])
def test_rows_are_gathered_whatever_they_hold(cuda, shape, dtype):
    array = (100 * RNG.random(shape)).astype(dtype)
    indices = RNG.integers(50, size=70) if shape[0] else np.zeros(0, np.int64)
    out = cuda.zeros((len(indices), *shape[1:]), dtype)
    np.testing.assert_array_equal(call(cuda, "gather", array, indices)[0], array[indices])
    assert cuda.gather(cuda.asarray(array), cuda.asarray(indices), out) is out
    np.testing.assert_array_equal(cuda.to_numpy(out), array[indices])


@pytest.mark.parametrize("start", [0, 1, 2, 4])
@pytest.mark.parametrize("into", [0, 1])
def test_rows_of_a_view_that_begins_anywhere(cuda, start, into):
    """A word of 4 bytes cannot be read at every address."""
    values = RNG.integers(256, size=4 + 50 * 8).astype("uint8")
    rows = cuda.asarray(values)[start : start + 50 * 8].reshape(50, 8)
    out = cuda.zeros((1 + 20 * 8,), "uint8")[into : into + 20 * 8].reshape(20, 8)
    indices = RNG.integers(50, size=20)
    expected = values[start : start + 50 * 8].reshape(50, 8)[indices]
    np.testing.assert_array_equal(cuda.to_numpy(cuda.gather(rows, cuda.asarray(indices))), expected)
    assert cuda.gather(rows, cuda.asarray(indices), out) is out
    np.testing.assert_array_equal(cuda.to_numpy(out), expected)


@pytest.mark.parametrize("shape", [(50, 784), (50, 3), (50, 2, 3)])
@pytest.mark.parametrize("packed", [False, True])
def test_a_minibatch_is_gathered_from_floats_and_from_bytes(cuda, shape, packed):
    pixels = RNG.integers(256, size=shape).astype("uint8")
    x, t, batch = (
        pixels.astype("float32") / np.float32(255),
        RNG.integers(10, size=50),
        RNG.integers(50, size=70),
    )
    x_out, t_out = cuda.zeros((70, *shape[1:]), "float32"), cuda.zeros((70,), "int64")
    source = cuda.pack(cuda.asarray(x)) if packed else cuda.asarray(x)
    assert str(source.dtype) == ("uint8" if packed else "float32")
    cuda.minibatch(source, cuda.asarray(t), cuda.asarray(batch), x_out, t_out)
    np.testing.assert_array_equal(cuda.to_numpy(x_out), x[batch])
    np.testing.assert_array_equal(cuda.to_numpy(t_out), t[batch])


@pytest.mark.parametrize(
    "value",
    [-1 / 255, 256 / 255, 0.5, np.nextafter(np.float32(7 / 255), np.float32(1)), np.nan, -0.0, 1e-40, -1e-40],
)
def test_only_what_comes_back_bit_for_bit_is_packed(cuda, value):
    x = np.arange(256, dtype="float32").reshape(64, 4) / np.float32(255)
    assert str(cuda.pack(cuda.asarray(x)).dtype) == "uint8"
    x[5, 3] = value
    unpacked = cuda.asarray(x)
    assert cuda.pack(unpacked) is unpacked
    wide = cuda.asarray(x.astype("float64"))
    assert cuda.pack(wide) is wide


def test_what_a_kernel_cannot_take_goes_to_the_generic_one(cuda):
    x, W, b, labels = a(6, 5), a(5, 4), a(4), np.array([0, 1, 2, 3, 0, 1])
    expected = GENERIC.affine_relu(x, W, b)
    turned = cuda.asarray(np.ascontiguousarray(x.T)).T
    assert_close(cuda.to_numpy(cuda.affine_relu(turned, cuda.asarray(W), cuda.asarray(b))), expected)
    assert_close(call(cuda, "affine_relu", *(v.astype("float64") for v in (x, W, b)))[0], expected)
    logits = a(4, 6)
    mine = cuda.softmax_cross_entropy(cuda.asarray(logits).T, cuda.asarray(labels.astype("int32")))
    for got, wanted in zip(mine, GENERIC.softmax_cross_entropy(logits.T, labels), strict=True):
        assert_close(cuda.to_numpy(got), wanted)


def test_correct_rows_are_counted_as_argmax_would(cuda):
    """The first of the largest counts, and NaN counts as largest."""
    logits = RNG.integers(3, size=(300, 40)).astype("float32")
    logits[RNG.random(logits.shape) < 0.02] = np.nan
    labels = np.where(RNG.random(300) < 0.7, logits.argmax(axis=1), RNG.integers(40, size=300))
    (count,) = call(cuda, "count_correct", logits, labels)
    assert int(count) == (logits.argmax(axis=1) == labels).sum() > 200


@BOTH_WAYS
def test_the_same_arguments_give_the_same_bits(cuda, small):
    dout, out, x, W = a(200, 40), a(200, 40), a(200, 5), a(5, 40)
    first, *others = (call(cuda, "affine_relu_backward", dout, out, x, W) for _ in range(3))
    for other in others:
        for one, two in zip(first, other, strict=True):
            np.testing.assert_array_equal(one, two)


MUTANTS = [
    ("(i - n * width)", "(i - n * width) / 2"),
    ("x_out[n * width + i] = x[sample * width + i]", "x_out[n * width + i] = x[n * width + i]"),
    ("(float)x[sample * width + i] / 255.0f", "(float)x[sample * width + i] * (1 / 255.0f)"),
    ("differ = 1", "differ = 0"),
    ("out[j] + b[j]", "out[j] + b[0]"),
    ("part * rows + threadIdx.y", "threadIdx.y"),
    ("sums[part * m + column]", "sums[column]"),
    ("(part + 1) * rows : n", "(part + 1) * rows - 1 : n"),
    ("out[i] > 0.0f ? value", "out[i] >= 0.0f ? value"),
    ("dz[i] = value;", ""),
    ("row += 8", "row += 9"),
    ("y < 8; ++y", "y < 7; ++y"),
    ("other = 16; other; other /= 2) largest", "other = 0; other; other /= 2) largest"),
    ("other = 16; other; other /= 2) total", "other = 8; other; other /= 2) total"),
    ("c = lane; c < classes; c += 32) total", "c = lane; c < 32; c += 32) total"),
    ("b[label] : 0.0f) - largest", "b[label] : 0.0f)"),
    ("seed / (float)n", "seed / (float)classes"),
    ("softmax - 1.0f", "softmax"),
    ("rate * gradients[i]", "rate + gradients[i]"),
    ("on_device ? *on_device : learning_rate", "learning_rate"),
    ("equal && c < label", "equal"),
    # the small products
    ("q0 += DEPTH", "q0 += DEPTH + 1"),
    ("q0 + DEPTH < k) load(q0 + DEPTH)", "q0 + DEPTH < k) load(q0)"),
    ("q += SHARES", "q += 2 * SHARES"),
    ("s < SHARES", "s < SHARES - 1"),
    ("sum[1][0] += a1 * b0", "sum[1][0] += a0 * b0"),
    ("sum[0][1] += a0 * b1", "sum[0][1] += a0 * b0"),
    ("line = ALONG_Q ? i / DEPTH : i % TILE", "line = ALONG_Q ? i / DEPTH : i / DEPTH"),
    ("x[q * d + i] : 1.0f", "x[q * d + i] : 0.0f"),
    ("!out || out[i * m + j] > 0.0f", "!out || out[i * m + j] >= 0.0f"),
    ("value += b[j];", ""),
    ("W[j * m + q]", "W[q * m + j]"),
    ("block - of_dW", "block - of_dW + 1"),
    ("q = part; q < d; q += 8", "q = part; q < d; q += 9"),
    ("other < 8", "other < 7"),
]


def all_kernels(backend, monkeypatch):
    """What every kernel of kernels.cu gives for the same arguments: in float32 there, else in float64.

    Returns what must be close, and what must be the same to the last bit.
    """
    rng = np.random.default_rng(5)
    x, W, b = rng.normal(size=(33, 300)), 0.1 * rng.normal(size=(300, 40)), 30 * rng.normal(size=40)
    dout, flat, rate = rng.normal(size=(33, 40)), rng.normal(size=300), np.array([0.1])
    arrays = [x, W, b, dout, flat, flat[::-1].copy(), rate]
    if backend is not GENERIC:
        arrays = [v.astype("float32") for v in arrays]
    x, W, b, dout, flat, gradients, rate = map(backend.asarray, arrays)
    labels = backend.asarray(rng.integers(40, size=33))
    pixels = backend.asarray(rng.integers(256, size=(33, 12)).astype("float32") / np.float32(255))
    z = backend.asarray(rng.integers(2, size=(33, 40)).astype("float32"))

    close, exact = [], []
    monkeypatch.setattr(cuda_kernels, "ROWS", 16)
    for small in (2**23, -1):
        monkeypatch.setattr(cuda_kernels, "SMALL", small)
        out = backend.affine_relu(x, W, b)
        close += [out, *backend.affine_relu_backward(dout, out, x, W), *backend.affine_backward(dout, x, W)]
        close += [*backend.affine_softmax_cross_entropy(x, W, b, labels)]
    close += [*backend.softmax_cross_entropy(z, labels)]
    batch = labels % 33
    for source in (pixels, backend.pack(pixels)):
        x_out, t_out = backend.zeros((33, 12), "float32"), backend.zeros((33,), "int64")
        backend.minibatch(source, labels, batch, x_out, t_out)
        exact += [x_out, t_out]
    backend.sgd(flat, gradients, 0.1)
    backend.sgd(flat, gradients, rate)
    exact += [backend.count_correct(z, labels), backend.pack(x) is x]
    return [*close, backend.gather(x, batch), flat], exact


def agree(backend, monkeypatch):
    (close, exact), (expected, expected_exact) = (
        all_kernels(each, monkeypatch) for each in (backend, GENERIC)
    )
    return all(
        np.allclose(plain(a), b, rtol=1e-5, atol=1e-4) for a, b in zip(close, expected, strict=True)
    ) and all(np.array_equal(plain(a), b) for a, b in zip(exact, expected_exact, strict=True))


def test_all_kernels_agree(emulated, monkeypatch):
    assert agree(emulated, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(("right", "wrong"), MUTANTS)
def test_a_mutant_is_caught(right, wrong, emulated, monkeypatch):
    source = SOURCE.read_text()
    assert source.count(right) == 1
    module = EmulatedModule(source.replace(right, wrong))

    def kernel(name):
        run = module.get_function(name)
        return lambda grid, block, arguments: run(grid, block, [plain(value) for value in arguments])

    emulated._kernel = kernel
    try:
        agreed = agree(emulated, monkeypatch)
    except AssertionError as error:
        agreed = "depends on the order of its blocks" not in str(error)
    assert not agreed


def test_the_source_is_ascii():
    """CuPy writes it into a file in the encoding of the machine, whatever that is."""
    assert SOURCE.read_bytes().isascii()


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
            nvrtc.compileProgram(program, [f"-arch=sm_{architecture}", "-std=c++17", *CUPYS_OPTIONS])
        log = nvrtc.getProgramLog(program).strip("\0 \n")
        assert not log, log
        assert len(nvrtc.getCUBIN(program)) > 1000
    finally:
        nvrtc.destroyProgram(program)


MAIN = """
int main() {
    const int n = 20, m = 40, k = 300;  // more than the 256 summands that are in shared memory at once
    static float dout[n * m], out[n * m], dz[n * m], dx[n * m], W[m * m], dW[m * m], b[m], db[m];
    static float losses[n], deep[8 * k];
    static int64 labels[n], count;
    for (int i = 0; i < n * m; ++i) dout[i] = i % 7 - 3.0f, out[i] = i % 3 - 1.0f;
    run_on_cpu({4}, {32, 8}, [&] { bias_backward(dout, out, dz, dx, n, m, 10); });
    run_on_cpu({3}, {256}, [&] { softmax_cross_entropy(out, db, labels, losses, out, n, m, 1.0f); });
    run_on_cpu({15}, {256}, [&] { affine(dout, W, b, out, n, m, m, 1); });
    run_on_cpu({1}, {256}, [&] { affine(deep, deep, b, dz, 8, k, 8, 0); });
    run_on_cpu({30 + 15}, {256}, [&] { affine_backward(dout, out, out, W, dW, db, dx, n, m, m); });
    run_on_cpu({n}, {256}, [&] { affine_softmax_cross_entropy(dout, W, b, labels, losses, dz, n, m, m, 1); });
    run_on_cpu({3}, {256}, [&] { count_correct(dz, labels, &count, n, m); });
}
"""
BARRIERS = SOURCE.read_text().count("__syncthreads();")


@pytest.mark.slow
@pytest.mark.parametrize("missing", [None, *range(BARRIERS)])
def test_thread_sanitizer_finds_a_race_where_one_is(tmp_path, missing):
    """With each __syncthreads taken out in turn, and with all of them there."""
    parts = SOURCE.read_text().split("__syncthreads();")
    assert len(parts) == BARRIERS + 1 > 5
    barriers = ["__syncthreads();" if i != missing else "" for i in range(BARRIERS)]
    source = "".join(part + barrier for part, barrier in zip(parts, [*barriers, ""], strict=True))
    compile_cpp(as_cpp(source) + MAIN, tmp_path / "run", "-fsanitize=thread", "-g")
    ran = subprocess.run([tmp_path / "run"], capture_output=True, text=True, timeout=300)
    assert ("WARNING: ThreadSanitizer: data race" in ran.stderr) == (missing is not None), ran.stderr[-3000:]
    assert (ran.returncode != 0) == (missing is not None), ran.stderr[-3000:]
