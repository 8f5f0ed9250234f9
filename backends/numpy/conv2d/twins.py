"""The twins of Conv2D: alone, with ReLU, and with ReLU and max pooling of 2 × 2."""

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

from numpy import ndarray as Array

from backends.numpy.batch_parts import parts
from backends.numpy.conv2d.form import Form, Gradients
from backends.numpy.conv2d.part import Part, for_parts
from backends.numpy.conv2d.passes import (
    convolved,
    fastest_form,
    gradients_of,
    pooled_sizes,
    repeated,
    sizes,
    through,
)
from backends.numpy.conv2d.pooling import Largest, pooled, unpooled
from backends.numpy.memory_order import IMAGES
from backends.twins import twin
from backends.workspace import NewArrays


def pools_by_two(conv: Any, relu: Any, pool: Any) -> bool:
    """Return whether the windows of a pooling are 2 × 2 and lie side by side."""
    return (pool.size, pool.stride, pool.padding) == (2, 2, 0)


@twin("numpy", "Conv2D.compute")
def conv2d(self: Any, ws: NewArrays, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    out, _ = convolved(self, ws, x, W, b, activate=False)
    return out, (x, W)


@twin("numpy", "Conv2D.derive")
def conv2d_derive(self: Any, ws: NewArrays, dout: Array, x: Array, W: Array) -> tuple[Array | None, ...]:
    size, area = sizes(self, x, W)

    def images(form: Form, part: Part) -> Array:
        return form.entered(part.scratch, x[part.samples])

    return gradients_of(ws, size, area, W, parts(len(x)), images, partial(through, dout, None))


@twin("numpy", "Conv2D+ReLU.compute")
def conv2d_relu(self: Any, ws: NewArrays, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, ...]]:
    out, images = convolved(self[0], ws, x, W, b, activate=True)
    return out, (x, W, out, *images)


@twin("numpy", "Conv2D+ReLU.derive")
def conv2d_relu_derive(
    self: Any, ws: NewArrays, dout: Array, x: Array, W: Array, out: Array, *images: Array
) -> tuple[Array | None, ...]:
    size, area = sizes(self[0], x, W)
    samples, gradients = parts(len(x), len(images)), partial(through, dout, out)
    return gradients_of(ws, size, area, W, samples, lambda form, part: images[part.index], gradients)


@twin("numpy", "Conv2D+ReLU+MaxPool2D.compute", suits=pools_by_two)
def conv2d_relu_pool(
    self: Any, ws: NewArrays, x: Array, W: Array, b: Array
) -> tuple[Array, tuple[Array, ...]]:
    size, (tiles, columns) = pooled_sizes(self[0], x, W)
    out = ws["out", (tiles, len(x), columns // 2, size.filters)]

    def run(part: Part) -> tuple[Array, ...]:
        form, bias = fastest_form(size, (tiles, columns), part), repeated(b, part.count)
        largest = Largest.empty(part.bits, (columns // 2, tiles, part.count, size.filters))
        images = form.entered(part.lasting, x[part.samples])
        for first, values in form.products(images, W, split=2):
            count = values.shape[3]
            found = pooled(values, bias, part.scratch, largest.of(first, count))
            out[first : first + count, part.samples] = found.transpose(1, 2, 0, 3)
        return images, *largest

    saved = for_parts(ws, parts(len(x)), run)
    return out.transpose(IMAGES), (x, W, *chain.from_iterable(saved))


@twin("numpy", "Conv2D+ReLU+MaxPool2D.derive", suits=pools_by_two)
def conv2d_relu_pool_derive(
    self: Any, ws: NewArrays, dout: Array, x: Array, W: Array, *saved: Array
) -> tuple[Array | None, ...]:
    size, area = pooled_sizes(self[0], x, W)
    of_parts = [saved[at : at + 4] for at in range(0, len(saved), 4)]

    def images(form: Form, part: Part) -> Array:
        return of_parts[part.index][0]

    def gradients(form: Form, part: Part) -> Iterator[Gradients]:
        given = dout[part.samples].transpose(3, 2, 0, 1)
        return unpooled(given, Largest(*of_parts[part.index][1:]), form.at_once(part.count), part.scratch)

    return gradients_of(ws, size, area, W, parts(len(x), len(of_parts)), images, gradients)
