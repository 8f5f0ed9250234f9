"""Where a layer's kernels write: into the same arrays in every step of a loop, into new ones elsewhere."""

from typing import Any

from backends import Array, Backend


class Buffers(dict[tuple[str, tuple[int, ...]], Array]):
    """Arrays made at their first use and given again ever after: `buffers["out", (N, M)]`."""

    def __init__(self, backend: Backend, dtype: Any) -> None:
        super().__init__()
        self.backend, self.dtype = backend, dtype

    def __missing__(self, key: tuple[str, tuple[int, ...]]) -> Array:
        self[key] = self.backend.zeros(key[1], self.dtype)
        return self[key]


class NewArrays(dict[tuple[str, tuple[int, ...]], None]):
    """No array for any name and shape, so that every kernel makes a new one."""

    def __missing__(self, key: tuple[str, tuple[int, ...]]) -> None:
        return None
