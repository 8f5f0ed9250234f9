"""How the CUDA sources beside this are compiled, together and once, and how their kernels are launched.

The kernels are for float32 and C-contiguous arrays. None of the twins that launch them waits for the device.
"""

from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

import numpy as np

from backends.backend import Backend
from backends.twins import F, twin

# In this order.
SOURCES = (
    *("common", "product", "affine", "relu", "softmax_cross_entropy", "minibatch", "optimizers", "finite"),
)
OPTIONS = ("-std=c++17",)
THREADS = 256  # a block, as in common.cu
MOST_BLOCKS = 4096  # of a grid whose threads take several items
TILE = 8  # as in product.cu
# Multiply-adds up to which a product is computed by our own kernels, with all that goes with it in one
# launch; beyond, cuBLAS is faster. Not measured yet: a guess from the launches that it saves.
SMALL = 2**23
DEEP = 1024  # summands up to which that holds: a tile has all of them
ROWS = 256  # that a block sums

_NULL = np.uintp(0)


def source() -> str:
    """The CUDA sources as the one text that is compiled."""
    return "\n".join(Path(__file__).with_name(f"{name}.cu").read_text("utf-8") for name in SOURCES)


class CudaBackend(Backend):
    """A backend over a namespace like CuPy's that launches the kernels of the sources beside this."""

    def __init__(self, name: str, cupy: Any) -> None:
        super().__init__(name, cupy, cupy.ndarray)
        module = cupy.RawModule(code=source(), options=OPTIONS)
        self.kernel = cache(module.get_function)  # compiled when first asked for, on each device

    def launch(self, name: str, blocks: int, *arguments: Any, block: tuple[int, ...] = (THREADS,)) -> None:
        """Launch a kernel.  arguments: C-contiguous arrays, NumPy's numbers, and None for a null pointer."""
        if blocks:
            pointers = tuple(_NULL if argument is None else argument for argument in arguments)
            self.kernel(name)((blocks,), block, pointers)

    def launch_for_each(self, name: str, size: int, *arguments: Any) -> None:
        """Launch a kernel whose threads take `size` items between them; their number is its last argument."""
        self.launch(name, min(-(-size // THREADS), MOST_BLOCKS), *arguments, np.int64(size))


def kernel_twin(formula: str) -> Callable[[F], F]:
    """Register a twin for CuPy in float32, which is given its arrays C-contiguous.

    Why: an output of a formula may be a view, whose numbers lie in another order.
    """

    def register(function: F) -> F:
        @wraps(function)
        def contiguous(*arguments: Any) -> Any:
            return function(*map(_contiguous, arguments))

        twin("cupy", formula, dtypes=("float32",))(contiguous)
        return function

    return register


def _contiguous(argument: Any) -> Any:
    flags = getattr(argument, "flags", None)
    return argument if getattr(flags, "c_contiguous", True) else argument.copy()


def is_small(n: int, d: int, m: int) -> bool:
    """Whether our own kernels compute the products of a layer, (n, d) with (d, m), rather than cuBLAS."""
    return n * d * m <= SMALL and max(n, d) <= DEEP


def tiles(m: int, n: int) -> int:
    """How many blocks compute a small product, (m, n)."""
    return -(-m // TILE) * -(-n // TILE)


def warps(rows: int) -> int:
    """How many blocks have a warp for each row."""
    return -(-rows * 32 // THREADS)
