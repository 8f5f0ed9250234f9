"""Compilation of the CUDA sources in this folder, each kernel alone and once, and launches.

The kernels take float32, those of convolution and pooling also float64, and C-contiguous arrays. No twin that
launches them waits for the device.
"""

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, wraps
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from backends.backend import Backend
from backends.twins import F, twin

# Concatenated in this order.
SOURCES = (
    *("common", "sums", "product", "affine", "relu", "leaky_relu", "gelu", "sigmoid", "tanh", "softmax"),
    *("batch_norm", "layer_norm", "dropout", "softmax_cross_entropy", "mean_squared_error"),
    *("sigmoid_binary_cross_entropy", "windows", "conv2d", "max_pool2d", "average_pool2d"),
    *("global_average_pool2d", "minibatch", "preparation", "optimizers", "finite"),
)
KERNEL = re.compile(
    r'^extern "C" __global__ void\s+(?:__launch_bounds__\([^)]*\)\s+)?(?P<name>\w+)\(.*?^}\n',
    re.MULTILINE | re.DOTALL,
)
# What a small network of Affine and ReLU launches with SoftmaxCrossEntropy and SGD. They are compiled at the
# same time, on a core each, when the first of them is asked for; what takes the longest comes first.
FIRST = (
    *("affine_backward", "affine", "affine_softmax_cross_entropy", "softmax_cross_entropy", "correct"),
    *("to_bytes", "minibatch_of_bytes", "minibatch", "relu", "sgd", "find_not_finite"),
)
# And a network with convolutions beside them.
CONVOLUTION = "conv2d_backward", "conv2d", "conv2d_sums", "max_pool2d", "max_pool2d_backward"
OPTIONS = ("-std=c++17",)
THREADS = 256  # per block, as in common.cu
MAX_BLOCKS = 4096  # per grid, where each thread takes several items
TILE = 8  # as in product.cu
# Multiply-adds up to which our own kernels compute a product, together with the operations around it, in one
# launch. Beyond, cuBLAS should be faster. Not measured yet: an estimate from the launches saved.
SMALL = 2**23
DEEP = 1024  # most summands for which that holds, since one tile adds all of them
ROWS = 256  # per block in a column sum

_NULL = np.uintp(0)


@cache
def source() -> str:
    """Return the CUDA sources as one text."""
    return "\n".join(Path(__file__).with_name(f"{name}.cu").read_text("utf-8") for name in SOURCES)


def source_of(kernel: str) -> str:
    """Return the text without the other kernels, which takes 30 ms to compile, and the kernel's own time."""
    return KERNEL.sub(lambda found: found[0] if found["name"] == kernel else "", source())


def kernels() -> list[str]:
    """Return the names of all kernels."""
    return [found["name"] for found in KERNEL.finditer(source())]


class CudaBackend(Backend):
    """A backend over a namespace like CuPy's that launches the kernels of this folder."""

    xp: Any

    def __init__(self, name: str, cupy: Any) -> None:
        super().__init__(name, cupy, cupy.ndarray)
        self._kernels: dict[str, Any] = {}
        self._compiling = Lock()

    def kernel(self, name: str) -> Any:
        """Return a kernel, which is compiled when it is first asked for, on each device."""
        if name not in self._kernels:
            group = next((group for group in (FIRST, CONVOLUTION) if name in group), (name,))
            self.compile(group)
        return self._kernels[name]

    def compile(self, names: Iterable[str]) -> None:
        """Compile kernels, at the same time."""
        device = self.xp.cuda.Device()

        def compiled(name: str) -> Any:
            with device:  # a new thread begins on device 0
                return self.xp.RawModule(code=source_of(name), options=OPTIONS).get_function(name)

        with self._compiling:
            missing = [name for name in names if name not in self._kernels]
            with ThreadPoolExecutor(len(missing) or 1) as pool:
                self._kernels.update(zip(missing, pool.map(compiled, missing), strict=True))

    def launch(self, name: str, blocks: int, *arguments: Any, block: tuple[int, ...] = (THREADS,)) -> None:
        """Launch a kernel.  arguments: C-contiguous arrays, NumPy scalars, and None for a null pointer."""
        if blocks:
            pointers = tuple(_NULL if argument is None else argument for argument in arguments)
            self.kernel(name)((blocks,), block, pointers)

    def launch_for_each(self, name: str, size: int, *arguments: Any) -> None:
        """Launch a kernel over `size` items, which it takes as its last argument."""
        self.launch(name, blocks_for(size), *arguments, np.int64(size))


def kernel_twin(formula: str, dtypes: tuple[str, ...] = ("float32",)) -> Callable[[F], F]:
    """Register a twin for CuPy, called with C-contiguous arrays.

    Why: the output of a formula may be a view with another memory order.
    """

    def register(function: F) -> F:
        @wraps(function)
        def contiguous(*arguments: Any) -> Any:
            return function(*map(_contiguous, arguments))

        twin("cupy", formula, dtypes)(contiguous)
        return function

    return register


def _contiguous(argument: Any) -> Any:
    flags = getattr(argument, "flags", None)
    return argument if getattr(flags, "c_contiguous", True) else argument.copy()


def blocks_for(size: int) -> int:
    """Return the number of blocks whose threads loop over `size` items."""
    return min(-(-size // THREADS), MAX_BLOCKS)


def is_small(n: int, d: int, m: int) -> bool:
    """Return whether our kernels, not cuBLAS, compute a layer's products of (n, d) with (d, m)."""
    return n * d * m <= SMALL and max(n, d) <= DEEP


def tiles(m: int, n: int) -> int:
    """Return the number of blocks for a small product, (m, n)."""
    return -(-m // TILE) * -(-n // TILE)


def warps(rows: int) -> int:
    """Return the number of blocks that have a warp for each row."""
    return -(-rows * 32 // THREADS)
