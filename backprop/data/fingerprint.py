"""A fingerprint of arrays, by which a resumed run recognizes its data."""

import hashlib
from typing import Any

import numpy as np

WHOLE = 1000  # rows at most that enter byte by byte


def fingerprint(*arrays: np.ndarray) -> str:
    """Return 64 hexadecimal digits that differ, in all likelihood, between different data.

    Shapes, dtypes, a weighted sum of every row and up to a thousand whole rows enter into a SHA-256. So a
    changed, added, missing or moved row is found, and so are numbers that have changed places within a row.
    It takes 0.02 s for MNIST, where a SHA-256 of everything takes 0.12 s.

    arrays: (N, …), on the host.
    """
    digest = hashlib.sha256()
    for array in arrays:
        rows = np.ascontiguousarray(array).reshape(len(array), -1)
        step = -(-len(rows) // WHOLE) or 1
        digest.update(f"{array.shape} {array.dtype.str}".encode())
        digest.update(_sums(rows).tobytes())
        digest.update(rows[::step].tobytes())
    return digest.hexdigest()


def _sums(rows: np.ndarray) -> np.ndarray:
    """Return a sum of each row, read as the widest integers that fill it, with odd weights, modulo 2⁶⁴."""
    size = rows.shape[1] * rows.itemsize
    wide = next(kind for kind in (np.uint64, np.uint32, np.uint16, np.uint8) if size % kind().itemsize == 0)
    words: Any = rows.view(wide)
    weights: Any = (2 * np.arange(words.shape[1], dtype=np.uint64) + 1) * np.uint64(0x9E3779B97F4A7C15)
    sums: np.ndarray = np.einsum("ij,j->i", words, weights)
    return sums
