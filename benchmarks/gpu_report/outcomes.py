"""A pytest plugin that records the outcome of each test as it ends, also under xdist."""

from typing import Any

import pytest

from benchmarks.gpu_report.rows import Recorder

WORST = ("passed", "skipped", "failed")
LONGEST = 2000  # last characters of a failure's text that are kept


class Outcomes:
    """Rows for one unit of tests: their number, each test that begins, and each that has ended."""

    def __init__(self, record: Recorder, unit: str) -> None:
        self.record, self.unit = record, unit
        self.ended: dict[str, dict[str, Any]] = {}  # the rows so far
        self.collected: int | None = None

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.record("not collected", report.nodeid or self.unit, unit=self.unit, text=_text(report))

    def pytest_collection_finish(self, session: Any) -> None:
        self._collected(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Any) -> None:
        self._collected(len(ids))  # each worker collects all tests

    def _collected(self, count: int) -> None:
        if self.collected is None:
            self.collected = count
            self.record("collected", self.unit, unit=self.unit, count=count)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.record("test begun", nodeid, unit=self.unit)

    def pytest_runtest_logreport(self, report: Any) -> None:
        row = self.ended.setdefault(report.nodeid, {"outcome": "passed", "seconds": 0.0})
        row["outcome"] = max(row["outcome"], report.outcome, key=WORST.index)
        row["seconds"] += report.duration
        if report.failed:
            row["text"] = f"{row.get('text', '')}\n{_text(report)}".strip()
        if report.skipped:
            row["reason"] = _reason(report)
        if report.when not in ("setup", "call"):  # "teardown", or "???" of a worker that crashed
            self.record("test", report.nodeid, unit=self.unit, **row)


class Counts:
    """Rows with the number of tests per file. A file that cannot be collected counts as one test to run."""

    def __init__(self, record: Recorder, unit: str) -> None:
        self.record, self.unit = record, unit
        self.files: dict[str, int] = {}
        self.broken: list[str] = []

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.broken.append(report.nodeid.partition("::")[0])

    def pytest_collection_finish(self, session: Any) -> None:
        for file in [
            *(item.path for item in session.items),
            *(session.config.rootpath / name for name in self.broken),
        ]:
            self.files[str(file)] = self.files.get(str(file), 0) + 1
        self.record("counted", self.unit, files=self.files)


def _text(report: Any) -> str:
    text = str(report.longreprtext).strip()
    return text if len(text) <= LONGEST else "…" + text[-LONGEST:]


def _reason(report: Any) -> str:
    """Return the reason for a skip or an expected failure; pytest keeps the first after file and line."""
    if hasattr(report, "wasxfail"):
        return f"expected to fail: {report.wasxfail}"
    return str(report.longrepr[-1]).removeprefix("Skipped: ")
