"""Data in pieces: as many samples at once as suit the backend, and the results joined again."""

from backends import Array, Backend


def pieces(backend: Backend, *arrays: Array) -> list[tuple[Array, ...]]:
    """Return arrays (N, …) in pieces of the number of samples that suits the backend."""
    size, most = arrays[0].shape[0], backend.samples_at_once
    if size <= most:
        return [arrays]
    starts = range(0, size, most)
    return [tuple(array[at : min(at + most, size), ...] for array in arrays) for at in starts]


def joined(backend: Backend, results: list[Array]) -> Array:
    """Return the results of all pieces as one array."""
    return results[0] if len(results) == 1 else backend.concat(results)
