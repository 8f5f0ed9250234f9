"""The NumPy backend."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from math import prod
from typing import Any

import numpy as np

from backends.array import Array
from backends.backend import Backend
from backends.dtypes import dtype_name
from backends.numpy.blocks import BLOCK, blocks
from backends.numpy.threads import blas_threads, users_blas_threads


class NumpyBackend(Backend):
    """NumPy, for real and complex arrays. The twins in this folder take real ones."""

    on_host = True
    # Memory-mapped arrays count as well: ordinary arrays whose memory is a file.
    scalar_types = (np.float32, np.float64, np.complex64, np.complex128, np.int64, np.memmap)

    def __init__(self) -> None:
        super().__init__("numpy", np, np.ndarray)

    def asarray(self, data: Any, dtype: Any = None) -> np.ndarray:
        return np.asarray(data, dtype if dtype is None or type(dtype) is str else self.dtype(dtype))

    def host_view(self, array: Any) -> Any:
        return array

    def dtype(self, dtype: Any) -> Any:
        return dtype if isinstance(dtype, np.dtype) else np.dtype(dtype_name(dtype))

    def all_finite(self, array: Any) -> bool:
        if array.nbytes <= BLOCK:
            return bool(np.isfinite(array).all())
        return all(np.isfinite(block).all() for (block,) in blocks(array))

    def writable(self, array: Any) -> bool:
        if not isinstance(array, np.ndarray) or not array.flags.writeable:
            return False  # NumPy scalars are arrays of this backend, but not writable
        return all(stride or size == 1 for stride, size in zip(array.strides, array.shape, strict=True))

    def reshape(self, array: Any, shape: tuple[int, ...]) -> Any:
        return array.reshape(shape)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return np.empty(shape, dtype if isinstance(dtype, np.dtype) else self.dtype(dtype))

    def views(self, flat: Any, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        views, start = {}, 0
        for name, shape in shapes.items():
            stop = start + prod(shape)
            views[name] = flat[start:stop].reshape(shape)
            start = stop
        return views

    def pack(self, x: Any) -> np.ndarray:
        return np.ascontiguousarray(x)  # whose rows are copied several times as fast

    def threads_for(self, multiply_adds: int) -> AbstractContextManager[Any]:
        return blas_threads(multiply_adds)

    def users_threads(self) -> AbstractContextManager[Any]:
        return users_blas_threads()
