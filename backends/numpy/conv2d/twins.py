"""The twins of Conv2D: alone, with ReLU, and with ReLU and max pooling of 2 × 2.

Arrays are handed on as (N, C, H, W), but lie in memory as (H, N, W, C).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.batch_parts import for_each, parts
from backends.numpy.constants import number, ones
from backends.numpy.conv2d.direct import Direct
from backends.numpy.conv2d.form import Form
from backends.numpy.conv2d.geometry import Geometry, Pair, spread
from backends.numpy.conv2d.narrow import Narrow
from backends.numpy.conv2d.pooling import Largest, pooled, unpooled
from backends.numpy.conv2d.winograd import Winograd
from backends.twins import twin
from backends.workspace import NewArrays

BOOL = np.dtype(bool)


@dataclass(frozen=True)
class Part:
    """A part of the batch: its number, its samples, and the thread that works on it."""

    ws: NewArrays
    index: int
    samples: slice
    worker: int

    @property
    def count(self) -> int:
        """The number of samples."""
        return int(self.samples.stop - self.samples.start)

    def lasting(self, name: str, shape: Pair) -> Array:
        """Return memory that is kept from `compute` to `derive`."""
        array: Array = self.ws[f"{name} of part {self.index}", shape]
        return array

    def bits(self, name: str, shape: Pair) -> Array:
        """Return such memory for true and false."""
        array: Array = self.ws[f"{name} of part {self.index}", shape, BOOL]
        return array

    def scratch(self, name: str, shape: Pair) -> Array:
        """Return memory to work in, which the thread's next part overwrites."""
        array: Array = self.ws[f"{name} of thread {self.worker}", shape]
        return array


def pools_by_two(conv: Any, relu: Any, pool: Any) -> bool:
    """Return whether the windows of a pooling are 2 × 2 and lie side by side."""
    return (pool.size, pool.stride, pool.padding) == (2, 2, 0)


@twin("numpy", "Conv2D.compute")
def conv2d(self: Any, ws: NewArrays, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    out, _ = _convolved(self, ws, x, W, b, activate=False)
    return out, (x, W)


@twin("numpy", "Conv2D.derive")
def conv2d_derive(self: Any, ws: NewArrays, dout: Array, x: Array, W: Array) -> tuple[Array | None, ...]:
    size, area = _whole(self, x, W)

    def images(form: Form, part: Part) -> Array:
        return form.entered(part.scratch, x[part.samples])

    return _gradients(ws, size, area, W, parts(len(x)), images, partial(_filled, dout, None))


@twin("numpy", "Conv2D+ReLU.compute")
def conv2d_relu(self: Any, ws: NewArrays, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, ...]]:
    out, images = _convolved(self[0], ws, x, W, b, activate=True)
    return out, (x, W, out, *images)


@twin("numpy", "Conv2D+ReLU.derive")
def conv2d_relu_derive(
    self: Any, ws: NewArrays, dout: Array, x: Array, W: Array, out: Array, *images: Array
) -> tuple[Array | None, ...]:
    size, area = _whole(self[0], x, W)
    samples, fill = parts(len(x), len(images)), partial(_filled, dout, out)
    return _gradients(ws, size, area, W, samples, lambda form, part: images[part.index], fill)


@twin("numpy", "Conv2D+ReLU+MaxPool2D.compute", suits=pools_by_two)
def conv2d_relu_pool(
    self: Any, ws: NewArrays, x: Array, W: Array, b: Array
) -> tuple[Array, tuple[Array, ...]]:
    size, (tiles, across) = _by_two(self[0], x, W)
    out = ws["out", (tiles, len(x), across // 2, size.filters)]

    def run(part: Part) -> tuple[Array, ...]:
        form, bias = _form(size, (tiles, across), part), _repeated(b, part.count)
        largest = Largest.empty(part.bits, (tiles, across // 2, part.count, size.filters))
        images = form.entered(part.lasting, x[part.samples])
        for first, values in form.products(images, W, split=2):
            rows = slice(first, first + values.shape[2])
            found = pooled(values, bias, part.scratch, largest, rows)
            out[rows, part.samples] = found.swapaxes(1, 2)
        return images, *largest

    saved = _for_parts(ws, parts(len(x)), run)
    return out.transpose(1, 3, 0, 2), (x, W, *chain.from_iterable(saved))


@twin("numpy", "Conv2D+ReLU+MaxPool2D.derive", suits=pools_by_two)
def conv2d_relu_pool_derive(
    self: Any, ws: NewArrays, dout: Array, x: Array, W: Array, *saved: Array
) -> tuple[Array | None, ...]:
    size, area = _by_two(self[0], x, W)
    of_parts = [saved[at : at + 4] for at in range(0, len(saved), 4)]

    def images(form: Form, part: Part) -> Array:
        return of_parts[part.index][0]

    def fill(part: Part, inside: Array) -> Array:
        largest = Largest(*of_parts[part.index][1:])
        return unpooled(dout[part.samples].transpose(2, 3, 0, 1), part.scratch, largest, inside)

    return _gradients(ws, size, area, W, parts(len(x), len(of_parts)), images, fill)


# --------------------------------------------------------------------------------------------- the two passes


def _convolved(
    layer: Any, ws: NewArrays, x: Array, W: Array, b: Array, activate: bool
) -> tuple[Array, list[Array]]:
    """Return the output, after ReLU if asked, and the images as the forms read them."""
    size, (tiles, across) = _whole(layer, x, W)
    out, zero = ws["out", (2 * tiles, len(x), across, size.filters)], number(0.0, ws.dtype)

    def run(part: Part) -> Array:
        form, bias = _form(size, (tiles, across), part), _repeated(b, part.count)
        images = form.entered(part.lasting if activate else part.scratch, x[part.samples])
        for first, (values,) in form.products(images, W, split=1):
            values += bias
            if activate:
                np.maximum(values, zero, out=values)
            _write(out, first, part, values)
        return images

    images = _for_parts(ws, parts(len(x)), run)
    return out.transpose(1, 3, 0, 2)[:, :, : size.counts[0]], images


def _gradients(
    ws: NewArrays,
    size: Geometry,
    area: tuple[int, int],
    W: Array,
    samples: list[slice],
    images: Callable[[Form, Part], Array],
    fill: Callable[[Part, Array], Array],
) -> tuple[Array | None, Array, Array]:
    """Return dx, or None if it is not needed, dW and db.

    area: tiles and columns of the output.  samples: of each part of the batch.
    images: returns those of a part, as the form reads them.
    fill: writes the gradient of a part's products, (2 tiles, n, columns, F), and returns that of the biases.
    """
    (H, width), back = size.image, size.of_dx
    dx = ws["dx", (H + H % 2, samples[-1].stop, width, size.channels)] if ws.needs_dx else None
    turned = W[:, :, ::-1, ::-1].swapaxes(0, 1)

    def run(part: Part) -> tuple[Array, Array]:
        form, behind = _form(size, area, part), _form(back, ((H + 1) // 2, width), part, narrow=False)
        D, inside = spread(part.scratch, part.count, size, (2 * area[0], area[1]), behind.rows)
        db = fill(part, inside)
        dW = form.weights(images(form, part), inside)
        if dx is not None:
            for first, (values,) in behind.products(D, turned, split=1):
                _write(dx, first, part, values)
        return dW, db

    dW, db = ws["dW", W.shape], ws["db", W.shape[:1]]
    sums = _for_parts(ws, samples, run)
    np.copyto(dW, sums[0][0])
    np.copyto(db, sums[0][1])
    for weights, biases in sums[1:]:
        dW += weights
        db += biases
    return None if dx is None else dx.transpose(1, 3, 0, 2)[:, :, :H], dW, db


def _filled(dout: Array, out: Array | None, part: Part, inside: Array) -> Array:
    """Write the gradient of the products for a gradient of the output, and return that of the biases.

    out: the output after ReLU, or None without it.
    """
    rows, total = dout.shape[2], np.zeros(inside.shape[3], inside.dtype)
    inside[rows:] = 0.0
    given = dout[part.samples].transpose(2, 0, 3, 1)
    zero, several = number(0.0, dout.dtype), max(1, Form.block // max(inside[0].nbytes, 1))
    work = part.scratch("given", (several, *inside.shape[1:]))
    for first in range(0, rows, several):
        block = slice(first, min(first + several, rows))
        g = work[: block.stop - first]
        np.copyto(g, given[block])
        if out is not None:
            g *= out[part.samples].transpose(2, 0, 3, 1)[block] > zero
        total += ones(g.size // len(total), g.dtype).dot(g.reshape(-1, len(total)))
        inside[block] = g
    return total


# ------------------------------------------------------------------------------------------------------ parts


def _for_parts(ws: NewArrays, samples: list[slice], run: Callable[[Part], Any]) -> list[Any]:
    """Return what `run` returns for each part of the batch, which several threads may work on."""
    return for_each(lambda index, worker: run(Part(ws, index, samples[index], worker)), len(samples))


def _form(size: Geometry, area: tuple[int, int], part: Part, narrow: bool = True) -> Form:
    """Return the fastest form of a convolution.  narrow: it may read images in a layout of its own."""
    kinds = (Narrow, Winograd, Direct) if narrow else (Winograd, Direct)
    kind = next(kind for kind in kinds if kind.suits(size))
    return kind(size, *area, part.scratch)


def _whole(layer: Any, x: Array, W: Array) -> tuple[Geometry, tuple[int, int]]:
    """Return the sizes of a convolution, and the tiles and columns of its output."""
    F, C, *kernel = W.shape
    size = Geometry(x.shape[2:], C, F, tuple(kernel), layer.stride, layer.padding)
    rows, columns = size.counts
    return size, ((rows + 1) // 2, columns)


def _by_two(layer: Any, x: Array, W: Array) -> tuple[Geometry, tuple[int, int]]:
    """Return the same, without the last row and column that no window of 2 × 2 reaches."""
    size, _ = _whole(layer, x, W)
    rows, columns = size.counts
    return size, (rows // 2, columns // 2 * 2)


def _repeated(b: Array, n: int) -> Array:
    """Return the biases for n samples, (n, F): one long run in memory."""
    return np.broadcast_to(b, (n, len(b))).copy()


def _write(out: Array, first: int, part: Part, values: Array) -> None:
    """Write tiles, (2, several, columns, n, F), into (rows, N, columns, F)."""
    stop = 2 * (first + values.shape[1])
    for i in (0, 1):
        out[2 * first + i : stop : 2, part.samples] = values[i].swapaxes(1, 2)
