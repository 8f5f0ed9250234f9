"""The search for NaN and infinity, with our own kernel, so that CuPy compiles none."""

from typing import Any

import numpy as np

from backends.cupy.array import Array


def all_finite(backend: Any, x: Array) -> bool:
    """Return whether x (float32, C-contiguous) has neither NaN nor infinity. Waits for the device."""
    found = backend.xp.zeros((1,), np.int32)
    backend.launch_for_each("find_not_finite", x.size, x, found)
    return not backend.to_numpy(found)[0]
