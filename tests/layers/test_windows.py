"""Windows of images: every value at its place, and the transpose that adds them back."""

import numpy as np
import pytest
from slow_windows import GEOMETRIES

from backends import to_numpy
from backprop.layers.windows import added_back, require_images, window_counts, windows

RNG = np.random.default_rng(0)
EACH = pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)


@EACH
@pytest.mark.parametrize("outside", [0.0, -np.inf])
def test_windows_hold_what_a_kernel_meets(backend, geometry, outside):
    image, kernel, stride, padding = geometry
    x = RNG.normal(size=(2, 3, *image))
    edges = [(0, 0), (0, 0), (padding, padding), (padding, padding)]
    seen = np.lib.stride_tricks.sliding_window_view(np.pad(x, edges, constant_values=outside), kernel, (2, 3))
    seen = seen[:, :, ::stride, ::stride]
    expected = np.moveaxis(seen.reshape(*seen.shape[:4], -1), -1, 2)
    given = backend.asarray(x)
    found = to_numpy(windows(backend.xp, given, kernel, stride, padding, outside))
    np.testing.assert_array_equal(found, expected)
    assert found.shape[3:] == window_counts(image, kernel, stride, padding)
    np.testing.assert_array_equal(to_numpy(given), x)


@EACH
def test_adding_back_is_the_transpose(backend, geometry):
    image, kernel, stride, padding = geometry
    shape = (2, 3, *image)
    values = RNG.normal(size=(2, 3, kernel[0] * kernel[1], *window_counts(image, kernel, stride, padding)))
    back = to_numpy(added_back(backend.xp, backend.asarray(values), shape, kernel, stride, padding))
    x = RNG.normal(size=shape)
    seen = to_numpy(windows(backend.xp, backend.asarray(x), kernel, stride, padding))
    assert back.shape == shape
    assert np.vdot(back, x) == pytest.approx(np.vdot(values, seen), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_the_dtype_stays(backend, dtype):
    x = backend.asarray(np.ones((1, 1, 2, 2)), dtype)
    seen = windows(backend.xp, x, (2, 2), 1, 1, -np.inf)
    assert seen.dtype == x.dtype
    assert added_back(backend.xp, seen, (1, 1, 2, 2), (2, 2), 1, 1).dtype == x.dtype


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((3, 4, 4), {}, r"x must have shape \(N, C, H, W\), got \(3, 4, 4\); use x\[:, None\] for"),
        ((3, 4, 4), {"channels": 1}, r"x must .*, got \(3, 4, 4\); use x\[:, None\]$"),
        ((3, 4, 4), {"channels": 3}, r"x must .*, got \(3, 4, 4\); use x\[None\]$"),
        ((3, 4, 4), {"channels": 2}, r"x must .*, got \(3, 4, 4\)$"),
        ((3, 16), {}, r"x must have shape \(N, C, H, W\), got \(3, 16\); use x.reshape\(-1, C, H, W\)"),
        ((16,), {}, r"x must have shape \(N, C, H, W\), got \(16,\)$"),
        ((2, 3, 4, 4), {"channels": 1}, r"x must have shape \(N, 1, H, W\), got \(2, 3, 4, 4\)$"),
        ((2, 4, 4, 3), {"channels": 3}, r"x must .*, got \(2, 4, 4, 3\); move its last axis to place 1"),
        ((2, 3, 1, 4), {}, "the kernel, 2 × 3, must fit in the image and its padding of 0, got 1 × 4"),
        ((2, 3, 4, 0), {"padding": 1}, "the kernel, 2 × 3, must fit in .* padding of 1, got 4 × 0"),
        ((0, 3, 4, 4), {"padding": 10**9}, r"padded images may have 1e\+15 values, got a padding of 1000"),
    ],
)
def test_what_holds_no_images_is_refused(backend, shape, options, words):
    with pytest.raises(ValueError, match=f"^Here: {words}") as caught:
        require_images("Here", backend.zeros(shape, "float32"), (2, 3), **{"padding": 0, **options})
    assert len(str(caught.value)) <= 200


def test_no_samples_no_channels_and_a_kernel_that_just_fits_are_images(backend):
    for shape in ((0, 3, 2, 3), (2, 0, 2, 3), (1, 1, 2, 3)):
        require_images("Here", backend.zeros(shape, "float32"), (2, 3), 0)
    require_images("Here", backend.zeros((1, 1, 0, 1), "float32"), (2, 3), 1)
