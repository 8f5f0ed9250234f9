"""One array's gradient against the derivative: along a direction, at every entry, and where the fault lies.

What looks like a difference and is none is told apart here: rounding, where the gradient itself changes with
the last digit of its arguments, and kinks, where the slopes on the two sides differ.
"""

import warnings
from typing import Any

from backends import to_numpy
from backprop.moves import gradient_by_moves
from backprop.numerical_gradient import (
    H_CENTRAL,
    central_steps,
    directional_derivative,
    numerical_gradient,
    value_at,
)
from backprop.subjects import Subject, Trial, index_of, random_like

# Relative to the size of the gradient, and to that of the function's terms. Why the absolute part: where a
# gradient cancels to nearly nothing, as at the optimum, its own size is no measure for the rounding errors of
# the terms that it was summed from.
LIMITS = {"complex": (1e-12, 1e-14), "central": (1e-8, 2e-10)}
LAST_DIGIT = 2.0**-51
ROUNDING = 1e-6  # relative: more than the last digit of the arguments makes, but where they lie at a kink
NOISE = 1e-12  # relative scatter of values from which on forward counts as less precise than float64
DTYPES = {"complex": "complex128", "central": "float64"}


class Comparison:
    """Measures the derivative of a subject, and compares gradients with it."""

    def __init__(
        self, subject: Subject, gradients: dict[str, Any], method: str, trial: Trial | None = None
    ) -> None:
        self.subject, self.gradients, self.method, self.rng = subject, gradients, method, subject.rng
        self.slopes: dict[str, tuple[Any, float]] = {}  # by array: a random direction, the derivative along it
        self._trials = {} if trial is None else {"central": trial}
        self._nearby: list[dict[str, Any]] | None = None

    def measure(self) -> str:
        """Take `slopes`.  Returns why that took central differences, where it was not asked to."""
        arrays = self.trial("central").arrays
        directions = {name: random_like(to_numpy(array), self.rng) for name, array in arrays.items()}
        why = ""
        if self.method == "complex":
            why = self._try_complex(directions)
            if not why:
                return ""
            self.method = "central"
        self.slopes = {name: (along, self.slope(name, along)) for name, along in directions.items()}
        return why

    def _try_complex(self, directions: dict[str, Any]) -> str:
        """Take `slopes` by the complex step.  Returns why it cannot be taken."""
        try:
            with warnings.catch_warnings():  # a cast to real numbers loses the derivative: then told by its name
                warnings.filterwarnings("error", message="Casting complex values to real")
                self.slopes = {name: (along, self.slope(name, along)) for name, along in directions.items()}
            for name, (along, slope) in self.slopes.items():
                if not self._is_analytic(name, along, slope) and self.noise(name) < NOISE:
                    return f"the complex step does not see what central differences see of {name}"
        except Exception as error:  # whatever a forward that knows no complex numbers may raise
            return f"{type(error).__name__}: {error}"
        return ""

    # ------------------------------------------------------------------------------------------ derivatives

    def trial(self, method: str) -> Trial:
        """The copy on which derivatives by that method are taken."""
        if method not in self._trials:
            self._trials[method] = self.subject.trial(DTYPES[method])
        return self._trials[method]

    def slope(
        self, name: str, direction: Any, method: str = "", shrink: float = 1.0, region: Any = ...
    ) -> float:
        """The derivative along a direction of an array, or of a region of it.

        shrink: of the step of central differences.
        """
        method = method or self.method
        trial, array = self.trial(method), self.trial(method).arrays[name]
        h = shrink * float(central_steps(to_numpy(array)).max()) if method == "central" else H_CENTRAL
        return directional_derivative(
            lambda: self.subject.value(trial),
            array,
            self.subject.backend.asarray(direction),
            method=method,
            h=h,
            region=region,
        )

    def every_entry(self, name: str) -> Any:
        """The derivative by every entry, on the host.

        What a layer says of how its output moves must agree with the slope of the function, or is not taken.
        """
        direction, slope = self.slopes[name]
        real = self.trial("central")
        for stage in self.subject.stages(real):
            for own, outside in stage.names.items():
                if outside == name:
                    gradient = gradient_by_moves(stage, own, self.method)
                    gap, limit = self.gap(gradient, direction, slope)
                    if gap <= 10.0 * limit:
                        return gradient
        trial = self.trial(self.method)
        return to_numpy(
            numerical_gradient(
                lambda _: self.subject.value(trial), trial.arrays[name], method=self.method
            )
        )

    def at_entry(self, name: str, index: list[int]) -> float:
        """The derivative by one entry."""
        return self.slope(name, to_numpy(1.0), region=entry(index))

    # ------------------------------------------------------------------------------------------- agreement

    def limit(self, size: float) -> float:
        """How far a gradient of that size may be off."""
        relative, absolute = LIMITS[self.method]
        return relative * size + absolute * (1.0 + self.subject.terms)

    def agrees(self, name: str, gradient: Any, slack: float = 10.0) -> bool:
        """Whether a gradient agrees with the derivative along two new directions."""
        for _ in range(2):
            direction = random_like(gradient, self.rng)
            gap, limit = self.gap(gradient, direction, self.slope(name, direction))
            if not gap <= slack * limit:
                return False
        return True

    def gap(self, gradient: Any, direction: Any, slope: float) -> tuple[float, float]:
        """How far a gradient is from the slope along a direction, and how far it may be."""
        terms = gradient * direction
        return abs(float(terms.sum()) - slope), self.limit(float((terms * terms).sum()) ** 0.5)

    def rounding(self, name: str, direction: Any = None) -> Any:
        """How much the gradient changes with the last digit of its arguments: at each entry, or along a direction.

        Of a right backward, a difference of that size says nothing.
        """
        if self._nearby is None:
            self._nearby = self._gradients_nearby()
        changes = [nearby[name] - self.gradients[name] for nearby in self._nearby]
        if direction is not None:
            changes = [(change * direction).sum() for change in changes]
        return 8.0 * sum(abs(change) for change in changes)

    def _gradients_nearby(self) -> list[dict[str, Any]]:
        """The gradients where every argument has another last digit, to either side."""
        trial, nearby = self.trial("central"), []
        values = {name: to_numpy(array).copy() for name, array in trial.arrays.items()}
        try:
            for digit in (LAST_DIGIT, -LAST_DIGIT):
                for name, (direction, _) in self.slopes.items():
                    moved = values[name] * (1.0 + digit * direction)
                    trial.arrays[name][...] = self.subject.backend.asarray(moved)
                nearby.append(self.subject.run(trial).gradients)
        finally:
            for name, array in trial.arrays.items():
                array[...] = self.subject.backend.asarray(values[name])
        return nearby

    # ----------------------------------------------------------------------------------- where the fault is

    def at_other_steps(
        self, name: str, direction: Any, backward: float, limit: float, region: Any = ...
    ) -> tuple[float, float] | None:
        """The derivative by another step of central differences that agrees, and the limit there; else None.

        For functions that bend much within the step, or whose values carry more rounding than their size tells.
        """
        if self.method == "complex":
            return None
        noise = self.noise(name)
        for shrink in (1.0, 10.0, 0.1):
            slope = self.slope(name, direction, "central", shrink, region)
            allowed = limit + (4.0 * noise * (1.0 + self.subject.terms) / (H_CENTRAL * shrink) if noise < NOISE else 0.0)
            if abs(backward - slope) <= allowed:
                return slope, allowed
        return None

    def find(self, name: str, gradient: Any, direction: Any, slope: float) -> list[int]:
        """An entry at fault: by two good guesses, or else by bisection."""
        terms = gradient * direction
        gap = float(terms.sum()) - slope
        for guess in (self._largest(terms), self._pinpointed(name, terms, direction, gap)):
            off = abs(float(gradient[tuple(guess)]) - self.at_entry(name, guess))
            if not off <= self.limit(abs(float(gradient[tuple(guess)]))):
                return guess
        return self._bisected(name, terms, direction, gap)

    def _largest(self, terms: Any) -> list[int]:
        """The entry that counts most: wrong itself, where many are."""
        return index_of(int(abs(terms).argmax()), terms.shape)

    def _pinpointed(self, name: str, terms: Any, direction: Any, gap: float) -> list[int]:
        """The one entry at fault, if it is one: weights that grow from entry to entry tell which."""
        weights = to_numpy(self.subject.backend.arange(1, terms.size + 1)).reshape(terms.shape) / terms.size
        weighted = float((terms * weights).sum()) - self.slope(name, direction * weights)
        position = weighted / gap * terms.size - 1.0
        return index_of(round(min(max(position, 0.0), terms.size - 1.0)), terms.shape)

    def _bisected(self, name: str, terms: Any, direction: Any, gap: float) -> list[int]:
        """Along one axis after the other, the half that is off by more: one evaluation a halving."""
        region = [slice(0, size) for size in terms.shape]
        for axis, size in enumerate(terms.shape):
            start, stop = 0, size
            while stop - start > 1:
                middle = (start + stop) // 2
                region[axis] = slice(start, middle)
                part = tuple(region)
                half = float(terms[part].sum()) - self.slope(name, direction[part], region=part)
                if abs(half) >= abs(gap - half):
                    stop, gap = middle, half
                else:
                    start, gap = middle, gap - half
            region[axis] = slice(start, stop)
        return [part.start for part in region]

    def slopes_at_kink(self, name: str, index: list[int], backward: float) -> tuple[float, float] | None:
        """The slopes to the left and right of an entry where they differ and backward is one of them.

        Or lies between them, where the entry is at the kink itself. None where there is no kink or another
        gradient: then it is wrong.
        """
        left, right = self._one_sided(name, index)
        relative, absolute = LIMITS["central"]
        limit = relative * max(abs(left), abs(right)) + absolute * (1.0 + self.subject.terms)
        if not abs(right - left) > 10.0 * limit:
            return None
        if min(abs(backward - left), abs(backward - right)) <= limit:
            return left, right
        if not min(left, right) <= backward <= max(left, right):
            return None
        beside = self._one_sided(name, index, shrink=1e-2)
        return (left, right) if abs(beside[1] - beside[0]) > 0.5 * abs(right - left) else None

    def _one_sided(self, name: str, index: list[int], shrink: float = 1.0) -> tuple[float, float]:
        """The slopes on the left and on the right, each from three values."""
        trial = self.trial("central")
        array, unit = trial.arrays[name], self.subject.backend.asarray(1.0, "float64")
        h = shrink * H_CENTRAL * max(1.0, abs(float(array[tuple(index)])))

        def f(steps: float) -> float:
            value: float = value_at(lambda: self.subject.value(trial), array, unit, steps * h, entry(index))
            return value

        here = f(0.0)
        left = (3.0 * here - 4.0 * f(-1.0) + f(-2.0)) / (2.0 * h)
        return left, (4.0 * f(1.0) - f(2.0) - 3.0 * here) / (2.0 * h)

    # ------------------------------------------------------------------------------------ the function itself

    def _is_analytic(self, name: str, direction: Any, slope: float) -> bool:
        """Whether the complex step sees what central differences see; at a kink neither says it, so beside it."""
        if self._as_central(name, direction, slope):
            return True
        array = self.trial("complex").arrays[name]
        real = self.trial("central").arrays[name]
        before, before_real = to_numpy(array).copy(), to_numpy(real).copy()
        beside = before_real + 0.01 * (1.0 + abs(before_real)) * random_like(before_real, self.rng)
        try:
            array[...] = self.subject.backend.asarray(beside + 0j)
            real[...] = self.subject.backend.asarray(beside)
            return self._as_central(name, direction, self.slope(name, direction, "complex"))
        finally:
            array[...] = self.subject.backend.asarray(before)
            real[...] = self.subject.backend.asarray(before_real)

    def _as_central(self, name: str, direction: Any, slope: float) -> bool:
        """Whether central differences of one of three steps give that slope, to the digits that they have."""
        for shrink in (1.0, 1e-1, 1e-2):
            central = self.slope(name, direction, "central", shrink)
            noise = (1.0 + self.subject.terms) * 1e-9 / shrink
            if abs(central - slope) <= 1e-4 * abs(central) + noise:
                return True
        return False

    def noise(self, name: str) -> float:
        """How far values scatter around a smooth curve, relative to their terms: 1e-16 in float64."""
        trial = self.trial("central")
        array = trial.arrays[name]
        values = to_numpy(array)
        direction = self.subject.backend.asarray(random_like(values, self.rng) * (1e-3 + abs(values)))
        points = [
            value_at(lambda: self.subject.value(trial), array, direction, k * 3e-8) for k in range(6)
        ]
        # third differences: what is left of a smooth function is nothing, of independent errors sqrt(20) times one
        windows = zip(points, points[1:], points[2:], points[3:], strict=False)
        scatter = max(abs(d - 3.0 * c + 3.0 * b - a) for a, b, c, d in windows) / 20.0**0.5
        return float(scatter / (1e-300 + self.subject.terms + abs(points[0])))


def entry(index: list[int]) -> Any:
    """The region of a single entry."""
    return tuple(slice(i, i + 1) for i in index) or ...
