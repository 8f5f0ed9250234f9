"""The result of a gradient check: as a table, as a dict for JSON and as an assertion."""

from dataclasses import asdict, dataclass, field
from textwrap import fill
from typing import Any

from backprop.reporting.tables import table

METHODS = {"complex": "the complex step", "central": "central differences"}
MODES = {"fast": "along a random direction", "full": "every entry"}
PASSING = ("ok", "kink")


@dataclass
class Verdict:
    """kind: what is wrong, in two or three words; why: how that is known, in a sentence."""

    kind: str
    why: str = ""


@dataclass
class ArrayCheck:
    """One array's comparison.

    mean_difference, max_difference: over the entries compared; backward, numerical: of the worst one, which
    is at `index`.  If `index` is None, all are of the derivative along one random direction.  NaN where
    nothing was compared.
    verdict: "ok", "kink" (backward is one of the two slopes there, or between them if the entry is at the
    kink itself; such entries count as no difference) or what is wrong; why: how that is known.
    """

    name: str
    entries: int
    mean_difference: float
    max_difference: float
    limit: float
    index: list[int] | None
    backward: float
    numerical: float
    verdict: str
    why: str = ""

    @property
    def ok(self) -> bool:
        """True if the gradient is right."""
        return self.verdict in PASSING

    def __str__(self) -> str:
        numbers = f"backward {self.backward:.10g}, numerical {self.numerical:.10g}"
        place = " along a random direction" if self.index is None else str(self.index or "")
        compared = self.limit == self.limit and self.verdict != "kink"
        reason = self.verdict + f": {self.why or 'by none of the known causes'}"
        return f"{self.name}{place}: {numbers}; {reason}" if compared else f"{self.name}: {reason}"


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

    def assert_ok(self) -> None:
        """Raise AssertionError with the table and the verdicts unless all is right; for use in tests."""
        if not self.ok:
            raise AssertionError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dict for JSON."""
        arrays = [{**asdict(array), "ok": array.ok} for array in self.arrays]
        for array in arrays:
            array |= {key: None for key, value in array.items() if value != value}  # JSON has no NaN
        return {**asdict(self), "arrays": arrays, "ok": self.ok}

    def __str__(self) -> str:
        header = ["array", "entries", "mean |diff|", "max |diff|", "limit", ""]
        rows = []
        for array in self.arrays:
            numbers = (array.mean_difference, array.max_difference, array.limit)
            digits = ["-" if number != number else f"{number:.1e}" for number in numbers]
            word = {"not compared": "-"}.get(array.verdict, "ok" if array.ok else "WRONG")
            rows.append([array.name, array.entries, *digits, word])
        title = f"{self.subject}: backward against {METHODS[self.method]}, {MODES[self.mode]}"
        notes = [f"no complex step, since forward is not analytic: {self.note}"] if self.note else []
        notes += [f"{self.subject}: {fault.kind}: {fault.why}" for fault in self.faults]
        notes += [str(array) for array in self.arrays if array.verdict not in ("ok", "not compared")]
        notes += ["all gradients agree"] if self.ok else []
        lines = [fill(note, 80, subsequent_indent="  ", break_long_words=False) for note in notes]
        return "\n".join([title, table(header, rows), *lines])

    __repr__ = __str__
