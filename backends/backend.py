"""An array library as one object: its name, its namespace, how arrays get in and out, and how a loop runs."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import prod
from typing import Any

import numpy as np

from backends import registry
from backends.array import Array
from backends.dtypes import dtype_name
from backends.loop import Loop


class Backend:
    """A backend over any mutable Array API namespace whose reshapes are views.

    name: what users call it.  xp: the namespace.  Subclasses override what their library does otherwise or
    faster.  on_host: whether its arrays are host data, which every other backend takes in.
    A backend holds nothing that a call could change, so threads may share it; it is pickled by its name.
    """

    on_host = False
    chunk_bytes = 2**19  # the size of an array when a large job is cut: several stay in a CPU's cache
    scalar_types: tuple[type, ...] = ()  # what the library returns in place of 0-d arrays
    iterations_at_once = 100  # of a training, between two looks at the losses
    samples_at_once = 1000  # of an evaluation: their activations stay in a CPU's cache

    def __init__(self, name: str, xp: Any, array_type: type | None = None) -> None:
        self.name = name
        self.xp = xp
        self.array_type: type[Any] = array_type or type(xp.empty(0))

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

    def all_finite(self, array: Array) -> bool:
        """Whether an array holds neither NaN nor an infinity; waits for the device."""
        return bool(self.xp.all(self.xp.isfinite(array)))

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

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """A new array whose values are arbitrary."""
        return self.xp.empty(shape, dtype=self.dtype(dtype))

    def reshape(self, array: Array, shape: tuple[int, ...]) -> Array:
        """The same values in another shape, a view where the library can."""
        return self.xp.reshape(array, shape)

    def writable(self, array: Array) -> bool:
        """Whether this is an array that can be changed in place, each entry on its own."""
        return type(array) is self.array_type

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

    # -------------------------------------------------------------------------------------------------- loops

    def threads_for(self, multiply_adds: int) -> AbstractContextManager[Any]:
        """Inside, the threads that suit products of that size.  multiply_adds: of the largest product."""
        return nullcontext()

    def users_threads(self) -> AbstractContextManager[Any]:
        """Inside a block of `threads_for`, for what is the user's: the threads that were there before it."""
        return nullcontext()

    def quiet(self) -> AbstractContextManager[Any]:
        """Inside, no warnings of numbers that overflow or become NaN."""
        return np.errstate(over="ignore", invalid="ignore", divide="ignore")

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
        """Why steps in this dtype cannot be recorded, or None where they can."""
        return f"{self.name} has no CUDA graphs"

    def captured(self, keep: Sequence[Array], compare: Sequence[Array], why_not: str = "") -> Loop:
        """Return a loop for steps, which a backend that can records once and replays.

        Unless a replayed step differs from one that Python runs. What is recorded lives in the loop.
        keep: what the steps change and build upon: parameters, state.  compare: what else they write that a
        replay must write alike.  why_not: a reason to run them one by one.
        """
        return Loop(why_not)
