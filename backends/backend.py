"""An array library as one object: its name and namespace, transfers to and from the host, and loops."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import prod
from typing import Any

import numpy as np

from backends import registry
from backends.array import Array
from backends.dtypes import dtype_name
from backends.loop import Loop
from backends.namespace import Namespace


class Backend:
    """A backend over any mutable Array API namespace whose reshapes are views.

    Subclasses override what their library does differently or faster. `on_host` is True if the arrays are
    host data, which every other backend accepts. A backend has no mutable state, so threads may share it.
    It is pickled by name.

    Parameters
    ----------
    name : str
        The name that users choose it by.
    xp : namespace
    array_type : type, optional
        The class of its arrays; by default that of `xp.empty(0)`.
    """

    on_host = False
    chunk_bytes = 2**20  # per array, when a large job is split: several fit in a CPU's cache
    scalar_types: tuple[type, ...] = ()  # types the library returns instead of 0-d arrays
    gathered_at_once = 0  # numbers of samples, in training; one batch in any case: it fits in a CPU's cache
    iterations_at_once = 100  # in training, between two reads of the losses
    samples_at_once = 1000  # at most, in evaluation
    values_at_once = 2**20  # of one layer's activations: they fit in a CPU's cache

    def __init__(self, name: str, xp: Any, array_type: type | None = None) -> None:
        self.name = name
        self.xp: Namespace = xp
        self.array_type: type[Any] = array_type or type(xp.empty(0))

    # By name, since pickle and copy.deepcopy cannot handle a module such as the namespace.
    def __reduce__(self) -> tuple[Any, ...]:
        return registry.load, (self.name,)

    def __repr__(self) -> str:
        return f"<backend {self.name}>"

    # -------------------------------------------------------------------------------------- arrays in and out

    def asarray(self, data: Any, dtype: Any = None) -> Array:
        """Return host data or an array of this backend as an array of this backend.  dtype: None keeps it."""
        return self.xp.asarray(data, dtype=None if dtype is None else self.dtype(dtype))

    def to_numpy(self, array: Array) -> np.ndarray:
        """Return the values as a NumPy array. Waits for the device."""
        return np.asarray(array)

    def adopt(self, data: Any) -> Array | None:
        """Return another library's array on this device as one of this backend, uncopied; else None."""
        return None

    def require_current(self, where: str, **arrays: Array) -> None:
        """Raise ValueError if an array is not on the current device."""

    def host_view(self, array: Array) -> np.ndarray | None:
        """Return the values on the host if that needs no wait for a device, else None."""
        return self.to_numpy(array)

    def all_finite(self, array: Array) -> bool:
        """Return whether an array holds neither NaN nor infinity. Waits for the device."""
        return bool(self.xp.all(self.xp.isfinite(array)))

    def synchronize(self) -> None:
        """Wait for the device to finish all work, as timings must."""

    def device(self) -> str:
        """Return the name of the device."""
        return "cpu"

    def versions(self) -> dict[str, str]:
        """Return the versions of the library and its runtime, by name."""
        return {self.name: str(self.xp.__version__)}

    # -------------------------------------------------------------------------------------- arrays as storage

    def dtype(self, dtype: Any) -> Any:
        """Return the namespace's own dtype for a name or any library's dtype."""
        return getattr(self.xp, dtype_name(dtype))

    def astype(self, array: Array, dtype: Any) -> Array:
        """Return a copy of array in another element type."""
        return self.xp.astype(array, self.dtype(dtype))

    def copy(self, array: Array) -> Array:
        """Return a copy of array."""
        return self.xp.asarray(array, copy=True)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return a new array of zeros."""
        return self.xp.zeros(shape, dtype=self.dtype(dtype))

    def arange(self, start: int, stop: int) -> Array:
        """Return the integers start, …, stop - 1."""
        return self.xp.arange(start, stop)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return a new array with arbitrary values."""
        return self.xp.empty(shape, dtype=self.dtype(dtype))

    def reshape(self, array: Array, shape: tuple[int, ...]) -> Array:
        """Return the values in another shape, as a view if the library can."""
        return self.xp.reshape(array, shape)

    def writable(self, array: Array) -> bool:
        """Return whether this is an array whose entries can be changed in place, each on its own."""
        return type(array) is self.array_type

    def write(self, target: Array, source: Array) -> None:
        """Copy source into target, of the same shape and dtype."""
        target[...] = source

    def host_memory(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return memory on the host, with arbitrary values, for `fetch` and `put`."""
        return np.empty(shape, dtype_name(dtype))

    def fetch(self, array: Array, host: np.ndarray) -> None:
        """Copy an array into memory on the host, of the same shape and dtype. Waits for the device."""
        host[...] = self.to_numpy(array)

    def put(self, array: Array, host: np.ndarray) -> None:
        """Copy memory on the host into an array of the same shape and dtype."""
        self.write(array, self.asarray(host))

    def pack(self, x: Array) -> Array:
        """Return samples in the form `minibatch` reads fastest: x, or bytes if x is exactly bytes / 255."""
        return x

    def concat(self, arrays: list[Array]) -> Array:
        """Return arrays joined along their first axis."""
        return self.xp.concat(arrays, axis=0)

    def views(self, flat: Array, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        """Return consecutive views of the given shapes into a flat array, by name."""
        views, start = {}, 0
        for name, shape in shapes.items():
            stop = start + prod(shape)
            views[name] = self.reshape(flat[start:stop], shape)
            start = stop
        return views

    # -------------------------------------------------------------------------------------------------- loops

    def threads_for(self, multiply_adds: int) -> AbstractContextManager[Any]:
        """Return a context with the number of threads that suits products of at most that size."""
        return nullcontext()

    def users_threads(self) -> AbstractContextManager[Any]:
        """Return a context for user code inside `threads_for`, with the number of threads from before it."""
        return nullcontext()

    def quiet(self) -> AbstractContextManager[Any]:
        """Return a context without warnings about overflow and NaN."""
        return np.errstate(over="ignore", invalid="ignore", divide="ignore")

    def warmup(self, products: Iterable[tuple[int, int, int]] | None = None) -> None:
        """Compile kernels and load libraries ahead of the first call.

        products: sizes (N, D, M) of the products to come, so that only what they need is loaded; None
        means any.
        """

    def kernel_cache(self) -> str | None:
        """Return the directory of compiled kernels that later processes use, or None."""
        return None

    def precision(self, dtype: Any) -> str:
        """Return the current precision of products of this dtype: "ieee" or "tf32"."""
        return "ieee"

    def why_not_captured(self, dtype: Any) -> str | None:
        """Return why steps in this dtype cannot be recorded, or None if they can."""
        return f"{self.name} has no CUDA graphs"

    def captured(
        self,
        keep: Sequence[Array],
        compare: Sequence[Array],
        why_not: str = "",
        agreed: Callable[[bool], bool] = bool,
    ) -> Loop:
        """Return a loop for steps. A backend with graphs records them once and replays the recording.

        It runs eagerly if a replayed step differs from an eager one. The recording lives as long as the loop.

        Parameters
        ----------
        keep : sequence of array
            Everything that the steps both read and change: parameters, state.
        compare : sequence of array
            Everything else that the steps write and that a replay must reproduce.
        why_not : str
            A reason to run eagerly, if there is one.
        agreed : callable
            Takes whether recording has worked, and returns whether it has on all ranks of the run.
        """
        return Loop(why_not)
