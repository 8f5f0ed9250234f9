"""A gradient against the derivative of the function: along a direction, at an entry, at every entry."""

import warnings
from typing import Any

from backends import to_numpy
from backprop.gradient_check.host_arrays import random_like
from backprop.gradient_check.subject import Run, Subject, Trial
from backprop.moves import gradient_by_moves
from backprop.numerical_gradient import (
    H_CENTRAL,
    STEP_DTYPES,
    NotAnalytic,
    central_steps,
    directional_derivative,
    numerical_gradient,
    value_at,
)

# Relative to the size of the gradient, and to that of the function's terms. Why the second: where a gradient
# cancels to nearly nothing, as at the optimum, its own size is no measure for the rounding errors of what it
# was summed from.
LIMITS = {"complex": (1e-12, 1e-14), "central": (1e-8, 2e-10)}
NOISE = 1e-12  # relative scatter of values from which on forward counts as less precise than float64
ONE = to_numpy(1.0)


class Comparison:
    """Takes derivatives of a subject, and holds the gradients of a run against them.

    slopes: by array, a random direction and the derivative along it; filled by `measure`.
    """

    def __init__(self, subject: Subject, run: Run, method: str, trial: Trial | None = None) -> None:
        self.subject, self.run, self.method = subject, run, method
        self.gradients, self.rng = run.gradients, subject.rng
        self.slopes: dict[str, tuple[Any, float]] = {}
        self._trials = {} if trial is None else {"central": trial}
        self._exact: Comparison | None = None
        self._noise: dict[str, tuple[float, float]] = {}

    def trial(self, method: str) -> Trial:
        """The copy on which derivatives by that method are taken."""
        if method not in self._trials:
            self._trials[method] = self.subject.trial(STEP_DTYPES[method])
        return self._trials[method]

    # ------------------------------------------------------------------------------------------- derivatives

    def measure(self) -> str:
        """Fill `slopes`.  Returns why that took central differences, where it was not asked to."""
        arrays = self.trial("central").arrays
        directions = {name: self._direction(to_numpy(array)) for name, array in arrays.items()}
        why = self._try_complex(directions) if self.method == "complex" else ""
        if why or self.method == "central":
            self.method = "central"
            self.slopes = {name: (along, self.slope(name, along)) for name, along in directions.items()}
        return why

    def _direction(self, values: Any) -> Any:
        """A random direction that an array of these values can be moved along without rounding.

        Entries too large to be moved by so little are moved by more.
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
        """This comparison by the complex step; None where that cannot be taken."""
        if self.method == "complex":
            return self
        if self._exact is None:
            self._exact = Comparison(self.subject, self.run, "complex", self.trial("central"))
            self._exact.measure()
        return self._exact if self._exact.method == "complex" else None

    def slope(
        self, name: str, direction: Any, method: str = "", h: float = H_CENTRAL, region: Any = ...
    ) -> float:
        """The derivative along a direction of an array, or of a region of it.  h: of central differences."""
        method = method or self.method
        trial, array = self.trial(method), self.trial(method).arrays[name]
        direction = self.subject.backend.asarray(direction)
        return directional_derivative(
            lambda: self.subject.value(trial), array, direction, method=method, h=h, region=region
        )

    def at_entry(self, name: str, index: list[int]) -> float:
        """The derivative by one entry."""
        at = to_numpy(self.trial("central").arrays[name])[tuple(index)]
        return self.slope(name, ONE, h=float(central_steps(at)), region=entry(index))

    def every_entry(self, name: str) -> Any:
        """The derivative by every entry, on the host."""
        gradient = self._by_moves(name)
        if gradient is not None:
            return gradient
        trial = self.trial(self.method)
        array = trial.arrays[name]
        return to_numpy(numerical_gradient(lambda _: self.subject.value(trial), array, method=self.method))

    def values(self, name: str, direction: Any, steps: list[float], region: Any = ...) -> list[float]:
        """The function where a region of an array is moved by each of these steps along a direction."""
        trial, direction = self.trial("central"), self.subject.backend.asarray(direction)
        array = trial.arrays[name]
        return [value_at(lambda: self.subject.value(trial), array, direction, step, region) for step in steps]

    def noise(self, name: str) -> tuple[float, float]:
        """How far values scatter around a smooth curve, and the size of what they were summed from.

        The quotient is about 1e-16 in float64.
        """
        if name not in self._noise:
            at = to_numpy(self.trial("central").arrays[name])
            direction = random_like(at, self.rng) * (1e-3 + abs(at))
            *points, far = self.values(name, direction, [k * 3e-8 for k in range(8)] + [1.0])
            size = 1e-300 + self.run.terms + abs(points[0]) + abs(far - points[0])
            self._noise[name] = float(scatter(points)), float(size)
        return self._noise[name]

    def is_noisy(self, name: str) -> bool:
        """Whether forward has less precision than float64."""
        scattered, size = self.noise(name)
        return scattered > NOISE * size

    # --------------------------------------------------------------------------------------------- agreement

    def limit(self, size: float) -> float:
        """How far a gradient of that size may be off."""
        relative, absolute = LIMITS[self.method]
        return relative * size + absolute * (1.0 + self.run.terms)

    def gap(self, gradient: Any, direction: Any, slope: float) -> tuple[float, float]:
        """How far a gradient is from the slope along a direction, and how far it may be."""
        terms = to_numpy(gradient * direction)
        along = float(terms.sum())
        terms *= terms
        return abs(along - slope), self.limit(float(terms.sum()) ** 0.5)

    def agrees(self, name: str, gradient: Any) -> bool:
        """Whether a gradient agrees with the derivative along two new directions."""
        for _ in range(2):
            direction = random_like(gradient, self.rng)
            gap, limit = self.gap(gradient, direction, self.slope(name, direction))
            if not gap <= 10.0 * limit:
                return False
        return True

    # ------------------------------------------------------------------------------ which method can be taken

    def _try_complex(self, directions: dict[str, Any]) -> str:
        """Fill `slopes` by the complex step.  Returns why it cannot be taken."""
        try:
            with warnings.catch_warnings():
                # A cast to real numbers would lose the derivative: as an error it is told by its name.
                warnings.filterwarnings("error", message="Casting complex values to real")
                self.slopes = {name: (along, self.slope(name, along)) for name, along in directions.items()}
            for name, (along, slope) in self.slopes.items():
                if not self._is_analytic(name, along, slope) and not self.is_noisy(name):
                    return f"the complex step does not see what central differences see of {name}"
        except NotAnalytic:
            return "it gives real numbers for complex ones"
        except Exception as error:  # whatever a forward that knows no complex numbers may raise
            return f"{type(error).__name__}: {error}"
        return ""

    def _is_analytic(self, name: str, direction: Any, slope: float) -> bool:
        """Whether the complex step sees what central differences see; else beside it, as it may be a kink."""
        if self._as_central(name, direction, slope):
            return True
        backend, arrays = self.subject.backend, [self.trial(m).arrays[name] for m in ("central", "complex")]
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
        """Whether central differences of one of three steps give that slope, to the digits that they have."""
        for stretch in (1.0, 1e2, 1e-1):
            central = self.slope(name, direction, "central", stretch * H_CENTRAL)
            noise = (1.0 + self.run.terms) * 1e-9 / min(stretch, 1.0)
            if abs(central - slope) <= 1e-6 * abs(central) + noise:
                return True
        return False

    def _by_moves(self, name: str) -> Any:
        """The derivative by every entry from what layers say of how their output moves.

        None where they say nothing, or not what the function itself does along a direction.
        """
        direction, slope = self.slopes[name]
        try:
            for stage in self.subject.stages(self.trial("central")):
                for own in (own for own, outside in stage.names.items() if outside == name):
                    gradient = gradient_by_moves(stage, own, self.method)
                    gap, limit = self.gap(gradient, direction, slope)
                    of_entries = LIMITS[self.method][1] * (1.0 + self.run.terms) * gradient.size**0.5
                    return gradient if gap <= 10.0 * (limit + of_entries) else None
        except Exception:  # a subclass need not keep to what its base class says of itself
            return None
        return None


def scatter(points: list[Any]) -> Any:
    """How far eight numbers, or host arrays, that follow each other scatter around a smooth curve.

    Fifth differences leave nothing of the curve, and of independent errors sqrt(252) times one.
    """
    for _ in range(5):
        points = [b - a for a, b in zip(points, points[1:], strict=False)]
    return (sum(point * point for point in points) / (252.0 * len(points))) ** 0.5


def entry(index: list[int]) -> Any:
    """The region of a single entry."""
    return tuple(slice(i, i + 1) for i in index) or ...
