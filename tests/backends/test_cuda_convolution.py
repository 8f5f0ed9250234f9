"""The CUDA kernels of convolution and pooling against the formulas, at sizes that fill no tile."""

import numpy as np
import pytest
from test_twins import Case, assert_alike, by_formulas, by_twins, quarters

from backends import NewArrays, Workspace, find
from backends.cupy import conv2d, windows
from backends.cupy.launch import CONVOLUTION, FIRST, CudaBackend, kernels, source
from backprop.layers import AveragePool2D, Conv2D, MaxPool2D, ReLU

RNG = np.random.default_rng(0)


@pytest.fixture
def launched(monkeypatch):
    """The launches of kernels: name and number of blocks."""
    found, launch = [], CudaBackend.launch

    def recorded(self, name, blocks, *arguments, **options):
        found.append((name, blocks))
        launch(self, name, blocks, *arguments, **options)

    monkeypatch.setattr(CudaBackend, "launch", recorded)
    return found


def case_of(layers, x, *params):
    """A case with that x, and a random gradient of the output."""
    out = layers[0].compute(np, x, *params)[0]
    return Case(layers, x, ("W", "b")[: len(params)], params, (), (), quarters(RNG, *out.shape))


def convolution(n, c, f, image, kernel, stride=1, padding=0, rectified=False):
    layers = [Conv2D(f, kernel, stride=stride, padding=padding), *([ReLU()] if rectified else [])]
    return case_of(layers, quarters(RNG, n, c, *image), quarters(RNG, f, c, *kernel), quarters(RNG, f))


def require_alike(cuda, case, dtype="float32"):
    ws = NewArrays(cuda, cuda.dtype(dtype))
    mine, *_ = by_twins(cuda, dtype, case, ws)
    assert_alike(cuda, dtype, mine, by_formulas(case)[0])
    return mine


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 2), (2, 1), (3, 0), (3, 2)])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (5, 4)])
def test_strides_paddings_and_kernels(cuda, kernel, stride, padding, rectified):
    require_alike(cuda, convolution(3, 2, 4, (7, 6), kernel, stride, padding, rectified))


# About those of a tile: 32 filters, 64 windows or places in the kernels, 16 summands.
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("n", "c", "f", "image", "kernel"),
    [
        (1, 1, 1, (1, 1), (1, 1)),
        (1, 1, 1, (9, 9), (9, 9)),
        (1, 3, 33, (4, 4), (2, 2)),
        (7, 1, 31, (5, 5), (3, 3)),
        (1, 16, 32, (8, 8), (1, 1)),
        (2, 17, 2, (7, 11), (2, 2)),
        (3, 33, 65, (3, 3), (2, 1)),
        (5, 70, 3, (4, 5), (3, 3)),
    ],
)
def test_sizes_that_fill_no_tile(cuda, n, c, f, image, kernel, dtype):
    require_alike(cuda, convolution(n, c, f, image, kernel, 1, 1, rectified=True), dtype)


def test_the_last_rows_and_columns_that_no_kernel_meets_have_no_gradient(cuda):
    case = convolution(2, 1, 1, (6, 7), (2, 2), stride=4)
    _, dx, *_ = require_alike(cuda, case)
    unmet = np.ones((6, 7), bool)
    unmet[np.ix_([0, 1, 4, 5], [0, 1, 4, 5])] = False
    assert not cuda.to_numpy(dx)[:, :, unmet].any()


@pytest.mark.parametrize("shortest", [1, 16, 100])
def test_the_sums_over_all_windows_in_parts(cuda, monkeypatch, shortest):
    case = convolution(5, 2, 3, (8, 9), (3, 3), rectified=True)
    monkeypatch.setattr(conv2d, "SHORTEST", shortest)
    for blocks in (1, 7, 512):
        monkeypatch.setattr(conv2d, "BLOCKS", blocks)
        require_alike(cuda, case)


@pytest.mark.parametrize("windows_", [1, 15, 255, 256, 257, 6400, 57_600, 10**7])
@pytest.mark.parametrize("tiles", [1, 20, 600])
def test_the_parts_hold_each_window_once(windows_, tiles):
    parts, length = conv2d._division(windows_, tiles)
    assert (parts - 1) * length < windows_ <= parts * length
    assert length % conv2d.DEPTH == 0 and (parts == 1 or parts * tiles <= conv2d.BLOCKS)


@pytest.mark.parametrize(
    ("case", "entries"),
    [
        (convolution(5, 2, 3, (6, 5), (3, 2), 2, 1, rectified=True), 60),
        (case_of([MaxPool2D(3, 2, 1)], quarters(RNG, 5, 2, 6, 5)), 162),
        (case_of([AveragePool2D(2)], quarters(RNG, 5, 2, 6, 5)), 60),
    ],
    ids=["Conv2D", "MaxPool2D", "AveragePool2D"],
)
def test_more_entries_than_an_int_counts_are_launched_in_pieces(cuda, case, entries, monkeypatch, launched):
    for most, count in ((windows.MOST, 1), (2 * entries, 3), (1, 5)):
        monkeypatch.setattr(windows, "MOST", most)
        launched.clear()
        require_alike(cuda, case)
        names = [name for name, _ in launched]
        assert names.count(names[0]) == names.count(f"{names[0]}_backward") == count


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", [MaxPool2D, AveragePool2D])
@pytest.mark.parametrize(
    ("size", "stride", "padding"),
    [(1, 1, 0), (2, 2, 0), (2, 1, 1), (3, 2, 1), (2, 3, 0), (4, 4, 2), (3, 1, 0)],
)
def test_pooling(cuda, layer, size, stride, padding, dtype):
    for shape in ((1, 1, 4, 4), (3, 2, 7, 5), (33, 3, 4, 9)):
        require_alike(cuda, case_of([layer(size, stride, padding)], quarters(RNG, *shape)), dtype)


def test_of_equal_values_the_first_is_the_largest_and_nan_is_larger(cuda):
    """Also if all are -∞, as the padding is."""
    x = np.zeros((1, 1, 6, 6))
    x[..., 2:4, :] = -np.inf
    x[..., 5, [1, 4]] = np.nan
    x[..., 4, 4] = np.inf
    for layer in (MaxPool2D(2), MaxPool2D(2, 2, 1), MaxPool2D(3, 1, 1)):
        moved, ws = cuda.asarray(x.astype("float32")), NewArrays(cuda, cuda.dtype("float32"))
        out, (_, largest) = find("cupy", "float32", layer.compute)(layer, ws, moved)
        with np.errstate(invalid="ignore"):
            wanted, (_, wanted_largest) = layer.compute(np, x)
        np.testing.assert_array_equal(cuda.to_numpy(out), wanted)
        np.testing.assert_array_equal(cuda.to_numpy(largest), wanted_largest)


@pytest.mark.parametrize("layer", [Conv2D(3, 2), MaxPool2D(2), AveragePool2D(2)], ids=repr)
def test_no_images_have_no_output_and_gradients_of_zero(cuda, layer):
    params = (quarters(RNG, 3, 2, 2, 2), quarters(RNG, 3)) if isinstance(layer, Conv2D) else ()
    require_alike(cuda, case_of([layer], np.zeros((0, 2, 4, 4)), *params))


def test_the_same_arguments_give_the_same_bits_also_in_memory_that_is_used_again(cuda):
    x, W, b = (RNG.normal(size=shape) for shape in ((9, 3, 8, 7), (34, 3, 3, 3), (34,)))
    case = case_of([Conv2D(34, 3, padding=1), ReLU()], x, W, b)
    ws = Workspace(cuda, cuda.dtype("float32"))
    first, *others = (
        [cuda.to_numpy(array).tobytes() for array in by_twins(cuda, "float32", case, ws)[0][1:]]
        for _ in range(3)
    )
    assert all(other == first for other in others)


def test_without_dx_no_block_computes_it(cuda, launched):
    case = convolution(3, 2, 4, (6, 5), (2, 2))
    for needs_dx in (True, False):
        ws = NewArrays(cuda, cuda.dtype("float32"), needs_dx=needs_dx)
        (_, dx, *grads), *_ = by_twins(cuda, "float32", case, ws)
        assert (dx is not None) == needs_dx
        assert_alike(cuda, "float32", grads, by_formulas(case)[0][2:])
    assert [blocks for name, blocks in launched if name == "conv2d_backward"] == [1 + 2, 1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_complex_gradient_is_left_to_the_formulas(cuda, dtype):
    x, W, b = quarters(RNG, 2, 2, 5, 5), quarters(RNG, 3, 2, 2, 2), quarters(RNG, 3)
    for layer, own in ((Conv2D(W, b), True), (MaxPool2D(2, 1), False), (AveragePool2D(3, 2, 1), False)):
        if own:
            layer = Conv2D(*(cuda.asarray(value.astype(dtype)) for value in (W, b)))
        out = layer.forward(cuda.asarray(x.astype(dtype)))
        dout = quarters(RNG, *out.shape) + 1j * quarters(RNG, *out.shape)
        dx = layer.backward(cuda.asarray(dout.astype("complex64" if dtype == "float32" else "complex128")))
        _, saved = layer.compute(np, x, *((W, b) if own else ()))
        wanted = layer.derive(np, dout, *saved)
        np.testing.assert_allclose(cuda.to_numpy(dx), wanted[0] if own else wanted, rtol=1e-6, atol=1e-6)


def test_what_a_network_with_convolutions_launches_is_compiled_together(emulated):
    emulated.kernel("max_pool2d")
    assert {*emulated._kernels} == {*CONVOLUTION} < {*kernels()}
    assert not {*CONVOLUTION} & {*FIRST}


def test_the_constants_are_those_of_the_sources():
    for name in ("ROWS", "COLUMNS", "DEPTH"):
        assert f"{name} = {getattr(conv2d, name)}, " in source()
    assert conv2d.THREADS == conv2d.ROWS * conv2d.COLUMNS / 16


@pytest.mark.parametrize(("kernel", "image"), [((1, 1), (3, 4)), ((3, 2), (3, 4)), ((3, 2), (7, 7))])
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 1)])
def test_as_many_windows_as_in_the_formula(kernel, image, stride, padding):
    layer = Conv2D(1, kernel, stride=stride, padding=padding)
    out, _ = layer.compute(np, np.zeros((1, 1, *image)), np.zeros((1, 1, *kernel)), np.zeros(1))
    assert windows.window_counts(image, kernel, stride, padding) == out.shape[2:]
