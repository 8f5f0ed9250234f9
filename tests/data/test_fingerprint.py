"""A fingerprint tells data apart, wherever they differ."""

import numpy as np
import pytest

from backprop.data.fingerprint import WHOLE, fingerprint

X = np.random.default_rng(0).random((5 * WHOLE, 12), dtype=np.float32)
T = np.arange(5 * WHOLE)
ROW = 3  # which is not among the whole rows


def changed(change):
    x = X.copy()
    change(x)
    return fingerprint(x, T)


CHANGES = {
    "a number": lambda x: x.__setitem__((ROW, 5), 0.5),
    "one bit": lambda x: x.view("uint32").__setitem__((ROW, 5), x.view("uint32")[ROW, 5] ^ 1),
    "two places": lambda x: x.__setitem__(ROW, x[ROW, ::-1].copy()),
    "two words": lambda x: x.__setitem__(ROW, np.roll(x[ROW], 2)),
    "two rows": lambda x: x.__setitem__([ROW, ROW + 1], x[[ROW + 1, ROW]]),
    "columns": lambda x: x.__setitem__(slice(None), np.roll(x, 4, axis=1)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_anywhere_is_found(name):
    assert changed(CHANGES[name]) != fingerprint(X, T)


def test_equal_data_have_one_fingerprint_however_they_lie_in_memory():
    assert fingerprint(np.asfortranarray(X), T) == fingerprint(X[::1].copy(), T.copy()) == fingerprint(X, T)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(7,), (7, 3), (7, 1, 5, 5)])
def test_shape_and_dtype_count(dtype, shape):
    x = np.ones(shape, dtype)
    assert fingerprint(x) != fingerprint(x.astype("float16")) and fingerprint(x) != fingerprint(x[:-1])
    assert fingerprint(x) != fingerprint(x.reshape(1, *shape)) and len(fingerprint(x)) == 64
