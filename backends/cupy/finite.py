"""Looking for numbers that are none, without a kernel of CuPy's that would be compiled for it."""

from typing import Any

import numpy as np

from backends.array import Array


def all_finite(backend: Any, x: Array) -> bool:
    """Return whether x, float32 and C-contiguous, holds neither NaN nor an infinity; waits for the device."""
    found = backend.xp.zeros((1,), np.int32)
    backend.launch_for_each("find_not_finite", x.size, x, found)
    return not backend.to_numpy(found)[0]
