"""Convolution and pooling by loops over every place, and geometries of images and windows."""

import numpy as np

GEOMETRIES = {  # height and width of image and kernel, stride, padding
    "plain": ((5, 4), (3, 3), 1, 0),
    "wide kernel, stride and padding": ((5, 6), (2, 3), 2, 1),
    "one pixel": ((1, 1), (1, 1), 1, 0),
    "1 × 1": ((3, 4), (1, 1), 1, 0),
    "1 × 1, stride": ((5, 4), (1, 1), 2, 0),
    "as large as the image": ((3, 2), (3, 2), 1, 0),
    "padding larger than the kernel": ((2, 3), (2, 2), 1, 3),
    "rows and columns left out": ((7, 5), (2, 2), 3, 0),
    "a stride longer than the kernel": ((8, 7), (2, 1), 4, 1),
    "a stride longer than the image": ((4, 5), (2, 2), 9, 0),
    "one row": ((1, 6), (1, 4), 2, 0),
    "one column": ((6, 1), (4, 1), 1, 2),
    "overlap": ((5, 5), (3, 3), 2, 1),
}
SQUARE = {  # size and padding of a pooling: the padding is at most half of the size
    "side by side": ((4, 6), 2, 2, 0),
    "overlap": ((5, 4), 3, 1, 0),
    "overlap and padding": ((5, 4), 3, 2, 1),
    "rows and columns left out": ((7, 5), 2, 2, 0),
    "values between the windows": ((7, 8), 2, 3, 1),
    "a stride longer than the image": ((4, 5), 2, 9, 0),
    "1 × 1": ((3, 4), 1, 1, 0),
    "one pixel": ((1, 1), 1, 1, 0),
    "as large as the image": ((3, 3), 3, 1, 0),
    "mostly padding": ((1, 2), 3, 1, 1),
    "even size": ((5, 5), 4, 2, 2),
}


def convolution(x, W, b, stride, padding):
    """Return out of a Conv2D, one value after the other."""
    (N, C, _, _), (F, _, height, width) = x.shape, W.shape
    padded, counts = padded_and_counts(x, (height, width), stride, padding, 0.0)
    out = np.zeros((N, F, *counts), np.result_type(x, W, b))
    for n, f, i, j in np.ndindex(*out.shape):
        total = b[f]
        for c, row, column in np.ndindex(C, height, width):
            total = total + W[f, c, row, column] * padded[n, c, stride * i + row, stride * j + column]
        out[n, f, i, j] = total
    return out


def pooling(choose, outside, x, size, stride, padding):
    """Return what `choose` makes of the list of values under each window, row by row."""
    padded, counts = padded_and_counts(x, (size, size), stride, padding, outside)
    out = np.zeros((*x.shape[:2], *counts), x.dtype)
    for n, c, i, j in np.ndindex(*out.shape):
        places = np.ndindex(size, size)
        out[n, c, i, j] = choose([padded[n, c, stride * i + k, stride * j + m] for k, m in places])
    return out


def padded_and_counts(x, kernel, stride, padding, outside):
    """Return images with values around them, and how many windows fit, counted one by one."""
    N, C, H, W = x.shape
    padded = np.full((N, C, H + 2 * padding, W + 2 * padding), outside, x.dtype)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    counts = [
        sum(at % stride == 0 for at in range(size - k + 1))
        for size, k in zip(padded.shape[2:], kernel, strict=True)
    ]
    return padded, counts


def first_largest(values):
    """Return the first of the values with the largest real part; NaN counts as larger than all."""
    best = values[0]
    for value in values[1:]:
        if value.real > best.real or (np.isnan(value.real) and not np.isnan(best.real)):
            best = value
    return best


def mean(values):
    """Return the mean."""
    return sum(values) / len(values)
