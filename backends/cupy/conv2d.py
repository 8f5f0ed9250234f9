"""Conv2D, alone and followed by ReLU, by our own kernels alone: always in the full precision of the dtype."""

from math import prod
from typing import Any

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin
from backends.cupy.windows import integers, pieces, window_counts
from backends.twins import REAL

ROWS, COLUMNS, DEPTH, THREADS = 32, 64, 16, 128  # of a tile, as in conv2d.cu
SHORTEST = 256  # windows that a block sums at least
BLOCKS = 512  # that should share the sums over all windows; few more fit on the largest GPUs at a time
KERNELS = {
    "float32": ("conv2d", "conv2d_backward", "conv2d_sums"),
    "float64": ("conv2d_double", "conv2d_backward_double", "conv2d_sums_double"),
}


@kernel_twin("Conv2D.compute", REAL)
def conv2d(self: Any, ws: Any, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, ...]]:
    return forward(self, ws, x, W, b, rectified=False), (x, W)


@kernel_twin("Conv2D.derive", REAL)
def conv2d_derive(self: Any, ws: Any, dout: Array, x: Array, W: Array) -> tuple[Array | None, ...]:
    return backward(self, ws, dout, None, x, W)


@kernel_twin("Conv2D+ReLU.compute", REAL)
def conv2d_relu(layers: Any, ws: Any, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, ...]]:
    out = forward(layers[0], ws, x, W, b, rectified=True)
    return out, (x, W, out)


@kernel_twin("Conv2D+ReLU.derive", REAL)
def conv2d_relu_derive(
    layers: Any, ws: Any, dout: Array, x: Array, W: Array, out: Array
) -> tuple[Array | None, ...]:
    return backward(layers[0], ws, dout, out, x, W)


def forward(layer: Any, ws: Any, x: Array, W: Array, b: Array, rectified: bool) -> Array:
    """Return the convolution of x, or max(0, it) if rectified."""
    counts = window_counts(x.shape[2:], W.shape[2:], layer.stride, layer.padding)
    out = ws["out", (len(x), len(W), *counts)]
    kernel, *_ = KERNELS[x.dtype.name]
    for images, results in pieces(x, out):
        numbers = *_sizes(layer, images, W, counts), *integers(rectified)
        blocks = _tiles(len(W), len(images) * prod(counts))
        ws.backend.launch(kernel, blocks, images, W, b, results, *numbers, block=(THREADS,))
    return out


def backward(
    layer: Any, ws: Any, dout: Array, out: Array | None, x: Array, W: Array
) -> tuple[Array | None, ...]:
    """Return the gradients of x, W and b.  out: the output of a following ReLU, or None.

    dW and db are sums over all windows. Each block sums a part of them, and a second kernel adds the parts.
    These depend on the sizes alone, so the same arguments give the same bits.
    """
    filters, depth, counts = len(W), prod(W.shape[1:]), dout.shape[2:]
    dW, db, dx = ws["dW", W.shape], ws["db", (filters,)], ws["dx", x.shape] if ws.needs_dx else None
    of_part = _tiles(filters, depth + 1)
    work = [(each, *_division(len(each[0]) * prod(counts), of_part)) for each in pieces(dout, out, x, dx)]
    count = sum(parts for _, parts, _ in work)
    sums, start = ws["sums", (count, filters, depth + 1)], 0
    _, kernel, of_sums = KERNELS[x.dtype.name]
    for (d, o, images, gradients), parts, length in work:
        blocks = parts * of_part
        if gradients is not None:
            blocks += _tiles(x.shape[1], len(images) * prod(x.shape[2:]))
        arrays = d, o, images, W, sums[start : start + parts], gradients
        numbers = *_sizes(layer, images, W, counts), *integers(parts, length)
        ws.backend.launch(kernel, blocks, *arrays, *numbers, block=(THREADS,))
        start += parts
    blocks, numbers = -(-filters * (depth + 1) // 32), integers(count, filters, depth)
    ws.backend.launch(of_sums, blocks, sums, dW, db, *numbers, block=(32, 8))
    return dx, dW, db


def _tiles(rows: int, columns: int) -> int:
    return -(-rows // ROWS) * -(-columns // COLUMNS)


def _division(windows: int, tiles: int) -> tuple[int, int]:
    """Return the number of parts that windows are divided into, and their length, a multiple of DEPTH."""
    wanted = max(1, min(windows // SHORTEST, BLOCKS // tiles))
    length = -(-windows // (wanted * DEPTH)) * DEPTH
    return -(-windows // length), length


def _sizes(layer: Any, x: Array, W: Array, counts: tuple[int, ...]) -> tuple[Any, ...]:
    """Return what all kernels take: n, channels, filters, and the windows."""
    numbers = *x.shape[:2], len(W), *x.shape[2:], *W.shape[2:], *counts
    return integers(*numbers, layer.stride, layer.padding)
