"""How the library's tests on the GPU came out, from the rows of the plugin that watched them."""

from typing import NamedTuple

from benchmarks.gpu_report.rows import Rows, found


class Tests(NamedTuple):
    """collected: how many there were; None where it did not get there.  running: where the process ended."""

    collected: int | None
    passed: int
    skipped: int
    failed: list[str]
    running: list[str]

    @property
    def unfinished(self) -> int:
        return max(0, (self.collected or 0) - self.passed - self.skipped - len(self.failed))

    def in_words(self) -> str:
        if self.collected is None and not self.failed:
            return "did not run"
        words = f"{self.passed} passed, {len(self.failed)} failed, {self.skipped} skipped"
        words += f", {self.unfinished} not finished" + "".join(f" (in {name})" for name in self.running)
        return words + "".join(f"\n  failed: {name}" for name in self.failed)


def summary(rows: Rows) -> Tests:
    counts = [row["count"] for row in found(rows, "tests", "collected")]
    outcomes = {row["name"]: row["outcome"] for row in found(rows, "test")}
    begun = [row["name"] for row in found(rows, "test begun") if row["name"] not in outcomes]
    by = {
        outcome: [name for name, its in outcomes.items() if its == outcome] for outcome in outcomes.values()
    }
    return Tests(
        counts[0] if counts else None,
        len(by.get("passed", [])),
        len(by.get("skipped", [])),
        by.get("failed", []),
        begun,
    )


def went_wrong(rows: Rows, tests: Tests) -> bool:
    """A test failed, or there was none to run."""
    statuses = [row["status"] for row in found(rows, "tests", "ended")]
    return bool(tests.failed) or any(statuses)
