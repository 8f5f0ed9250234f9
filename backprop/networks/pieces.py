"""Data in pieces: as many samples at once as suit a network and its backend, and the results joined again."""

from math import prod
from typing import Any

from backends import Array, Backend


def samples_at_once(net: Any) -> int:
    """Return how many samples a network takes in one piece: fewer, the more values a layer makes of one."""
    backend: Backend = net.backend
    most = max(map(prod, (net.input_shape, *net.output_shapes.values())))
    return max(1, min(backend.samples_at_once, backend.values_at_once // most))


def pieces(net: Any, *arrays: Array) -> list[tuple[Array, ...]]:
    """Return arrays (N, …) in pieces of the number of samples that suits the network."""
    size, most = arrays[0].shape[0], samples_at_once(net)
    if size <= most:
        return [arrays]
    starts = range(0, size, most)
    return [tuple(array[at : min(at + most, size), ...] for array in arrays) for at in starts]


def joined(backend: Backend, results: list[Array]) -> Array:
    """Return the results of all pieces as one array."""
    return results[0] if len(results) == 1 else backend.concat(results)
