"""Arrays with their axes in the order of memory, in which elementwise operations are fastest.

The twins of convolutions hand on arrays (N, C, H, W) that lie in memory as (H, N, W, C). `transpose(ROWS)`
puts their axes in the order of memory, and `transpose(IMAGES)` puts them back.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from backends.workspace import NewArrays

IMAGES, ROWS = (1, 3, 0, 2), (2, 0, 3, 1)  # from (H, N, W, C) to (N, C, H, W), and back

F = TypeVar("F", bound=Callable[..., Any])


def in_memory_order(function: F) -> F:
    """Return an elementwise twin that gets its arrays with their axes in the order of memory of the last one.

    All arrays that it takes, returns and saves must have one shape.
    """

    @wraps(function)
    def ordered(self: Any, ws: NewArrays, *arrays: np.ndarray) -> Any:
        last = arrays[-1]
        if last.ndim < 3 or last.flags.c_contiguous:
            return function(self, ws, *arrays)
        order = axes_in_memory(last)
        back = np.argsort(order)
        result = function(self, ws, *[array.transpose(order) for array in arrays])
        if not isinstance(result, tuple):
            dx: np.ndarray = result.transpose(back)
            return dx
        out, saved = result
        return out.transpose(back), tuple(array.transpose(back) for array in saved)

    return ordered  # type: ignore[return-value]


def axes_in_memory(x: np.ndarray) -> list[int]:
    """Return the axes of x in the order of memory, the outermost first."""
    return sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))


def contiguous(ws: NewArrays, name: str, x: np.ndarray) -> np.ndarray:
    """Return x if its axes are in the order of memory, else a copy whose axes are."""
    if x.flags.c_contiguous:
        return x
    copy: np.ndarray = ws[name, x.shape]
    np.copyto(copy, x)
    return copy
