"""Numerical derivatives of a target: along a direction, at one entry, at every entry."""

from typing import Any

from backends import dtype_name, to_numpy
from backprop.gradient_check.fast import derivative_along
from backprop.gradient_check.target import Target, TargetCopy
from backprop.numerical.gradient import (
    H_CENTRAL,
    STEP_DTYPES,
    central_steps,
    numerical_gradient,
    value_at,
)

ONE = to_numpy(1.0)
LAST_DIGIT = 2.0**-52
CENTRAL_ROUNDING = (
    LAST_DIGIT / H_CENTRAL
)  # rounding error of central differences, relative to the function's terms
DOUBLED = {"float16": "float64", "float32": "float64", "complex64": "complex128"}


class Derivatives:
    """The derivatives of a target by a method, and its values, evaluated on one copy per method."""

    def __init__(self, target: Target, method: str, copied: TargetCopy | None = None) -> None:
        self.target, self.method = target, method
        self._copies = {} if copied is None else {"central": copied}

    def copy_for(self, method: str) -> TargetCopy:
        """Return the copy on which derivatives by that method are taken."""
        if method not in self._copies:
            self._copies[method] = self.target.copy(STEP_DTYPES[method])
        return self._copies[method]

    def array(self, name: str) -> Any:
        """Return the values of an array, on the host."""
        return to_numpy(self.copy_for("central").arrays[name])

    def slope(self, name: str, direction: Any, region: Any = ...) -> float:
        """Return the derivative along a direction of an array, or of the region of it that moves."""
        if self.method == "central":
            return self.central_slope(name, direction, region=region)
        copied, u = self.copy_for("complex"), self.target.backend.asarray(direction)
        return derivative_along(lambda: self.value(copied), copied.arrays[name], u, region)

    def central_slope(self, name: str, direction: Any, h: float = H_CENTRAL, region: Any = ...) -> float:
        """Return the derivative along a direction by central differences with step h."""
        above, below = self.values(name, direction, [h, -h], region)
        return (above - below) / (2.0 * h)

    def value(self, copied: TargetCopy) -> Any:
        """Return the function's value in double precision, whatever forward returned it in."""
        value = self.target.value(copied)
        doubled = DOUBLED.get(dtype_name(value.dtype)) if hasattr(value, "dtype") else None
        return to_numpy(value).astype(doubled) if doubled else value

    def at_entry(self, name: str, index: list[int]) -> float:
        """Return the derivative with respect to one entry."""
        if self.method == "complex":
            return self.slope(name, ONE, entry(index))
        h = float(central_steps(self.array(name)[tuple(index)]))
        return self.central_slope(name, ONE, h, entry(index))

    def every_entry(self, name: str) -> Any:
        """Return the derivative with respect to every entry, on the host."""
        copied = self.copy_for(self.method)
        array = copied.arrays[name]
        return to_numpy(numerical_gradient(lambda _: self.value(copied), array, method=self.method))

    def values(self, name: str, direction: Any, steps: list[float], region: Any = ...) -> list[float]:
        """Return the function's values with a region of an array moved by each step along a direction."""
        copied, direction = self.copy_for("central"), self.target.backend.asarray(direction)
        array = copied.arrays[name]
        return [value_at(lambda: self.value(copied), array, direction, step, region) for step in steps]


def entry(index: list[int]) -> Any:
    """Return the region of a single entry."""
    return tuple(slice(i, i + 1) for i in index) or ...
