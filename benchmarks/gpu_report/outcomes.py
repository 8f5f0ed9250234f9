"""A plugin of pytest that writes down how each test came out as it ends, also where xdist runs them."""

from typing import Any

import pytest

from benchmarks.gpu_report.rows import Recorder

WORST = ("passed", "skipped", "failed")
LONGEST = 2000  # characters of a failure's text that are kept, the last


class Outcomes:
    """A row for the number of tests, for each that begins, and for each that has ended, of one unit."""

    def __init__(self, record: Recorder, unit: str) -> None:
        self.record, self.unit = record, unit
        self.outcome: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.collected: int | None = None

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.record("not collected", report.nodeid or self.unit, unit=self.unit, text=_text(report))

    def pytest_collection_finish(self, session: Any) -> None:
        self._collected(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Any) -> None:
        self._collected(len(ids))  # each worker collects all of them

    def _collected(self, count: int) -> None:
        if self.collected is None:
            self.collected = count
            self.record("collected", self.unit, unit=self.unit, count=count)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.record("test begun", nodeid, unit=self.unit)

    def pytest_runtest_logreport(self, report: Any) -> None:
        name = report.nodeid
        self.outcome[name] = max(self.outcome.get(name, "passed"), report.outcome, key=WORST.index)
        if report.failed:
            self.texts[name] = f"{self.texts.get(name, '')}\n{_text(report)}".strip()
        if report.when not in ("setup", "call"):  # "teardown", or "???" of a worker that crashed
            text = {"text": self.texts[name]} if name in self.texts else {}
            self.record("test", name, unit=self.unit, outcome=self.outcome[name], **text)


def _text(report: Any) -> str:
    text = str(report.longreprtext).strip()
    return text if len(text) <= LONGEST else "…" + text[-LONGEST:]
