"""A summary of the library's tests on the GPU, from the rows of the pytest plugin."""

from collections import Counter
from collections.abc import Iterator
from textwrap import shorten
from typing import NamedTuple

from benchmarks.gpu_report.processes import DONE
from benchmarks.gpu_report.rows import Rows, found

IN_FULL, NAMED = 20, 100  # failures printed with their text, and by name only
NONE = 5  # pytest's exit status if there was no test


class Tests(NamedTuple):
    """The outcome of the tests.

    collected: their number, or None if collecting failed.  failed: texts of failures by test name.
    unfinished: number of tests that were collected and did not end.  running: names of those that had begun.
    units: endings of the units that did not end normally.  reasons: number of skips for each reason.
    """

    collected: int | None
    passed: int
    skipped: int
    failed: dict[str, str]
    unfinished: int
    running: list[str]
    units: dict[str, str]
    reasons: dict[str, int]

    def counts(self) -> str:
        if self.collected is None and not self.failed:
            return "did not run"
        words = f"{self.passed} passed, {len(self.failed)} failed, {self.skipped} skipped"
        return words + f", {self.unfinished} not finished"

    def in_words(self) -> str:
        return "\n".join([self.counts(), *self._details()])

    def _details(self) -> Iterator[str]:
        for unit, how in self.units.items():
            yield f"  {unit}: {how}"
        for name in self.running:
            yield f"  not finished: {name}"
        for reason, count in self.reasons.items():
            yield f"  skipped, {count}: {shorten(reason, 160)}"
        for i, (name, text) in enumerate(list(self.failed.items())[:NAMED]):
            yield f"  failed: {name}"
            if i < IN_FULL:
                yield from (f"    {line}" for line in text.splitlines())
        if len(self.failed) > IN_FULL:
            yield f"  the first {IN_FULL} of {len(self.failed)} have their texts; the JSON has those of all"


def summary(rows: Rows) -> Tests:
    counts = [row["count"] for row in found(rows, "collected")]
    ended = {(row["unit"], row["name"]): row for row in found(rows, "test")}
    begun = [row for row in found(rows, "test begun") if (row["unit"], row["name"]) not in ended]
    outcomes = [row["outcome"] for row in ended.values()]
    failed = [row for row in ended.values() if row["outcome"] == "failed"] + found(rows, "not collected")
    return Tests(
        collected=sum(counts) if counts else None,
        passed=outcomes.count("passed"),
        skipped=outcomes.count("skipped"),
        failed={row["name"]: row.get("text", "") for row in failed},
        unfinished=max(0, sum(counts) - len(ended)),
        running=[row["name"] for row in begun],
        units={
            row["name"]: row["how"]
            for row in found(rows, "unit")
            if row["how"] != DONE and row.get("status") != NONE
        },
        reasons=dict(Counter(row["reason"] for row in ended.values() if "reason" in row).most_common()),
    )


def went_wrong(rows: Rows, tests: Tests) -> bool:
    """Return whether a test or its process failed or did not end, or whether there was no test at all."""
    units = found(rows, "unit")
    none = bool(units) and not tests.collected and not tests.units
    return bool(tests.failed or tests.unfinished or tests.units) or none
