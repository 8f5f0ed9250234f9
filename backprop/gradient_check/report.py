"""The result of a gradient check: as text, as a dict for JSON and as an assertion."""

from dataclasses import asdict, dataclass, field, replace
from math import isfinite, prod
from typing import Any

from backprop.gradient_check.fast import Along

METHODS = {"complex": "the complex step", "central": "central differences"}
MODES = {"fast": "along a random direction", "full": "every entry"}
PASSING = ("ok", "ok, other shape", "ok, ignores dout", "ok to single precision", "kink", "zero")
WITHOUT_NUMBERS = ("ties", "cannot tell")  # those of one entry say nothing
NAN = float("nan")


@dataclass
class Verdict:
    """kind: what is wrong, in two or three words; why: how that is known, in a sentence."""

    kind: str
    why: str = ""


@dataclass
class ArrayCheck:
    """One array's comparison.

    size: of the gradient, against which the limit is small: that of the largest entry, or of the root of the
    sum of squares along a direction.
    mean_difference, max_difference: over the entries compared; backward, numerical: of the worst one, which
    is at `index`.  If `index` is None, all are of the derivative along one random direction.  NaN where
    nothing was compared.
    verdict: "ok"; "zero" (both sides are nothing but rounding); "kink" (backward is one of the two slopes
    there, or between them if the entry is at the kink itself; such entries count as no difference); "ok to
    single precision"; "ok, other shape" (of a parameter, whose shape it takes on by broadcasting); "ok,
    ignores dout" (of a loss, right as the last of a chain); "cannot tell", which is not ok; or what is wrong.
    why: how that is known.
    """

    name: str
    entries: int
    size: float
    mean_difference: float
    max_difference: float
    limit: float
    index: list[int] | None
    backward: float
    numerical: float
    verdict: str
    why: str = ""

    @classmethod
    def without_numbers(cls, name: str, array: Any, verdict: Verdict) -> "ArrayCheck":
        """Return the row of an array that was not compared."""
        size = prod(array.shape)
        return cls(name, size, NAN, NAN, NAN, NAN, None, NAN, NAN, verdict.kind, verdict.why)

    @classmethod
    def along(cls, name: str, gradient: Any, along: Along, limit: float, verdict: Verdict) -> "ArrayCheck":
        """Return the row of an array that was compared along a direction."""
        gap = abs(along.backward - along.derivative)
        numbers = along.size, gap, gap, limit, None, along.backward, along.derivative
        return cls(name, gradient.size, *numbers, verdict.kind, verdict.why)

    @classmethod
    def at(cls, name: str, gradient: Any, index: list[int], derivative: float, limit: float) -> "ArrayCheck":
        """Return the row of an array that is wrong at an entry."""
        backward = float(gradient[tuple(index)])
        gap = abs(backward - derivative)
        numbers = abs(derivative), gap, gap, limit, index, backward, derivative
        return cls(name, gradient.size, *numbers, "wrong")

    def with_verdict(self, verdict: Verdict) -> "ArrayCheck":
        """Return the row with another verdict."""
        return replace(self, verdict=verdict.kind, why=verdict.why)

    @property
    def ok(self) -> bool:
        """True if the gradient is right."""
        return self.verdict in PASSING

    def __str__(self) -> str:
        if self.ok or self.verdict in WITHOUT_NUMBERS or self.limit != self.limit:
            return f"{self.name}: {self.verdict}: {self.why}"
        place = " along a random direction" if self.index is None else str(self.index or "")
        numbers = f"backward {self.backward:.10g}, numerical {self.numerical:.10g}"
        return f"{self.name}{place}: {numbers}; {self.verdict}: {self.why or 'by none of the known causes'}"


@dataclass(repr=False)
class GradientReport:
    """The result of `check_gradients`: one ArrayCheck for each parameter and for the input, "x".

    faults: verdicts on the object as a whole, or on a layer in it.  method: the one that was used; note: why,
    if another was asked for.
    """

    subject: str
    method: str
    mode: str
    arrays: list[ArrayCheck]
    faults: list[Verdict] = field(default_factory=list)
    note: str = ""

    @property
    def ok(self) -> bool:
        """True if every gradient is right and there are no faults."""
        return not self.faults and bool(self.arrays) and all(array.ok for array in self.arrays)

    def __bool__(self) -> bool:
        return self.ok

    def assert_ok(self) -> None:
        """Raise AssertionError with the table and the verdicts unless all is right; for use in tests."""
        if not self.ok:
            raise AssertionError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dict for JSON."""
        arrays = [{**asdict(array), "ok": array.ok} for array in self.arrays]
        return {**asdict(self), "arrays": [*map(_for_json, arrays)], "ok": self.ok}

    def __str__(self) -> str:
        from backprop.gradient_check.screen import shown  # not loaded where nobody reads it

        return shown(self)

    __repr__ = __str__


def _for_json(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with None for numbers that JSON does not have."""
    missing = [key for key, each in row.items() if isinstance(each, float) and not isfinite(each)]
    return row | dict.fromkeys(missing)
