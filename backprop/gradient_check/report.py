"""The result of a gradient check, as text, as a dict for JSON, and as an assertion."""

from dataclasses import asdict, dataclass, field, replace
from math import isfinite, prod
from typing import Any

from backprop.gradient_check.fast import Along

METHODS = {"complex": "the complex step", "central": "central differences"}
MODES = {"fast": "along a random direction", "full": "every entry"}
PASSING = ("ok", "ok, other shape", "ok, ignores dout", "ok to single precision", "kink", "zero")
WITHOUT_NUMBERS = ("ties", "cannot tell")  # the numbers of a single entry would mislead
NAN = float("nan")


@dataclass
class Verdict:
    """A finding of the check.

    Attributes
    ----------
    kind : str
        The finding in two or three words, such as "constant factor".
    why : str
        The evidence and, if there is one, the cure, in a sentence.
    """

    kind: str
    why: str = ""


@dataclass
class ArrayCheck:
    """The comparison of one array: its verdict and the numbers behind it.

    Numbers are NaN if nothing was compared.

    Attributes
    ----------
    name : str
        The array's name in the object.
    entries : int
        The number of entries.
    size : float
        The size of the gradient, to which the limit is relative: its largest entry or, along a direction,
        the root of the sum of squared terms.
    mean_difference, max_difference : float
        The absolute difference over the compared entries.
    limit : float
        The largest difference allowed.
    index : list of int or None
        The worst entry. None if backward and derivative were compared along one random direction.
    backward, numerical : float
        The two values at `index`, or along the direction.
    verdict : str
        "ok", or another verdict that passes: "zero" (both sides are 0 but for rounding), "kink" (backward is
        one of the two slopes, or between them if the entry is at the kink itself; such entries count as no
        difference), "ok to single precision", "ok, other shape" (a parameter's gradient that broadcasts to
        its shape), "ok, ignores dout" (a loss that is right at the end of a chain). Otherwise "cannot tell",
        which is not ok, or the fault.
    why : str
        The evidence for the verdict.
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
        """Return the row of an array that was not compared.

        Parameters
        ----------
        name : str
        array : array
            The array itself, for its number of entries.
        verdict : Verdict
        """
        size = prod(array.shape)
        return cls(name, size, NAN, NAN, NAN, NAN, None, NAN, NAN, verdict.kind, verdict.why)

    @classmethod
    def along(cls, name: str, gradient: Any, along: Along, limit: float, verdict: Verdict) -> "ArrayCheck":
        """Return the row of an array that was compared along a direction.

        Parameters
        ----------
        name : str
        gradient : array
            Backward's gradient, on the host.
        along : Along
            The two components along the direction.
        limit : float
            The largest difference allowed.
        verdict : Verdict
        """
        gap = abs(along.backward - along.derivative)
        numbers = along.size, gap, gap, limit, None, along.backward, along.derivative
        return cls(name, gradient.size, *numbers, verdict.kind, verdict.why)

    @classmethod
    def at(cls, name: str, gradient: Any, index: list[int], derivative: float, limit: float) -> "ArrayCheck":
        """Return the row of an array that is wrong at an entry.

        Parameters
        ----------
        name : str
        gradient : array
            Backward's gradient, on the host.
        index : list of int
            The entry.
        derivative : float
            The numerical derivative there.
        limit : float
            The largest difference allowed.
        """
        backward = float(gradient[tuple(index)])
        gap = abs(backward - derivative)
        numbers = abs(derivative), gap, gap, limit, index, backward, derivative
        return cls(name, gradient.size, *numbers, "wrong")

    def with_verdict(self, verdict: Verdict) -> "ArrayCheck":
        """Return the row with another verdict."""
        return replace(self, verdict=verdict.kind, why=verdict.why)

    @property
    def ok(self) -> bool:
        """True if the verdict passes."""
        return self.verdict in PASSING

    def __str__(self) -> str:
        if self.ok or self.verdict in WITHOUT_NUMBERS or self.limit != self.limit:
            return f"{self.name}: {self.verdict}: {self.why}"
        place = " along a random direction" if self.index is None else str(self.index or "")
        numbers = f"backward {self.backward:.10g}, numerical {self.numerical:.10g}"
        return f"{self.name}{place}: {numbers}; {self.verdict}: {self.why or 'no known cause explains it'}"


@dataclass(repr=False)
class GradientReport:
    """The result of `check_gradients`: true if every gradient is right, and printed as a table.

    Attributes
    ----------
    subject : str
        The name of the object's class, or of the function.
    method : {"complex", "central"}
        The method that was used.
    mode : {"fast", "full"}
        One random direction per array, or every entry.
    arrays : list of ArrayCheck
        One for each parameter and differentiated input; "x" is the first input.
    faults : list of Verdict
        Verdicts on the object as a whole, or on a layer in it.
    note : str
        The reason if the method is not the requested one.
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
        """Raise AssertionError with the table and the verdicts unless the report is ok; for use in tests."""
        if not self.ok:
            raise AssertionError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dict for JSON."""
        arrays = [{**asdict(array), "ok": array.ok} for array in self.arrays]
        return {**asdict(self), "arrays": [*map(_for_json, arrays)], "ok": self.ok}

    def __str__(self) -> str:
        from backprop.gradient_check.screen import shown  # imported only when printed

        return shown(self)

    __repr__ = __str__


def _for_json(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with None in place of NaN and infinities, which JSON lacks."""
    missing = [key for key, each in row.items() if isinstance(each, float) and not isfinite(each)]
    return row | dict.fromkeys(missing)
