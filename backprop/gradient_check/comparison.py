"""Compare gradients with numerical derivatives: along a direction, at an entry, at every entry."""

import warnings
from typing import Any

from backends import to_numpy
from backprop.gradient_check.host_arrays import component, random_like
from backprop.gradient_check.target import Run, Target, TargetCopy
from backprop.networks.jacobian import gradient_by_columns
from backprop.numerical.gradient import (
    H_CENTRAL,
    STEP_DTYPES,
    NotAnalytic,
    central_steps,
    directional_derivative,
    numerical_gradient,
    value_at,
)

# Relative to the size of the gradient, and to that of the function's terms: where a gradient nearly cancels,
# as at the optimum, its own size says nothing about the rounding errors of its terms.
LIMITS = {"complex": (1e-12, 1e-14), "central": (1e-8, 2e-10)}
NOISE = 1e-12  # relative scatter of values above which forward counts as less precise than float64
ONE = to_numpy(1.0)


class Comparison:
    """Takes numerical derivatives of a target and compares the gradients of a run with them.

    slopes: for each array, a random direction and the derivative along it; filled by `measure`.
    """

    def __init__(self, target: Target, run: Run, method: str, copied: TargetCopy | None = None) -> None:
        self.target, self.run, self.method = target, run, method
        self.gradients, self.rng = run.gradients, target.rng
        self.slopes: dict[str, tuple[Any, float]] = {}
        self._copies = {} if copied is None else {"central": copied}
        self._exact: Comparison | None = None
        self._noise: dict[str, tuple[float, float]] = {}

    def copy_for(self, method: str) -> TargetCopy:
        """Return the copy on which derivatives by that method are taken."""
        if method not in self._copies:
            self._copies[method] = self.target.copy(STEP_DTYPES[method])
        return self._copies[method]

    # ------------------------------------------------------------------------------------------- derivatives

    def measure(self) -> str:
        """Fill `slopes`.  Return why it fell back to central differences, or "" if it did not."""
        arrays = self.copy_for("central").arrays
        directions = {name: self._direction(to_numpy(array)) for name, array in arrays.items()}
        why = self._try_complex(directions) if self.method == "complex" else ""
        if why or self.method == "central":
            self.method = "central"
            self.slopes = {name: (along, self.slope(name, along)) for name, along in directions.items()}
        return why

    def _direction(self, values: Any) -> Any:
        """Return a random direction along which an array of these values can be moved without rounding.

        Entries too large for so small a step are moved further.
        """
        direction = random_like(values, self.rng)
        if max(values.max(), -values.min()) > 1e6:
            direction *= (1e-6 * abs(values)).clip(1.0, None)
        direction *= H_CENTRAL  # in place, since such arrays are large
        direction += values
        direction -= values
        direction /= H_CENTRAL
        return direction

    def exact(self) -> "Comparison | None":
        """Return this comparison by the complex step, or None where that cannot be taken."""
        if self.method == "complex":
            return self
        if self._exact is None:
            self._exact = Comparison(self.target, self.run, "complex", self.copy_for("central"))
            self._exact.measure()
        return self._exact if self._exact.method == "complex" else None

    def slope(
        self, name: str, direction: Any, method: str = "", h: float = H_CENTRAL, region: Any = ...
    ) -> float:
        """Return the derivative along a direction of an array or a region.  h: of central differences."""
        method = method or self.method
        copied, array = self.copy_for(method), self.copy_for(method).arrays[name]
        direction = self.target.backend.asarray(direction)
        return directional_derivative(
            lambda: self.target.value(copied), array, direction, method=method, h=h, region=region
        )

    def at_entry(self, name: str, index: list[int]) -> float:
        """Return the derivative with respect to one entry."""
        at = to_numpy(self.copy_for("central").arrays[name])[tuple(index)]
        return self.slope(name, ONE, h=float(central_steps(at)), region=entry(index))

    def every_entry(self, name: str) -> Any:
        """Return the derivative with respect to every entry, on the host."""
        gradient = self._by_columns(name)
        if gradient is not None:
            return gradient
        copied = self.copy_for(self.method)
        array = copied.arrays[name]
        return to_numpy(numerical_gradient(lambda _: self.target.value(copied), array, method=self.method))

    def values(self, name: str, direction: Any, steps: list[float], region: Any = ...) -> list[float]:
        """Return the function's values with a region of an array moved by each step along a direction."""
        copied, direction = self.copy_for("central"), self.target.backend.asarray(direction)
        array = copied.arrays[name]
        return [value_at(lambda: self.target.value(copied), array, direction, step, region) for step in steps]

    def noise(self, name: str) -> tuple[float, float]:
        """Return how far values scatter around a smooth curve, and their size: 1e16 times that in float64."""
        if name not in self._noise:
            at = to_numpy(self.copy_for("central").arrays[name])
            direction = random_like(at, self.rng) * (1e-3 + abs(at))
            *points, far = self.values(name, direction, [k * 3e-8 for k in range(8)] + [1.0])
            size = 1e-300 + self.run.terms + abs(points[0]) + abs(far - points[0])
            self._noise[name] = float(scatter(points)), float(size)
        return self._noise[name]

    def is_noisy(self, name: str) -> bool:
        """Return whether forward is less precise than float64."""
        scattered, size = self.noise(name)
        return scattered > NOISE * size

    # --------------------------------------------------------------------------------------------- agreement

    def limit(self, size: float, method: str = "") -> float:
        """Return how far a gradient of that size may be off."""
        relative, absolute = LIMITS[method or self.method]
        return relative * size + absolute * (1.0 + self.run.terms)

    def gap(self, gradient: Any, direction: Any, slope: float) -> tuple[float, float]:
        """Return how far a gradient is from the slope along a direction, and how far it may be."""
        along, size = component(gradient, direction)
        return abs(along - slope), self.limit(size)

    def is_off(self, name: str, index: list[int]) -> bool:
        """Return whether the gradient of an entry disagrees with the derivative."""
        backward = float(self.gradients[name][tuple(index)])
        return not abs(backward - self.at_entry(name, index)) <= self.limit(abs(backward))

    def agrees(self, name: str, gradient: Any) -> bool:
        """Return whether a gradient agrees with the derivative along two new directions.

        gradient: of the array's shape, or summed along axes that have length 1 in it.
        """
        for _ in range(2):
            direction = random_like(gradient, self.rng)
            gap, limit = self.gap(gradient, direction, self.slope(name, direction))
            if not gap <= 10.0 * limit:
                return False
        return True

    # ------------------------------------------------------------------------------ which method can be taken

    def _try_complex(self, directions: dict[str, Any]) -> str:
        """Fill `slopes` by the complex step.  Return why it cannot be taken, or "" if it can."""
        try:
            with warnings.catch_warnings():
                # A cast to real numbers loses the derivative: as an error it is reported by name.
                warnings.filterwarnings("error", message="Casting complex values to real")
                self.slopes = {name: (along, self.slope(name, along)) for name, along in directions.items()}
            for name, (along, slope) in self.slopes.items():
                if not self._is_analytic(name, along, slope) and not self.is_noisy(name):
                    return f"the complex step does not see what central differences see of {name}"
        except NotAnalytic:
            return "it gives real numbers for complex ones"
        except Exception as error:  # a forward without support for complex numbers may raise anything
            return f"{type(error).__name__}: {error}"
        return ""

    def _is_analytic(self, name: str, direction: Any, slope: float) -> bool:
        """Return whether the complex step agrees with central differences, here or beside a possible kink."""
        if self._as_central(name, direction, slope):
            return True
        backend, arrays = self.target.backend, [self.copy_for(m).arrays[name] for m in ("central", "complex")]
        before = [backend.copy(array) for array in arrays]
        at = to_numpy(before[0])
        beside = backend.asarray(at + 0.01 * (1.0 + abs(at)) * random_like(at, self.rng))
        try:
            for array in arrays:
                array[...] = backend.astype(beside, array.dtype)
            return self._as_central(name, direction, self.slope(name, direction, "complex"))
        finally:
            for array, values in zip(arrays, before, strict=True):
                array[...] = values

    def _as_central(self, name: str, direction: Any, slope: float) -> bool:
        """Return whether central differences with one of three steps give that slope, to their precision."""
        for stretch in (1.0, 1e2, 1e-1):
            central = self.slope(name, direction, "central", stretch * H_CENTRAL)
            noise = (1.0 + self.run.terms) * 1e-9 / min(stretch, 1.0)
            if abs(central - slope) <= 1e-6 * abs(central) + noise:
                return True
        return False

    def _by_columns(self, name: str) -> Any:
        """Return the derivative by every entry by columns of the Jacobian of a layer that is known.

        None where there is none, or where it is not what the function itself does along a direction.
        """
        try:
            for place in self.target.places(self.copy_for("central")):
                for own in (own for own, outside in place.names.items() if outside == name):
                    gradient = gradient_by_columns(place, own, self.method)
                    gap, limit = self.gap(gradient, *self.slopes[name])
                    limit += self.limit(0.0) * gradient.size**0.5
                    return gradient if gap <= 10.0 * limit else None
        except Exception:  # the input need not be what the layers take
            return None
        return None


def scatter(points: list[Any]) -> Any:
    """Return how far eight successive numbers, or host arrays, scatter around a smooth curve.

    Fifth differences remove the curve and enlarge independent errors by a factor of sqrt(252).
    """
    for _ in range(5):
        points = [b - a for a, b in zip(points, points[1:], strict=False)]
    return (sum(point * point for point in points) / (252.0 * len(points))) ** 0.5


def entry(index: list[int]) -> Any:
    """Return the region of a single entry."""
    return tuple(slice(i, i + 1) for i in index) or ...
