"""The comparison of gradients with numerical derivatives, within the limits of the method."""

from typing import Any

from backprop.gradient_check.analytic import why_not_complex
from backprop.gradient_check.derivatives import CENTRAL_ROUNDING, LAST_DIGIT, Derivatives
from backprop.gradient_check.fast import PRECISION, random_direction
from backprop.gradient_check.host_arrays import component, random_like
from backprop.gradient_check.target import Run, Target, TargetCopy
from backprop.networks.jacobian import gradient_by_columns

LIMITS = {"complex": PRECISION, "central": 1e-8}  # relative to the size of the gradient
MAX_LIMIT = 3e-3  # relative to the gradient: a larger limit would let faults pass
NOISE = 1e-10  # relative scatter above which forward counts as less precise than float64


class Comparison(Derivatives):
    """The gradients of a run and the numerical derivatives of its target, to be compared.

    slopes: a random direction for each array and the derivative along it; filled by `measure`.
    roundings: how much of the gradient may be rounding error, for arrays that were examined closely.
    """

    def __init__(self, target: Target, run: Run, method: str, copied: TargetCopy | None = None) -> None:
        super().__init__(target, method, copied)
        self.run, self.gradients, self.rng = run, run.gradients, target.rng
        self.slopes: dict[str, tuple[Any, float]] = {}
        self.roundings: dict[str, float] = {}
        self._others: dict[str, Comparison] = {}
        self._noise: dict[str, tuple[float, float]] = {}
        self._probes: dict[str, list[tuple[Any, float]]] = {}

    def measure(self, directions: dict[str, Any] | None = None) -> str:
        """Fill `slopes`. Return the reason for a fallback to central differences, or ""."""
        if not directions:
            names = self.copy_for("central").arrays
            directions = {name: random_direction(self.array(name), self.rng) for name in names}
        why = why_not_complex(self, directions) if self.method == "complex" else ""
        if why or self.method == "central":
            self.method = "central"
            self.slopes = {name: (along, self.slope(name, along)) for name, along in directions.items()}
        return why

    def exact(self) -> "Comparison | None":
        """Return this comparison by the complex step, or None if forward is not analytic."""
        exact = self._by("complex")
        return exact if exact.method == "complex" else None

    def by_central_differences(self) -> "Comparison":
        """Return this comparison by central differences."""
        return self._by("central")

    def _by(self, method: str) -> "Comparison":
        if method == self.method:
            return self
        if method not in self._others:
            other = Comparison(self.target, self.run, method, self.copy_for("central"))
            other.measure({name: direction for name, (direction, _) in self.slopes.items()})
            self._others[method] = other
        return self._others[method]

    def every_entry(self, name: str) -> Any:
        """Return the derivative with respect to every entry, on the host."""
        gradient = self._by_columns(name)
        return super().every_entry(name) if gradient is None else gradient

    def _by_columns(self, name: str) -> Any:
        """Return the derivative with respect to every entry from the Jacobian columns of a known layer.

        None if there is no such layer, or if the result disagrees with the function along a direction.
        """
        try:
            for place in self.target.places(self.copy_for("central")):
                for own in (own for own, outside in place.names.items() if outside == name):
                    gradient = gradient_by_columns(place, own, self.method)
                    gap, limit = self.gap(gradient, *self.slopes[name])
                    limit += self.limit(0.0) * gradient.size**0.5
                    return gradient if gap <= 10.0 * limit else None
        except Exception:  # the layers may not accept the input
            return None
        return None

    def limit(self, size: float) -> float:
        """Return how far a gradient of that size may be off, not counting its rounding errors."""
        rounding = CENTRAL_ROUNDING * self.run.terms if self.method == "central" else 0.0
        return LIMITS[self.method] * size + rounding

    def gap(self, gradient: Any, direction: Any, slope: float) -> tuple[float, float]:
        """Return how far a gradient is from the slope along a direction, and how far it may be."""
        along, size = component(gradient, direction)
        return abs(along - slope), self.limit(size)

    def is_off(self, name: str, index: list[int]) -> bool:
        """Return whether the gradient of an entry is off by more than the limit for the largest entry."""
        backward = float(self.gradients[name][tuple(index)])
        return not abs(backward - self.at_entry(name, index)) <= self.limit_of_entries(name)

    def limit_of_entries(self, name: str) -> float:
        """Return how far the gradient of an entry may be off."""
        return self.limit(float(abs(self.gradients[name]).max())) + self.roundings.get(name, 0.0)

    def agrees(self, name: str, gradient: Any) -> bool:
        """Return whether a gradient agrees with the derivative along two new directions.

        gradient: has the array's shape, or length 1 along axes over which it is summed.
        """
        return all(self.agrees_along(name, gradient, random_like(gradient, self.rng)) for _ in range(2))

    def agrees_along(self, name: str, gradient: Any, direction: Any) -> bool:
        """Return whether a gradient agrees with the derivative along a direction."""
        gap, limit = self.gap(gradient, direction, self.slope(name, direction))
        return gap <= 10.0 * limit

    def probes(self, name: str) -> list[tuple[Any, float]]:
        """Return three directions of an array with the slopes along them; the first is that in `slopes`."""
        if name not in self._probes:
            known = [self.slopes[name]] if name in self.slopes else []
            more = [random_like(self.gradients[name], self.rng) for _ in range(3 - len(known))]
            self._probes[name] = known + [(direction, self.slope(name, direction)) for direction in more]
        return self._probes[name]

    def noise(self, name: str) -> tuple[float, float]:
        """Return the scatter of values around a smooth curve, and their size: in float64 1e16 times that.

        With the complex step the scatter is taken to be a last digit unless it was measured to be more.
        """
        if self.method == "complex" and name not in self._noise:
            return LAST_DIGIT * self.run.terms, self.run.terms
        return self.measured_noise(name)

    def measured_noise(self, name: str) -> tuple[float, float]:
        """Return the scatter and size of values, measured."""
        if name not in self._noise:
            from backprop.gradient_check.noise import noise_of  # imported only if something is off

            self._noise[name] = noise_of(self, name)
        return self._noise[name]

    def is_noisy(self, name: str) -> bool:
        """Return whether forward is less precise than float64."""
        scattered, size = self.noise(name)
        return scattered > NOISE * size
