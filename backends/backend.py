"""An array library as one object: its name, its namespace, how arrays get in and out, and the kernels."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import prod
from typing import Any

import numpy as np

from backends import registry
from backends.dtypes import dtype_name
from backends.kernels import Array, Kernels


class Backend(Kernels):
    """A backend over any mutable Array API namespace whose reshapes are views.

    name: what users call it.  xp: the namespace.  Subclasses override what their library does otherwise or
    faster.  on_host: whether its arrays are host data, which every other backend takes in.
    A backend holds nothing that a call could change, so threads may share it; it is pickled by its name.
    """

    on_host = False
    chunk_bytes = 2**19  # the size of an array when a large job is cut: several stay in a CPU's cache
    prefers_copies = False  # whether a stack of copies of parameters beats one evaluation after the other
    scalar_types: tuple[type, ...] = ()  # what its kernels return in place of 0-d arrays
    iterations_at_once = 100  # of a training, between two looks at the losses
    samples_at_once = 1000  # of an evaluation: their activations stay in a CPU's cache

    def __init__(self, name: str, xp: Any, array_type: type | None = None) -> None:
        self.name = name
        self.xp = xp
        self.array_type = array_type or type(xp.empty(0))

    # Why: a namespace is a module, which neither pickle nor copy.deepcopy can handle.
    def __reduce__(self) -> tuple[Any, ...]:
        return registry.load, (self.name,)

    def __repr__(self) -> str:
        return f"<backend {self.name}>"

    # -------------------------------------------------------------------------------------- arrays in and out

    def asarray(self, data: Any, dtype: Any = None) -> Array:
        """Host data, or an array of this backend, as one of this backend; its own dtype where None."""
        return self.xp.asarray(data, dtype=None if dtype is None else self.dtype(dtype))

    def to_numpy(self, array: Array) -> np.ndarray:
        """The values on the host; waits for the device where there is one."""
        return np.asarray(array)

    def adopt(self, data: Any) -> Array | None:
        """Another library's array on the device as one of this backend, uncopied; None for other data."""
        return None

    def require_current(self, where: str, **arrays: Array) -> None:
        """Raise ValueError where an array is on another device than the current one, which computes."""

    def host_view(self, array: Array) -> np.ndarray | None:
        """The values on the host if reading them costs no wait for a device, else None."""
        return self.to_numpy(array)

    def synchronize(self) -> None:
        """Wait until everything asked of the device is done; timings end with it."""

    def device(self) -> str:
        """The device that this backend computes on, in words."""
        return "cpu"

    def versions(self) -> dict[str, str]:
        """The versions of what computes, by name."""
        return {self.name: str(self.xp.__version__)}

    # -------------------------------------------------------------------------------------- arrays as storage

    def dtype(self, dtype: Any) -> Any:
        """The namespace's own object for an element type given by name or as any library's dtype."""
        return getattr(self.xp, dtype_name(dtype))

    def astype(self, array: Array, dtype: Any) -> Array:
        """A copy of array in another element type."""
        return self.xp.astype(array, self.dtype(dtype))

    def copy(self, array: Array) -> Array:
        """A copy of array."""
        return self.xp.asarray(array, copy=True)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """A new array of zeros."""
        return self.xp.zeros(shape, dtype=self.dtype(dtype))

    def arange(self, start: int, stop: int) -> Array:
        """The integers start, …, stop - 1."""
        return self.xp.arange(start, stop)

    def identity(self, size: int, dtype: Any) -> Array:
        """The identity matrix, (size, size)."""
        return self.xp.eye(size, dtype=self.dtype(dtype))

    def empty_like(self, array: Array) -> Array:
        """A new array of the same shape and dtype whose values are arbitrary."""
        return self.xp.empty_like(array)

    def reshape(self, array: Array, shape: tuple[int, ...]) -> Array:
        """The same values in another shape, a view where the library can."""
        return self.xp.reshape(array, shape)

    def broadcast_to(self, array: Array, shape: tuple[int, ...]) -> Array:
        """The array stretched to a shape; it may be read only."""
        return self.xp.broadcast_to(array, shape)

    def write(self, target: Array, source: Array) -> None:
        """Copy source into target, of the same shape and dtype."""
        target[...] = source

    def pack(self, x: Array) -> Array:
        """Samples as `minibatch` gathers them best: x itself, or bytes if x is bytes / 255 in every bit."""
        return x

    def concat(self, arrays: list[Array]) -> Array:
        """Arrays joined along their first axis."""
        return self.xp.concat(arrays, axis=0)

    def views(self, flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """Windows of the given shapes into a flat array, one behind the other."""
        views, start = {}, 0
        for name, shape in shapes.items():
            stop = start + prod(shape)
            views[name] = self.reshape(flat[start:stop], shape)
            start = stop
        return views

    def copies_at_once(self, nbytes: int) -> int:
        """How many copies of arrays of that many bytes to compute with at once, if copies pay; else 1."""
        return max(1, self.chunk_bytes // nbytes) if self.prefers_copies else 1

    # -------------------------------------------------------------------------------------------------- loops

    def threads_for(self, multiply_adds: int) -> AbstractContextManager[Any]:
        """Inside, the threads that suit products of that size.  multiply_adds: of the largest product."""
        return nullcontext()

    def users_threads(self) -> AbstractContextManager[Any]:
        """Inside a block of `threads_for`, for what is the user's: the threads that were there before it."""
        return nullcontext()

    def warmup(self, products: Iterable[tuple[int, int, int]] | None = None) -> None:
        """Make ready what a first call would else have to wait for: kernels to compile, libraries to load.

        products: the sizes (N, D, M) of those to come, so that nothing is loaded in vain; None: any.
        """

    def kernel_cache(self) -> str | None:
        """The directory where compiled kernels are kept for other processes; None where there are none."""
        return None

    def precision(self, dtype: Any) -> str:
        """How products of this dtype are computed here and now: "ieee" or "tf32"."""
        return "ieee"

    def why_not_captured(self, dtype: Any) -> str | None:
        """Why `loop` runs the steps of a network of this dtype one by one, or None where it records them."""
        return f"{self.name} has no CUDA graphs"

    def loop(
        self, step: Callable[[int], None], keep: Sequence[Array] = (), capture: bool = True
    ) -> Callable[[int], None]:
        """A function of count that does what step(0), …, step(count - 1) would do.

        keep: what is in use besides the step's own buffers: a backend that records a step rehearses it first,
        and leaves these arrays as they were.  capture: whether it may record.
        What it records lives in the function that it returns, hence with the loop and not with the backend.
        """

        def run(count: int) -> None:
            for i in range(count):
                step(i)

        return run
