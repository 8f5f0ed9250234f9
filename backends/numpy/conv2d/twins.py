"""The twins of Conv2D: alone, with ReLU, and with ReLU and max pooling of 2 × 2.

Arrays are handed on as (N, C, H, W), but lie in memory as (H, N, W, C).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, cast

import numpy as np
from numpy import ndarray as Array

from backends.numpy.batch_parts import for_each, parts
from backends.numpy.constants import number, ones
from backends.numpy.conv2d.direct import Direct
from backends.numpy.conv2d.form import Form, Gradients
from backends.numpy.conv2d.geometry import Geometry, Pair, spread
from backends.numpy.conv2d.narrow import Narrow
from backends.numpy.conv2d.pooling import Largest, pooled, unpooled
from backends.numpy.conv2d.winograd import Winograd
from backends.numpy.memory_order import IMAGES, ROWS
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
        array: Any = self.ws.scratch(f"{name} of thread {self.worker}", shape)
        return cast(Array, array)


def pools_by_two(conv: Any, relu: Any, pool: Any) -> bool:
    """Return whether the windows of a pooling are 2 × 2 and lie side by side."""
    return (pool.size, pool.stride, pool.padding) == (2, 2, 0)


@twin("numpy", "Conv2D.compute")
def conv2d(self: Any, ws: NewArrays, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    out, _ = _convolved(self, ws, x, W, b, activate=False)
    return out, (x, W)


@twin("numpy", "Conv2D.derive")
def conv2d_derive(self: Any, ws: NewArrays, dout: Array, x: Array, W: Array) -> tuple[Array | None, ...]:
    size, area = _sizes(self, x, W)

    def images(form: Form, part: Part) -> Array:
        return form.entered(part.scratch, x[part.samples])

    return _gradients(ws, size, area, W, parts(len(x)), images, partial(_through, dout, None))


@twin("numpy", "Conv2D+ReLU.compute")
def conv2d_relu(self: Any, ws: NewArrays, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, ...]]:
    out, images = _convolved(self[0], ws, x, W, b, activate=True)
    return out, (x, W, out, *images)


@twin("numpy", "Conv2D+ReLU.derive")
def conv2d_relu_derive(
    self: Any, ws: NewArrays, dout: Array, x: Array, W: Array, out: Array, *images: Array
) -> tuple[Array | None, ...]:
    size, area = _sizes(self[0], x, W)
    samples, gradients = parts(len(x), len(images)), partial(_through, dout, out)
    return _gradients(ws, size, area, W, samples, lambda form, part: images[part.index], gradients)


@twin("numpy", "Conv2D+ReLU+MaxPool2D.compute", suits=pools_by_two)
def conv2d_relu_pool(
    self: Any, ws: NewArrays, x: Array, W: Array, b: Array
) -> tuple[Array, tuple[Array, ...]]:
    size, (tiles, across) = _pooled_sizes(self[0], x, W)
    out = ws["out", (tiles, len(x), across // 2, size.filters)]

    def run(part: Part) -> tuple[Array, ...]:
        form, bias = _form(size, (tiles, across), part), _repeated(b, part.count)
        largest = Largest.empty(part.bits, (across // 2, tiles, part.count, size.filters))
        images = form.entered(part.lasting, x[part.samples])
        for first, values in form.products(images, W, split=2):
            count = values.shape[3]
            found = pooled(values, bias, part.scratch, largest.of(first, count))
            out[first : first + count, part.samples] = found.transpose(1, 2, 0, 3)
        return images, *largest

    saved = _for_parts(ws, parts(len(x)), run)
    return out.transpose(IMAGES), (x, W, *chain.from_iterable(saved))


@twin("numpy", "Conv2D+ReLU+MaxPool2D.derive", suits=pools_by_two)
def conv2d_relu_pool_derive(
    self: Any, ws: NewArrays, dout: Array, x: Array, W: Array, *saved: Array
) -> tuple[Array | None, ...]:
    size, area = _pooled_sizes(self[0], x, W)
    of_parts = [saved[at : at + 4] for at in range(0, len(saved), 4)]

    def images(form: Form, part: Part) -> Array:
        return of_parts[part.index][0]

    def gradients(form: Form, part: Part) -> Iterator[Gradients]:
        given = dout[part.samples].transpose(3, 2, 0, 1)
        return unpooled(given, Largest(*of_parts[part.index][1:]), form.at_once(part.count), part.scratch)

    return _gradients(ws, size, area, W, parts(len(x), len(of_parts)), images, gradients)


# --------------------------------------------------------------------------------------------- the two passes


def _convolved(
    layer: Any, ws: NewArrays, x: Array, W: Array, b: Array, activate: bool
) -> tuple[Array, list[Array]]:
    """Return the output, after ReLU if asked, and the images as the forms read them."""
    size, (tiles, across) = _sizes(layer, x, W)
    out = ws["out", (2 * tiles, len(x), across, size.filters)]

    def run(part: Part) -> Array:
        form, bias = _form(size, (tiles, across), part), _repeated(b, part.count)
        zero = np.zeros_like(bias)  # an array, with which maximum is twice as fast as with a number
        images = form.entered(part.lasting if activate else part.scratch, x[part.samples])
        for first, (values,) in form.products(images, W, split=1):
            values += bias
            if activate:
                np.maximum(values, zero, out=values)
            _write(out[:, part.samples], first, values)
        return images

    images = _for_parts(ws, parts(len(x)), run)
    return out.transpose(IMAGES)[:, :, : size.counts[0]], images


def _gradients(
    ws: NewArrays,
    size: Geometry,
    area: tuple[int, int],
    W: Array,
    samples: list[slice],
    images: Callable[[Form, Part], Array],
    gradients: Callable[[Form, Part], Iterator[Gradients]],
) -> tuple[Array | None, Array, Array]:
    """Return dx, or None if it is not needed, dW and db.

    area: tiles and columns of the output.  samples: of each part of the batch.
    images: returns those of a part, as the form reads them.  gradients: yields those of its products.
    """
    (H, width), F = size.image, size.filters
    dx = ws["dx", (H + H % 2, samples[-1].stop, width, size.channels)] if ws.needs_dx else None
    turned = W[:, :, ::-1, ::-1].swapaxes(0, 1)

    def run(part: Part) -> tuple[Array, Array]:
        form, back = _form(size, area, part), _form(size.of_dx, ((H + 1) // 2, width), part, narrow=False)
        X, total, db = images(form, part), form.zero_dW(), np.zeros(F, ws.dtype)
        if dx is not None:
            D, inside = spread(part.scratch, part.count, size, (2 * area[0], area[1]), back.rows)
        for first, tiles, of_biases in gradients(form, part):
            db += ones(of_biases.size // F, ws.dtype).dot(of_biases.reshape(-1, F))
            form.add_dW(total, X, first, tiles)
            if dx is not None:
                _write(inside, first, tiles)
        if dx is not None:
            for first, (tiles,) in back.products(D, turned, split=1):
                _write(dx[:, part.samples], first, tiles)
        return form.dW(total), db

    dW, db = ws["dW", W.shape], ws["db", (F,)]
    dW.fill(0.0)
    db.fill(0.0)
    for weights, biases in _for_parts(ws, samples, run):
        dW += weights
        db += biases
    return None if dx is None else dx.transpose(IMAGES)[:, :, :H], dW, db


def _through(dout: Array, out: Array | None, form: Form, part: Part) -> Iterator[Gradients]:
    """Yield the gradient of a convolution from that of the output.

    out: the output, if ReLU was behind the convolution.
    """
    given = dout[part.samples].transpose(ROWS)
    rows, n, across, F = given.shape
    after = None if out is None else out[part.samples].transpose(ROWS)
    zero = number(0.0, given.dtype)
    for first, count in form.blocks(form.at_once(n)):
        block = slice(2 * first, min(2 * (first + count), rows))
        found = given[block]
        if after is not None:
            found = part.scratch("rows", found.shape)
            np.copyto(found, given[block])
            found *= after[block] > zero
        tiles = part.scratch("tiles", (2, across, count, n, F))
        for i, into in enumerate(tiles):
            of_parity = found[i::2].transpose(2, 0, 1, 3)
            into[:, : of_parity.shape[1]] = of_parity
            into[:, of_parity.shape[1] :] = 0.0
        yield Gradients(first, tiles, tiles)


# ------------------------------------------------------------------------------------------------------ parts


def _for_parts(ws: NewArrays, samples: list[slice], run: Callable[[Part], Any]) -> list[Any]:
    """Return what `run` returns for each part of the batch, which several threads may work on."""
    return for_each(lambda index, worker: run(Part(ws, index, samples[index], worker)), len(samples))


def _form(size: Geometry, area: tuple[int, int], part: Part, narrow: bool = True) -> Form:
    """Return the fastest form of a convolution.  narrow: it may read images in a layout of its own."""
    kinds = (Narrow, Winograd, Direct) if narrow else (Winograd, Direct)
    kind = next(kind for kind in kinds if kind.suits(size))
    return kind(size, *area, part.scratch, part.ws.dtype)


def _sizes(layer: Any, x: Array, W: Array) -> tuple[Geometry, tuple[int, int]]:
    """Return the sizes of a convolution, and the tiles and columns of its output."""
    F, C, *kernel = W.shape
    size = Geometry(x.shape[2:], C, F, tuple(kernel), layer.stride, layer.padding)
    rows, columns = size.counts
    return size, ((rows + 1) // 2, columns)


def _pooled_sizes(layer: Any, x: Array, W: Array) -> tuple[Geometry, tuple[int, int]]:
    """Return the same, without the last row and column that no window of 2 × 2 reaches."""
    size, _ = _sizes(layer, x, W)
    rows, columns = size.counts
    return size, (rows // 2, columns // 2 * 2)


def _repeated(b: Array, n: int) -> Array:
    """Return the biases for n samples, (n, F): one long run in memory."""
    return np.broadcast_to(b, (n, len(b))).copy()


def _write(out: Array, first: int, tiles: Array) -> None:
    """Write tiles, (2, columns, several, n, F), as rows into (rows, n, columns, F)."""
    stop = 2 * (first + tiles.shape[2])
    for i, rows in enumerate(tiles):
        out[2 * first + i : stop : 2] = rows.transpose(1, 2, 0, 3)
