"""What a gradient check found, as a table, as JSON's terms and as an assertion."""

from dataclasses import asdict, dataclass
from typing import Any

from backprop.tables import table

METHODS = {"complex": "the complex step", "central": "central differences"}
MODES = {"fast": "one direction an array", "full": "every entry"}


@dataclass
class ArrayCheck:
    """One array's comparison.

    mode "full": mean and max_difference are over all entries; `index` is the worst one, and backward and
    numerical are its two values.
    mode "fast": they are of the derivative along one random direction, and `index` is None.
    """

    name: str
    entries: int
    mean_difference: float
    max_difference: float
    limit: float
    index: list[int] | None
    backward: float
    numerical: float
    why: str = ""  # why nothing could be compared, where nothing could

    @property
    def ok(self) -> bool:
        """Whether the difference is within the limit; what is no number is not."""
        return self.max_difference <= self.limit

    def __str__(self) -> str:
        if self.why:
            return f"{self.name}: {self.why}"
        place = " along a random direction" if self.index is None else str(self.index)
        return f"{self.name}{place}: backward {self.backward:.10g}, numerical {self.numerical:.10g}"


@dataclass(repr=False)
class GradientReport:
    """What `check_gradients` found: one ArrayCheck for each parameter and one for the input, "x"."""

    subject: str
    method: str
    mode: str
    arrays: list[ArrayCheck]

    @property
    def ok(self) -> bool:
        """Whether every array agrees within its limit."""
        return all(array.ok for array in self.arrays)

    def assert_ok(self) -> None:
        """Raise AssertionError with the table unless every array agrees; for anyone's tests."""
        if not self.ok:
            raise AssertionError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """The report in JSON's terms."""
        arrays = [{**asdict(array), "ok": array.ok} for array in self.arrays]
        return {**asdict(self), "arrays": arrays, "ok": self.ok}

    def __str__(self) -> str:
        header = ["array", "entries", "mean |diff|", "max |diff|", "limit", ""]
        numbers = [[a.mean_difference, a.max_difference, a.limit] for a in self.arrays]
        rows = [
            [a.name, a.entries, *(f"{number:.1e}" for number in row), "ok" if a.ok else "WRONG"]
            for a, row in zip(self.arrays, numbers, strict=True)
        ]
        title = f"{self.subject}: backward against {METHODS[self.method]}, {MODES[self.mode]}"
        faults = [str(array) for array in self.arrays if not array.ok]
        return "\n".join([title, table(header, rows), *(faults or ["all gradients agree"])])

    __repr__ = __str__
