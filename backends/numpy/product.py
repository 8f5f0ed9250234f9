"""Products of two matrices: large ones by several Python threads, each with a share of the rows.

BLAS's own threads wait for each other in loops that take a core, even for milliseconds after a product. So
they slow down what runs beside them: another program, or the threads of a convolution.
"""

from typing import NamedTuple

from numpy import ndarray as Array

from backends.numpy.batch_parts import for_each
from backends.numpy.threads import HUGE, SMALL, allowed_threads

LEAST = 16  # rows that make a thread worthwhile


class Product(NamedTuple):
    """A product a b, to be written into out, which is contiguous."""

    a: Array
    b: Array
    out: Array

    def rows(self, part: int, number: int) -> None:
        """Compute a share of the rows."""
        rows = slice(len(self.a) * part // number, len(self.a) * (part + 1) // number)
        self.a[rows].dot(self.b, self.out[rows])


def product(a: Array, b: Array, out: Array) -> Array:
    """Write a b into out, which is contiguous, and return it."""
    if not is_shared(a.size * b.shape[1]):
        return a.dot(b, out)
    together(Product(a, b, out))
    return out


def is_shared(multiply_adds: int) -> bool:
    """Return whether several threads share a product of this size."""
    return SMALL <= multiply_adds < HUGE


def together(*products: Product) -> None:
    """Compute large products, each of them by all threads."""
    rows = min(len(each.a) for each in products)
    number = max(1, min(allowed_threads(), rows // LEAST))

    def share(part: int, worker: int) -> None:
        for each in products:
            each.rows(part, number)

    for_each(share, number)
