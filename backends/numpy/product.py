"""Products of two matrices: large ones by several Python threads, each with a share of the rows.

BLAS's own threads wait for each other in loops that take a core, even for milliseconds after a product. So
they slow down what runs beside them: another program, or the threads of a convolution.
"""

from numpy import ndarray as Array

from backends.numpy.batch_parts import for_each
from backends.numpy.threads import HUGE, SMALL, allowed_threads

LEAST = 16  # rows that make a thread worthwhile


def product(a: Array, b: Array, out: Array) -> Array:
    """Write a b into out, which is contiguous, and return it."""
    multiply_adds = a.size * b.shape[1]
    if multiply_adds < SMALL or multiply_adds >= HUGE:
        return a.dot(b, out)
    number = max(1, min(allowed_threads(), len(a) // LEAST))
    edges = [len(a) * i // number for i in range(number + 1)]

    def share(part: int, worker: int) -> None:
        rows = slice(edges[part], edges[part + 1])
        a[rows].dot(b, out[rows])

    for_each(share, number)
    return out
