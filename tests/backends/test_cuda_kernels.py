"""The CUDA sources without a GPU: NVRTC compiles them for every architecture, and g++ runs them on CPUs."""

import subprocess
from contextlib import suppress
from itertools import product

import numpy as np
import pytest
from cuda_emulator import EmulatedModule, as_cpp, compile_cpp, signatures
from library import plain

from backends import NewArrays, find
from backends.cupy import batch_norm, conv2d, launch, softmax_cross_entropy
from backends.cupy.launch import FIRST, SOURCES, kernels, source, source_of
from backprop import TwoLayerNet, train
from backprop.arrays.philox import random_bits
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    GlobalAveragePool2D,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from backprop.losses import Loss, MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.optimizers import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSProp
from backprop.optimizers.clipping import clipped
from backprop.optimizers.decay import decayed, shrunk
from backprop.training.step import minibatch

ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
CUPYS_OPTIONS = ("-ftz=true", "--device-as-default-execution-space")  # which it adds to ours
RNG = np.random.default_rng(0)

# Products by the kernels that compute all of a layer, or by cuBLAS between the others.
BOTH_WAYS = pytest.mark.parametrize("small", [True, False], ids=["small", "large"])


@pytest.fixture
def cuda(cuda, request, monkeypatch):
    if not request.node.callspec.params.get("small", True):
        monkeypatch.setattr(launch, "SMALL", -1)
    return cuda


def a(*shape):
    return RNG.standard_normal(shape, dtype=np.float32)


def compute_and_derive(backend, layers, arguments, dout, **memory):
    """Return the results of two passes by the twins, on the backend's copies of float32 arrays.

    layers: one, or neighbours as one.  arguments: of compute.
    Returns out, the new state, and what derive returns, as NumPy arrays.
    """
    arguments = [backend.asarray(value.copy()) for value in arguments]
    dout = backend.asarray(dout.copy()) if isinstance(dout, np.ndarray) else dout
    compute, derive = (
        find(backend.name, "float32", *[getattr(layer, name) for layer in layers])
        for name in ("compute", "derive")
    )
    ws = NewArrays(backend, backend.dtype("float32"), **memory)
    own = layers[0] if len(layers) == 1 else tuple(layers)
    out, saved, *new = compute(own, ws, *arguments)
    result = derive(own, ws, dout, *saved)
    results = (out, *(new[0] if new else ()), *(result if isinstance(result, tuple) else (result,)))
    return [None if value is None else backend.to_numpy(value).copy() for value in results]


def by_formulas(layers, arguments, dout):
    """Return the same results by the formulas, in float64 with NumPy."""
    x, *rest = (v.astype("float64") if v.dtype == np.float32 else v for v in arguments)
    is_loss = isinstance(layers[-1], Loss)
    targets, params = (rest[:1], rest[1:]) if is_loss else ([], rest)
    kept, state = [], []
    for layer in layers:
        last = targets if layer is layers[-1] else []
        x, saved, *new = layer.compute(np, x, *last, *(params if layer is layers[0] else []))
        state += new[0] if new else []
        kept.append((layer, saved))
    grads, out = [], x
    for layer, saved in reversed(kept):
        result = layer.derive(np, dout, *saved)
        dout, *grads = result if isinstance(result, tuple) else (result,)
    return [out, *state, dout, *grads]


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
    for layers in ([Affine(m)], [Affine(m), ReLU()]):
        if len(layers) > 1:  # away from the kink, where rounding decides
            out = x.astype("float64") @ W + b
            dout = np.where(abs(out) < 1e-5, np.float32(0), dout)
        mine = compute_and_derive(cuda, layers, (x, W, b), dout)
        for got, wanted in zip(mine, by_formulas(layers, (x, W, b), dout), strict=True):
            assert_close(got, wanted, scale=10 + n + d + m)
        _, dx, dW, db = compute_and_derive(cuda, layers, (x, W, b), dout, needs_dx=False)
        assert dx is None
        np.testing.assert_array_equal(dW, mine[2])
        np.testing.assert_array_equal(db, mine[3])


@pytest.mark.parametrize(("n", "m"), [(256, 3), (257, 33), (1000, 70)])
def test_a_bias_gradient_of_many_rows_is_summed_in_parts(cuda, monkeypatch, n, m):
    dout, x, W, b = a(n, m), a(n, 2), a(2, m), a(m)
    monkeypatch.setattr(launch, "SMALL", -1)
    for rows in (launch.ROWS, 8):  # 8: the parts are so many that they are summed in parts too
        monkeypatch.setattr(launch, "ROWS", rows)
        for layers in ([Affine(m)], [Affine(m), ReLU()]):
            _, _, dW, db = compute_and_derive(cuda, layers, (x, W, b), dout)
            _, _, wanted_dW, wanted_db = by_formulas(layers, (x, W, b), dout)
            assert_close(db, wanted_db, scale=n)
            assert_close(dW, wanted_dW, scale=n)


@BOTH_WAYS
@pytest.mark.parametrize("share", [1.0, 0.1])
@pytest.mark.parametrize(("n", "classes"), [*product((1, 8, 9), SIZES), (3, 1000), (3, 1025)])
def test_the_loss_of_any_number_of_classes(cuda, small, n, classes, share):
    x, W, b, labels = a(n, 13), a(13, classes), 3 * a(classes), RNG.integers(classes, size=n)
    layers = [Affine(classes), SoftmaxCrossEntropy()]
    mine = compute_and_derive(cuda, layers, (x, labels, W, b), share / n)
    expected = by_formulas(layers, (x, labels, W, b), share / n)
    for got, wanted in zip(mine, expected, strict=True):
        assert_close(got, wanted, scale=20)
    z = (x @ W + b).astype("float32")
    mine = compute_and_derive(cuda, layers[1:], (z, labels), share / n)
    for got, wanted in zip(mine, by_formulas(layers[1:], (z, labels), share / n), strict=True):
        assert_close(got, wanted, scale=20)


def test_targets_on_a_device_that_were_not_checked(cuda):
    """A label outside the classes is at no entry, and nothing is read there; NaN is not lost."""
    z, loss = a(4, 5), SoftmaxCrossEntropy()
    z[0, 4] = z[3, 0] = 9.0
    labels, soft = np.array([4, -1, 5, 2**32]), np.full((4, 5), 0.2, "float32")
    soft[1, 2] = np.nan
    for targets in (labels, soft):
        mine = compute_and_derive(cuda, [loss], (z, targets), 0.25)
        for got, wanted in zip(mine, by_formulas([loss], (z, targets), 0.25), strict=True):
            assert_close(got, wanted)
    ws = NewArrays(cuda, cuda.dtype("float32"))
    right = find("cupy", "float32", loss.correct)(loss, ws, cuda.asarray(z), cuda.asarray(labels))
    assert cuda.to_numpy(right).tolist() == [True, False, False, False]


@pytest.mark.parametrize("shape", [(50, 784), (50, 3), (50, 2, 3), (50,)])
@pytest.mark.parametrize("packed", [False, True])
def test_a_minibatch_is_gathered_from_floats_and_from_bytes(cuda, shape, packed):
    pixels = RNG.integers(256, size=shape).astype("uint8")
    x, batch = pixels.astype("float32") / np.float32(255), RNG.integers(50, size=70)
    source = cuda.pack(cuda.asarray(x)) if packed else cuda.asarray(x)
    assert str(source.dtype) == ("uint8" if packed else "float32")
    for t in (RNG.integers(10, size=50), a(50, 3), RNG.random((50, 3)) < 0.5):
        ws = NewArrays(cuda, cuda.dtype("float32"))
        twin = find("cupy", "float32", minibatch)
        x_batch, t_batch = twin(ws, source, cuda.asarray(t), cuda.asarray(batch))
        np.testing.assert_array_equal(cuda.to_numpy(x_batch), x[batch])
        np.testing.assert_array_equal(cuda.to_numpy(t_batch), t[batch])
        assert x_batch.dtype == "float32" and t_batch.dtype == t.dtype


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


def test_a_view_is_packed_in_the_order_of_its_numbers(cuda):
    """Else each batch of it would be taken from a copy of all samples."""
    turned = np.arange(256, dtype="float32").reshape(4, 64) / np.float32(255)
    for values in (turned, turned + np.float32(0.3)):
        packed = cuda.pack(cuda.asarray(values).T)
        assert packed.flags.c_contiguous
        host = cuda.to_numpy(packed)
        restored = host.astype("float32") / np.float32(255) if host.dtype == "uint8" else host
        np.testing.assert_array_equal(restored, values.T)


@pytest.mark.parametrize("size", [1, 255, 5000])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_found(cuda, size, value):
    x = (np.linspace(-1.0, 1.0, size) * float(np.finfo(np.float32).max)).astype("float32")
    assert cuda.all_finite(cuda.asarray(x)) and cuda.all_finite(cuda.asarray(x[:0]))
    for at in {0, size // 2, size - 1}:
        wrong = x.copy()
        wrong[at] = value
        assert not cuda.all_finite(cuda.asarray(wrong))
        assert not cuda.all_finite(cuda.asarray(np.stack([x, wrong])).T)


def test_empty_samples_are_packed_as_they_are(cuda):
    x = cuda.zeros((0, 4), "float32")
    assert cuda.pack(x) is x


@pytest.mark.parametrize("layer", [GELU(), LeakyReLU(), Sigmoid(), Softmax(), Tanh(), LayerNorm()], ids=repr)
def test_no_samples_have_no_output_and_gradients_of_zero(cuda, layer):
    params = (a(5), a(5)) if isinstance(layer, LayerNorm) else ()
    mine = compute_and_derive(cuda, [layer], (a(0, 5), *params), a(0, 5))
    for got, wanted in zip(mine, by_formulas([layer], (a(0, 5), *params), a(0, 5)), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("shape", [(1, 4), (300, 9), (2, 3, 700)])
def test_features_of_one_value_and_of_more_than_a_block_has_threads(cuda, monkeypatch, shape):
    for many in (batch_norm.MANY, 8):
        monkeypatch.setattr(batch_norm, "MANY", many)
        arguments, dout = [a(*shape) + np.float32(10), *(a(shape[1]) for _ in range(4))], a(*shape)
        mine = compute_and_derive(cuda, [BatchNorm()], arguments, dout)
        for got, wanted in zip(mine, by_formulas([BatchNorm()], arguments, dout), strict=True):
            assert_close(got, wanted, scale=30)


def test_views_and_other_dtypes_are_computed_too(cuda):
    """A view is copied before a launch; other dtypes have no twins here, and take the formulas."""
    x, W, b, dout = a(6, 5), a(5, 4), a(4), a(6, 4)
    expected = by_formulas([Affine(4)], (x, W, b), dout)
    for dtype in ("float32", "float64"):
        turned = [cuda.asarray(np.ascontiguousarray(v.astype(dtype).T)).T for v in (x, W, dout)]
        assert not any(v.flags.c_contiguous for v in turned)
        layer = Affine(turned[1], cuda.asarray(b.astype(dtype)))
        mine = layer.forward(turned[0]), layer.backward(turned[2]), *layer.grads.values()
        for got, wanted in zip(mine, expected, strict=True):
            assert got.dtype == dtype
            assert_close(cuda.to_numpy(got), wanted, scale=10)
    w, g, v, optimizer = a(5, 4), a(5, 4), a(5, 4), Momentum(0.5, 0.75)
    turned = [cuda.asarray(np.ascontiguousarray(each.T)).T for each in (w, g)]
    settings = [cuda.asarray(np.array(value, "float32")) for value in (0.5, 0.75)]
    velocity = cuda.asarray(np.ascontiguousarray(v.T)).T
    twin, ws = find("cupy", "float32", optimizer.compute), NewArrays(cuda, cuda.dtype("float32"))
    new, (new_v,) = twin(optimizer, ws, *turned, *settings, velocity)
    assert new is not turned[0], "for the optimizer to copy into place"
    assert_close(cuda.to_numpy(new_v), np.float32(0.75) * v - np.float32(0.5) * g)
    assert_close(cuda.to_numpy(new), w + cuda.to_numpy(new_v))
    logits, labels = a(4, 6), np.array([0, 1, 2, 3, 0, 1], "int32")
    loss = SoftmaxCrossEntropy()
    mine = loss.forward(cuda.asarray(logits).T, cuda.asarray(labels)), loss.backward()
    losses, dz = by_formulas([loss], (logits.T, labels), 1 / 6)
    assert_close(cuda.to_numpy(mine[0]), losses.mean())
    assert_close(cuda.to_numpy(mine[1]), dz)


@pytest.mark.parametrize("ratio", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(1, 1), (7, 8), (5, 9), (3, 2, 35), (70,), (0, 4), (3, 0)])
def test_values_are_dropped_as_by_the_formula(cuda, shape, ratio, monkeypatch):
    layer, x, dout = Dropout(ratio), a(*shape), a(*shape)
    state = RNG.integers(2**64, size=(3, 1), dtype="uint64")
    out, (factor,), new = layer.compute(np, x, *state)
    for blocks in (launch.MAX_BLOCKS, 1):
        monkeypatch.setattr(launch, "MAX_BLOCKS", blocks)
        ws = NewArrays(cuda, cuda.dtype("float32"))
        moved = [cuda.asarray(each.copy()) for each in (x, *state)]
        mine, saved, mine_new = find("cupy", "float32", layer.compute)(layer, ws, *moved)
        dx = find("cupy", "float32", layer.derive)(layer, ws, cuda.asarray(dout.copy()), *saved)
        for got, wanted in zip(
            (mine, *saved, *mine_new, dx), (out, factor, *new, dout * factor), strict=True
        ):
            np.testing.assert_array_equal(cuda.to_numpy(got), wanted)
            assert got.dtype == wanted.dtype


def test_other_dtypes_drop_the_same_values(cuda):
    """By the formula, on the device."""
    x, layers = a(9, 13), [Dropout(0.3) for _ in range(2)]
    for layer in layers:
        layer.build((13,), rng=0, backend=cuda)
    single, double = (
        cuda.to_numpy(layer.forward(cuda.asarray(x.astype(dtype))))
        for layer, dtype in zip(layers, ("f4", "f8"), strict=True)
    )
    np.testing.assert_allclose(single, double, rtol=1e-6)
    assert single.dtype == "float32" and double.dtype == "float64" and 0 < (single == 0).mean() < 0.6


@BOTH_WAYS
def test_the_same_arguments_give_the_same_bits(cuda, small):
    arguments, dout = (a(70, 5), a(5, 40), a(40)), a(70, 40)
    first, *others = (compute_and_derive(cuda, [Affine(40), ReLU()], arguments, dout) for _ in range(3))
    for other in others:
        for one, two in zip(first, other, strict=True):
            np.testing.assert_array_equal(one, two)


MUTANTS = [
    ("x_out[n * width + i] = read(sample * width + i)", "x_out[n * width + i] = read(n * width + i)"),
    ("targets[sample * target_bytes + i]", "targets[n * target_bytes + i]"),
    ("i < target_bytes;", "i < 1;"),
    ("return (float)x[i] / 255.0f", "return (float)x[i] * (1 / 255.0f)"),
    ("differ = 1", "differ = 0"),
    ("out[j] + b[j]", "out[j] + b[0]"),
    ("part * rows + threadIdx.y", "threadIdx.y"),
    ("sums[part * m + column]", "sums[column]"),
    ("(part + 1) * rows : n", "(part + 1) * rows - 1 : n"),
    ("out[i] > 0.0f ? value", "out[i] >= 0.0f ? value"),
    ("dz[i] = value;", ""),
    ("row += 8", "row += 9"),
    ("y < 8; ++y", "y < 7; ++y"),
    ("c += 32) {\n        float below", "c += 320) {\n        float below"),
    ("b[c] : 0.0f) - largest, t =", "b[c] : 0.0f), t ="),
    ("float share = 1.0f / (float)n", "float share = 1.0f / (float)classes"),
    ("softmax - target(c)", "softmax"),
    ("if (!(t <= 0.0f)) expected", "expected"),
    ("expected += t * below", "expected += below"),
    ("keep * t + spread", "t + spread"),
    ("keep * t + spread", "keep * t"),
    ("soft ? soft + row * classes : soft", "soft"),
    ("0.5f * sum", "sum"),
    ("difference * share", "difference"),
    ("i += 32) {\n        float difference", "i += 33) {\n        float difference"),
    ("positive ? 1.0f - t[i] : t[i]", "t[i]"),
    ("positive ? w - p : p - w", "w - p"),
    ("size * w + log1pf(e)", "size * w + e"),
    ("i += 32) {\n        bool positive", "i += 33) {\n        bool positive"),
    ("equal && i < j", "equal"),
    ("c += 32)\n        if (precedes(z, c, (int)", "c += 320)\n        if (precedes(z, c, (int)"),
    ("c = lane + 32; c < classes", "c = lane + 32; c < 32"),
    ("if (precedes(x, its, best)) best = its;", ""),
    ("first_largest(soft + row * classes, classes)", "first_largest(soft, classes)"),
    ("w[i] -= learning_rate * g[i];", "w[i] -= learning_rate + g[i];"),
    ("momentum * v[i] - step", "v[i] - step"),
    ("v[i] = velocity;", ""),
    ("momentum * velocity - step : velocity", "velocity : velocity"),
    ("momentum * velocity - step : velocity", "momentum * velocity - step : momentum * velocity - step"),
    ("decay * h[i] + share", "h[i] + share"),
    ("h[i] = squares", "h[i] = share"),
    ("(sqrtf(squares) + eps)", "(sqrtf(squares + eps))"),
    ("*t + 1.0f", "*t"),
    ("-expm1f(step * log1)", "1.0f"),
    ("-expm1f(step * log2)", "1.0f"),
    ("m[i] = mean", "m[i] = m[i]"),
    ("share2 * (g[i] * g[i])", "share2 * g[i]"),
    ("v[i] = squares;", ""),
    ("*new_t = step", "*new_t = *t"),
    ("*new_t = step", "*(float*)t = *new_t = step"),
    ("g[i] + decay[i] * w[i]", "g[i] + w[i]"),
    ("learning_rate * decay[i] * w[i]", "decay[i] * w[i]"),
    ("sum += g[i] * g[i]", "sum += g[i]"),
    ("parts[blockIdx.x] = sum", "parts[blockIdx.x] = 1.0f"),
    ("threadIdx.x < count ?", "threadIdx.x < count - 1 ?"),
    ("norm <= *most ? 1.0f : *most / norm", "*most / norm"),
    ("norm <= *most ? 1.0f : *most / norm", "1.0f"),
    ("out[i] = value <= 0.0f ? 0.0f : value", "out[i] = value"),
    ("dx[i] = out[i] > 0.0f ? dout[i] : 0.0f", "dx[i] = dout[i] > 0.0f ? dout[i] : 0.0f"),
    # sums in a block or a warp
    ("half = blockDim.x / 2; half >= width", "half = blockDim.x / 4; half >= width"),
    ("half >= width", "half > width"),
    ("sums[thread % width]", "sums[0]"),
    # features
    ("each((sample * channels + c) * inner + place)", "each((sample * channels + c) * inner)"),
    ("sample += shares / inner", "sample += shares"),
    ("place -= inner, ++sample", "place -= inner"),
    ("float centred = x[i] - mean", "float centred = x[i]"),
    ("variance + eps), g", "variance), g"),
    ("out[i] = g * normalized + b;", "out[i] = normalized + b;"),
    ("factor[c] = g * scale", "factor[c] = scale"),
    ("keep * running_mean[c] + rest * mean", "running_mean[c] + rest * mean"),
    ("rest * variance", "rest * squares"),
    ("dgamma[c] = along", "dgamma[c] = sum"),
    ("dbeta[c] = sum;", ""),
    ("mean - x_hat[i] * slope)", "mean - x_hat[i] * along)"),
    ("slope = along / count", "slope = along"),
    # elementwise
    ("float value = expf(-fabsf(x[i]))", "float value = expf(-x[i])"),
    ("x[i] < 0.0f ? value : 1.0f", "1.0f"),
    ("dout[i] * (e[i] / ((1.0f + e[i]) * (1.0f + e[i])))", "dout[i] * e[i] / (1.0f + e[i])"),
    ("(4.0f * e[i] / ((1.0f + e[i]) * (1.0f + e[i])))", "(1.0f - e[i] * e[i])"),
    ("float root = expf(-fabsf(x[i]))", "float root = expf(-x[i])"),
    ("root * root", "root"),
    ("tanhf(x[i])", "x[i]"),
    ("value <= 0.0f ? slope * value", "value <= 0.0f ? slope"),
    ("out[i] > 0.0f ? dout[i] : slope * dout[i]", "out[i] > 0.0f ? dout[i] : slope"),
    ("normcdff(near), square", "normcdff(-near), square"),
    ("value > farthest ? farthest : value", "value > farthest ? -farthest : value"),
    ("cumulative + near * (bell", "cumulative + (bell"),
    ("-0.5f * square", "-1.5f * square"),
    ("dx[i] = dout[i] * slope[i]", "dx[i] = dout[i]"),
    # rows
    ("largest = fmaxf(largest, x[c])", "largest = fmaxf(largest, 0.0f)"),
    ("other = 16; other; other /= 2) value +=", "other = 8; other; other /= 2) value +="),
    ("other = 16; other; other /= 2) value = fmaxf", "other = 8; other; other /= 2) value = fmaxf"),
    ("for (int64 c = lane; c < classes; c += 32) total", "for (int64 c = lane; c < 32; c += 32) total"),
    ("expf(x[c] - largest) / total", "expf(x[c] - largest)"),
    ("rest += (dout[c] - along) * out[c]", "rest += dout[c] - along"),
    ("dout[c] - along - rest", "dout[c] - rest"),
    ("out[c] * (dout[c]", "(dout[c]"),
    ("float centred = x[row + j] - mean", "float centred = x[row + j]"),
    ("(float)size + eps)", "(float)size)"),
    ("gamma[j] * normalized + beta[j]", "normalized + beta[j]"),
    ("scale[blockIdx.x] = s", "scale[blockIdx.x] = mean"),
    ("row += blockDim.x / COLUMNS", "row += blockDim.x"),
    ("dgamma[j] = along", "dgamma[j] = sum"),
    ("dbeta[j] = sum", "dbeta[j] = along"),
    ("float g = gamma[j] * dout[row + j]", "float g = dout[row + j]"),
    ("along += g * x_hat[row + j]", "along += g"),
    ("mean - x_hat[row + j] * slope", "mean"),
    ("sample * size;", "sample;"),
    # Dropout
    ("round < 10", "round < 9"),
    ("high_2 ^ words[1] ^ key", "high_2 ^ words[1]"),
    ("words[1] = low_2", "words[1] = low_0"),
    ("high_0 ^ words[3] ^ second_key", "high_0 ^ words[3]"),
    ("words[3] = low_0", "words[3] = low_2"),
    ("second_key += 0xBB67AE8584CAA73Bull;", ""),
    ("{1 + *first_row", "{*first_row"),
    ("*first_row * (uint64)blocks", "*first_row"),
    ("i % blocks * 8", "i % blocks"),
    ("j % 2 ?", "j % 2 == 0 ?"),
    ("bits >= threshold", "bits > threshold"),
    ("= *passes + 1;", "= *passes;"),
    ("x[at] * factor[at]", "x[at]"),
    ("dout[i] * factor[i]", "factor[i]"),
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
    # the loss behind an Affine
    ("q0 = part; q0 < d; q0 += 8 * AT_ONCE", "q0 = part; q0 < d; q0 += 9 * AT_ONCE"),
    ("int q = q0 + 8 * e", "int q = q0 + 9 * e"),
    ("other < 8", "other < 7"),
    ("z[c] = sum + bias", "z[c] = sum"),
    ("dz[row * classes + c] = z[c]", "dz[row * classes + c] = 0.0f"),
    ("c0 < classes; c0 += AT_ONCE", "c0 < AT_ONCE; c0 += AT_ONCE"),
    ("sum += z[c0 + e] * weight[e]", "sum += weight[e]"),
    ("dx[row * d + q] = sum", "dx[row * d + q] += sum"),
    # convolution
    ("row < w.kernel_height ? 0", "row < 0 ? 0"),
    ("- w.kernel_width) / w.stride + 1", "- w.kernel_width) / w.stride"),
    ("x * w.stride <= column", "x * w.stride < column"),
    ("of_depth[q] = of_depth(q0 + q)", "of_depth[q] = of_depth(first + q)"),
    ("tile % tall * G::ROWS", "0"),
    ("c * w.pixels() + i * w.width + j, q", "c * w.pixels() + i * w.height + j, q"),
    ("y = place / w.along * w.stride - w.padding, x", "y = place / w.along - w.padding, x"),
    ("image * filters * w.places() + place, y", "image * channels * w.places() + place, y"),
    ("value += b[f];", ""),
    ("rectified && value <= 0 ? 0", "rectified && value >= 0 ? 0"),
    ("!out || out[i] > 0 ?", "!out || out[i] >= 0 ?"),
    ("first = part * length", "first = 0"),
    ("pixel_at(x, w, window, q) : 1", "pixel_at(x, w, window, q) : 0"),
    ("sums[(part * filters + f)", "sums[(0 * filters + f)"),
    ("block - parts * of_part, channels", "block - parts * of_part + 1, channels"),
    ("f * depth + k, -(k / w", "f * depth, -(k / w"),
    ("top * w.stride != y || left", "left"),
    ("dx[(image * channels + c)", "dx[(image * channels)"),
    ("part < parts; part += 8", "part < parts; part += 9"),
    ("other != 8", "other != 7"),
    # pooling
    ("value > best ||", "value >= best ||"),
    ("|| (value != value && best == best)", ""),
    ("= k == found", "= k <= found"),
    (": outside;", ": 0;"),
    ("k = i * w.kernel_width + j;", "k = i * w.kernel_width;"),
    ("out[at] = sum / (Real)w.kernel()", "out[at] = sum"),
    ("dx[at] = sum / (Real)w.kernel()", "dx[at] = sum"),
    ("if (w.inside(row, column)) sum", "if (w.inside(0, column)) sum"),
    ("i += 32) sum += x[row * size + i]", "i += 33) sum += x[row * size + i]"),
    ("out[row] = sum / (float)size", "out[row] = sum"),
    ("dout[i / pixels]", "dout[0]"),
]


def everything(run, pack):
    """Return every kernel's results for the same arguments: those that must be close, and those equal.

    run: computes layers, as `compute_and_derive`, or the plain function or method that it is given.
    pack: as that of a backend.
    """
    rng = np.random.default_rng(5)
    normal = lambda *shape: rng.normal(size=shape).astype("float32")  # noqa: E731
    x, W, b, dout = normal(33, 260), normal(260, 36) / np.float32(8), 30 * normal(36), normal(33, 36)
    labels, pixels = (
        rng.integers(36, size=33),
        rng.integers(256, size=(33, 12)).astype("float32") / np.float32(255),
    )
    z = rng.integers(2, size=(33, 36)).astype("float32")
    close, exact, affine, loss = [], [], Affine(36), SoftmaxCrossEntropy()
    for layers in ([affine], [affine, ReLU()]):
        close += run(layers, (x, W, b), dout)
    exact += run([ReLU()], (dout,), W[:33])
    close += run([affine, loss], (x, labels, W, b), 1 / 33) + run([loss], (z, labels), 1 / 33)
    of_features = [normal(36) for _ in range(4)]
    close += run([BatchNorm(eps=0.1)], (dout, *of_features), W[:33])
    images = normal(3, 4, 100)  # more values of a feature than a block has threads
    close += run([BatchNorm(eps=0.1)], (images, *[each[:4] for each in of_features]), normal(3, 4, 100))
    close += run([LayerNorm(eps=0.1)], (dout, *of_features[:2]), W[:33])
    close += run([LayerNorm(eps=0.1)], (normal(3, 300), normal(300), normal(300)), normal(3, 300))
    for layer in (Softmax(), Sigmoid(), Tanh(), GELU(), LeakyReLU()):
        close += run([layer], (W[:33] * 9,), dout) + run([layer], (W[:33] * 500,), dout)
    flat, gradients, velocity, squares = normal(300), normal(300), normal(300), normal(300) ** 2
    rate, share, t = (np.array(value, "float32") for value in (0.1, 0.75, 3.0))
    for optimizer, *others in (
        (SGD(), rate),
        (Momentum(), rate, share, velocity),
        (Nesterov(), rate, share, velocity),
        (AdaGrad(eps=0.1), rate, squares),
        (RMSProp(beta=0.7, eps=0.1), rate, squares),
        (Adam(beta1=0.7, beta2=0.8, eps=0.1), rate, velocity, squares, t),
    ):
        w, state = run(optimizer.compute, flat, gradients, *others)
        close += [w, *state]
    for most in (1.0, 1000.0):
        close += [run(clipped, gradients, np.array(most, "float32"))]
    close += [run(decayed, flat, gradients, squares), run(shrunk, flat, rate, squares)]
    soft = rng.multinomial(4, np.full(36, 1 / 36), 33).astype("float32") / np.float32(4)
    for smoothing in (0.0, 0.25):
        smoothed = SoftmaxCrossEntropy(smoothing)
        close += run([affine, smoothed], (x, soft, W, b), 1 / 33) + run([smoothed], (z, soft), 1 / 33)
    close += run([loss], (np.where(soft > 0, z, np.float32(-np.inf)), soft), 1 / 33)
    for other in (MeanSquaredError(), SigmoidBinaryCrossEntropy()):
        close += run([other], (3 * dout, soft), 1 / 33)
    for samples in (pixels, pack(pixels)):
        exact += [*run(minibatch, samples, labels, labels % 33), *run(minibatch, samples, z, labels % 33)]
    far = z + np.float32(5) * (np.arange(36) == 35)  # the largest beyond the first 32
    exact += [
        run(loss.correct, *pair) for pair in ((z, labels), (z, z.argmax(axis=1)), (far, z.argmax(axis=1)))
    ]
    state = rng.integers(2**64, size=(3, 1), dtype="uint64")
    least = int(random_bits(np, 1, state[0], state[2] * 5 + 1, state[1])[0, 3])  # of the fourth value
    for layer in (Dropout(0.3), Dropout(least / 2**32)):
        out, (factor,), (_, passes, _) = run(layer.compute, dout, *state)
        exact += [out, factor, passes, run(layer.derive, dout, factor)]
    exact += [
        run(loss.correct, *pair) for pair in ((z, z + soft / 2), (far, z), (z, far), (far, far), (z, soft))
    ]
    exact += [str(pack(x).dtype), str(pack(pixels).dtype)]
    images, filters, biases = normal(9, 3, 11, 9), normal(36, 3, 3, 2), normal(36)
    for conv in (Conv2D(36, (3, 2)), Conv2D(36, (3, 2), stride=2, padding=1)):
        shape = conv.compute(np, images, filters, biases)[0].shape
        for layers in ([conv], [conv, ReLU()]):
            close += run(layers, (images, filters, biases), normal(*shape))
    images[0, 0, :, 4] = images[1, 0] = -1.0
    images[2, 0, 3, 3] = np.nan
    close += run([GlobalAveragePool2D()], (images,), normal(9, 3))
    for pool in (MaxPool2D(2), MaxPool2D(3, 2, 1), AveragePool2D(2), AveragePool2D(3, 2, 1)):
        shape = pool.compute(np, images)[0].shape
        close += run([pool], (images,), normal(*shape))
    return close, exact


def agree(backend, monkeypatch):
    """Return whether all kernels, launched as for small and for large products, agree with the formulas."""

    def on_backend(function, *arguments):
        if isinstance(function, list):
            return compute_and_derive(backend, function, *arguments)
        ws = NewArrays(backend, backend.dtype("float32"))
        moved = [backend.asarray(v.copy()) if isinstance(v, np.ndarray) else v for v in arguments]
        owner = [function.__self__] if hasattr(function, "__self__") else []
        return to_host(find(backend.name, "float32", function)(*owner, ws, *moved))

    def to_host(value):
        return tuple(map(to_host, value)) if isinstance(value, tuple) else backend.to_numpy(value).copy()

    def by_numpy(function, *arguments):
        if isinstance(function, list):
            return by_formulas(function, *arguments)
        if function is minibatch and arguments[0].dtype == np.uint8:
            arguments = (arguments[0].astype("float32") / np.float32(255), *arguments[1:])
        return function(np, *arguments)

    def in_bytes(x):
        scaled = np.rint(x * 255)
        fits = (x >= 0).all() and (x <= 1).all() and (scaled.astype("float32") / np.float32(255) == x).all()
        return scaled.astype("uint8") if fits else x

    expected, expected_exact = everything(by_numpy, in_bytes)
    for small, rows in ((launch.SMALL, launch.ROWS), (-1, 16)):
        monkeypatch.setattr(launch, "SMALL", small)
        monkeypatch.setattr(launch, "ROWS", rows)
        monkeypatch.setattr(batch_norm, "MANY", 16 * rows)
        monkeypatch.setattr(conv2d, "SHORTEST", rows)
        close, exact = everything(on_backend, lambda x: backend.to_numpy(backend.pack(backend.asarray(x))))
        if not all(
            np.allclose(mine, b, rtol=1e-5, atol=1e-4, equal_nan=True)
            for mine, b in zip(close, expected, strict=True)
        ):
            return False
        if not all(np.array_equal(mine, b) for mine, b in zip(exact, expected_exact, strict=True)):
            return False
    return True


def test_all_kernels_agree(emulated, monkeypatch):
    assert agree(emulated, monkeypatch)


def test_each_mutant_has_one_place_in_the_sources():
    assert [right for right, _ in MUTANTS if source().count(right) != 1] == []


@pytest.mark.slow
@pytest.mark.parametrize(("right", "wrong"), MUTANTS)
def test_a_mutant_is_caught(right, wrong, emulated, monkeypatch):
    module = EmulatedModule(source().replace(right, wrong))

    def kernel(name):
        run = module.get_function(name)
        return lambda grid, block, arguments: run(grid, block, [plain(value) for value in arguments])

    emulated.kernel = kernel
    try:
        agreed = agree(emulated, monkeypatch)
    except AssertionError as error:
        agreed = "depends on the order of its blocks" not in str(error)
    assert not agreed


def test_the_sources_are_all_there_and_ascii():
    """CuPy writes them into a file in the encoding of the machine, whatever that is."""
    folder = launch.Path(launch.__file__).parent
    assert {path.stem for path in folder.glob("*.cu")} == set(SOURCES)
    assert source().isascii()


def test_each_kernel_is_launched_by_the_module_beside_it():
    """One stem: what minibatch.cu holds, minibatch.py launches; and no kernel is left over."""
    folder = launch.Path(launch.__file__).parent
    for name in SOURCES:
        for kernel in signatures((folder / f"{name}.cu").read_text("ascii")):
            assert f'"{kernel}"' in (folder / f"{name}.py").read_text("utf-8"), kernel


def test_each_kernel_is_compiled_alone():
    assert kernels() == [*signatures(source())] and {*FIRST} < {*kernels()}
    shared = source_of("none of them")
    assert not signatures(shared) and "__global__" not in shared
    for name in kernels():
        assert signatures(source_of(name)) == {name: signatures(source())[name]}
        assert [line for line in source_of(name).splitlines() if line not in source().splitlines()] == []


def test_a_kernel_is_compiled_when_it_is_asked_for_and_those_of_nearly_every_network_together(emulated):
    assert not emulated._kernels
    emulated.kernel("gelu")
    assert [*emulated._kernels] == ["gelu"]
    emulated.kernel("sgd")
    assert {*emulated._kernels} == {"gelu", *FIRST}


def test_a_small_network_launches_only_kernels_that_are_compiled_together(emulated):
    net = TwoLayerNet(6, 5, 3, dtype="float32", rng=0, backend=emulated)
    x, t = np.linspace(0, 1, 24, dtype="float32").reshape(4, 6), [0, 1, 2, 0]
    train(net, x, t, x, t, iterations=3, batch_size=2, learning_rate=0.1, rng=0)
    assert {*emulated._kernels} == {*FIRST}


def test_an_error_of_the_compiler_is_raised_and_the_kernel_is_tried_again(emulated, monkeypatch):
    make, broken = emulated.xp.RawModule, ["affine"]

    def module(code, options):
        if broken and f"void {broken[0]}(" in code:
            raise RuntimeError(f"no {broken.pop()}")
        return make(code, options)

    emulated.xp.RawModule = module
    with pytest.raises(RuntimeError, match="^no affine$"):
        emulated.kernel("sgd")
    assert emulated.kernel("sgd") and emulated.kernel("affine")


def test_the_constants_are_those_of_the_sources():
    assert f"THREADS = {launch.THREADS};" in source() and f"TILE = {launch.TILE}," in source()
    assert f"MOST_CLASSES = {softmax_cross_entropy.MOST_CLASSES};" in source()


@pytest.fixture
def nvrtc():
    """NVIDIA's compiler library by CuPy. It needs no GPU, but CuPy and nvidia-cuda-nvrtc."""
    found = pytest.importorskip("cupy", reason="CuPy is not installed").cuda.nvrtc
    try:
        found.getVersion()
    except Exception as error:  # of several kinds
        pytest.skip(f"NVRTC cannot be loaded: {error}")
    return found


def require_compiled(nvrtc, text, architecture, *options):
    program = nvrtc.createProgram(text, "kernels.cu", [], [])
    try:
        with suppress(nvrtc.NVRTCError):
            nvrtc.compileProgram(
                program, [f"-arch=sm_{architecture}", "-std=c++17", *CUPYS_OPTIONS, *options]
            )
        log = nvrtc.getProgramLog(program).strip("\0 \n")
        assert not log, log
        assert len(nvrtc.getCUBIN(program)) > 1000
    finally:
        nvrtc.destroyProgram(program)


@pytest.mark.parametrize(
    "architecture",  # the others in the slow run
    [
        pytest.param(each, marks=() if each in (75, 90, 120) else pytest.mark.slow, id=str(each))
        for each in ARCHITECTURES
    ],
)
def test_nvrtc_compiles_it(nvrtc, architecture):
    require_compiled(nvrtc, source(), architecture)


@pytest.mark.slow
@pytest.mark.parametrize("name", kernels())
def test_nvrtc_compiles_each_kernel_alone(nvrtc, name):
    unused = "-diag-suppress=177"  # constants of the other kernels
    require_compiled(nvrtc, source_of(name), 90, unused)


MAIN = """
int main() {
    const int n = 20, m = 40, k = 300;  // more than the 256 summands that are in shared memory at once
    static float dout[n * m], out[n * m], dz[n * m], dx[n * m], W[m * m], dW[m * m], b[m], db[m];
    static float losses[n], deep[8 * k];
    static int64 labels[n];
    static bool right[n];
    for (int i = 0; i < n * m; ++i) dout[i] = i % 7 - 3.0f, out[i] = i % 3 - 1.0f;
    run_on_cpu({4}, {32, 8}, [&] { bias_backward(dout, out, dz, dx, n, m, 10); });
    run_on_cpu({3}, {256}, [&] { softmax_cross_entropy(out, db, labels, nullptr, 1, 0, losses, out, n, m); });
    run_on_cpu({3}, {256}, [&] { softmax_cross_entropy(out, db, nullptr, dx, 1, 0, losses, out, n, m); });
    run_on_cpu({3}, {256}, [&] { mean_squared_error(out, dx, losses, dz, n, m); });
    run_on_cpu({3}, {256}, [&] { sigmoid_binary_cross_entropy(out, dx, losses, dz, n, m); });
    run_on_cpu({15}, {256}, [&] { affine(dout, W, b, out, n, m, m, 1); });
    run_on_cpu({1}, {256}, [&] { affine(deep, deep, b, dz, 8, k, 8, 0); });
    run_on_cpu({30 + 15}, {256}, [&] { affine_backward(dout, out, out, W, dW, db, dx, n, m, m); });
    run_on_cpu({n}, {256}, [&] {
        affine_softmax_cross_entropy(dout, W, b, labels, nullptr, 1, 0, losses, dz, dx, n, m, m);
    });
    run_on_cpu({3}, {256}, [&] { correct(dz, labels, nullptr, right, n, m); });
    run_on_cpu({3}, {256}, [&] { correct(dz, nullptr, dx, right, n, m); });
    run_on_cpu({5}, {256}, [&] {
        batch_norm(dout, W, b, b, b, out, dz, db, losses, deep, n, m, 1, 8, 0.9f, 0.1f, 1.0f);
    });
    run_on_cpu({5}, {256}, [&] { batch_norm_backward(dout, dz, db, dx, losses, deep, n, m, 1, 8); });
    run_on_cpu({1}, {128}, [&] { conv2d(dout, W, b, out, 1, 16, 5, 5, 8, 3, 3, 3, 6, 1, 0, 1); });
    run_on_cpu({3 + 1}, {128}, [&] {
        conv2d_backward(dz, out, dout, W, dW, dx, 1, 16, 5, 5, 8, 3, 3, 3, 6, 1, 0, 1, 32);
    });
    run_on_cpu({2}, {32, 8}, [&] { conv2d_sums(dW, dx, b, 9, 2, 19); });
}
"""
BARRIERS = source().count("__syncthreads();")


@pytest.mark.slow
@pytest.mark.parametrize("missing", [None, *range(BARRIERS)])
def test_thread_sanitizer_finds_a_race_where_one_is(tmp_path, missing):
    """With each __syncthreads taken out in turn, and with all of them there."""
    parts = source().split("__syncthreads();")
    assert len(parts) == BARRIERS + 1 > 5
    barriers = ["__syncthreads();" if i != missing else "" for i in range(BARRIERS)]
    text = "".join(part + barrier for part, barrier in zip(parts, [*barriers, ""], strict=True))
    compile_cpp(as_cpp(text) + MAIN, tmp_path / "run", "-fsanitize=thread", "-g")
    ran = subprocess.run([tmp_path / "run"], capture_output=True, text=True, timeout=300)
    assert ("WARNING: ThreadSanitizer: data race" in ran.stderr) == (missing is not None), ran.stderr[-3000:]
    assert (ran.returncode != 0) == (missing is not None), ran.stderr[-3000:]
