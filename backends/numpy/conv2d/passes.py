"""The two passes of a convolution: its output, and its gradients, part by part of the batch."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.batch_parts import parts
from backends.numpy.constants import number, ones
from backends.numpy.conv2d.direct import Direct
from backends.numpy.conv2d.form import Form, Gradients
from backends.numpy.conv2d.geometry import Geometry, spread
from backends.numpy.conv2d.narrow import Narrow
from backends.numpy.conv2d.part import Part, for_parts
from backends.numpy.conv2d.winograd import Winograd
from backends.numpy.memory_order import IMAGES, ROWS
from backends.workspace import NewArrays


def convolved(
    layer: Any, ws: NewArrays, x: Array, W: Array, b: Array, activate: bool
) -> tuple[Array, list[Array]]:
    """Return the output, after ReLU if asked, and the images as the forms read them."""
    size, (tiles, columns) = sizes(layer, x, W)
    out = ws["out", (2 * tiles, len(x), columns, size.filters)]

    def run(part: Part) -> Array:
        form, bias = fastest_form(size, (tiles, columns), part), repeated(b, part.count)
        zero = np.zeros_like(bias)  # an array, with which maximum is twice as fast as with a number
        images = form.entered(part.lasting if activate else part.scratch, x[part.samples])
        for first, (values,) in form.products(images, W, split=1):
            values += bias
            if activate:
                np.maximum(values, zero, out=values)
            write(out[:, part.samples], first, values)
        return images

    images = for_parts(ws, parts(len(x)), run)
    return out.transpose(IMAGES)[:, :, : size.counts[0]], images


def gradients_of(
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
        form, back = (
            fastest_form(size, area, part),
            fastest_form(size.of_dx, ((H + 1) // 2, width), part, narrow=False),
        )
        X, total, db = images(form, part), form.zero_dW(), np.zeros(F, ws.dtype)
        if dx is not None:
            D, inside = spread(part.scratch, part.count, size, (2 * area[0], area[1]), back.rows)
        for first, tiles, of_biases in gradients(form, part):
            db += ones(of_biases.size // F, ws.dtype).dot(of_biases.reshape(-1, F))
            form.add_dW(total, X, first, tiles)
            if dx is not None:
                write(inside, first, tiles)
        if dx is not None:
            for first, (tiles,) in back.products(D, turned, split=1):
                write(dx[:, part.samples], first, tiles)
        return form.dW(total), db

    dW, db = ws["dW", W.shape], ws["db", (F,)]
    dW.fill(0.0)
    db.fill(0.0)
    for weights, biases in for_parts(ws, samples, run):
        dW += weights
        db += biases
    return None if dx is None else dx.transpose(IMAGES)[:, :, :H], dW, db


def through(dout: Array, out: Array | None, form: Form, part: Part) -> Iterator[Gradients]:
    """Yield the gradient of a convolution from that of the output.

    out: the output, if ReLU was behind the convolution.
    """
    given = dout[part.samples].transpose(ROWS)
    rows, n, columns, F = given.shape
    after = None if out is None else out[part.samples].transpose(ROWS)
    zero = number(0.0, given.dtype)
    for first, count in form.blocks(form.at_once(n)):
        block = slice(2 * first, min(2 * (first + count), rows))
        found = given[block]
        if after is not None:
            found = part.scratch("values", found.shape)
            np.copyto(found, given[block])
            found *= after[block] > zero
        tiles = part.scratch("tiles", (2, columns, count, n, F))
        for i, into in enumerate(tiles):
            of_parity = found[i::2].transpose(2, 0, 1, 3)
            into[:, : of_parity.shape[1]] = of_parity
            into[:, of_parity.shape[1] :] = 0.0
        yield Gradients(first, tiles, tiles)


def fastest_form(size: Geometry, area: tuple[int, int], part: Part, narrow: bool = True) -> Form:
    """Return the fastest form of a convolution.  narrow: it may read images in a layout of its own."""
    kinds = (Narrow, Winograd, Direct) if narrow else (Winograd, Direct)
    kind = next(kind for kind in kinds if kind.suits(size))
    return kind(size, *area, part.scratch, part.ws.dtype)


def sizes(layer: Any, x: Array, W: Array) -> tuple[Geometry, tuple[int, int]]:
    """Return the sizes of a convolution, and the tiles and columns of its output."""
    F, C, *kernel = W.shape
    size = Geometry(x.shape[2:], C, F, tuple(kernel), layer.stride, layer.padding)
    rows, columns = size.counts
    return size, ((rows + 1) // 2, columns)


def pooled_sizes(layer: Any, x: Array, W: Array) -> tuple[Geometry, tuple[int, int]]:
    """Return the same, without the last row and column that no window of 2 × 2 reaches."""
    size, _ = sizes(layer, x, W)
    rows, columns = size.counts
    return size, (rows // 2, columns // 2 * 2)


def repeated(b: Array, n: int) -> Array:
    """Return the biases for n samples, (n, F): one long run in memory."""
    return np.broadcast_to(b, (n, len(b))).copy()


def write(out: Array, first: int, tiles: Array) -> None:
    """Write tiles, (2, columns, several, n, F), as rows into (rows, n, columns, F)."""
    stop = 2 * (first + tiles.shape[2])
    for i, rows in enumerate(tiles):
        out[2 * first + i : stop : 2] = rows.transpose(1, 2, 0, 3)
