"""The library's own tests on the GPU, each recorded as it ends: those that time cuts off are known."""

import os
from typing import Any

from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.job import CHECKOUT

WORST = ("passed", "skipped", "failed")


class Outcomes:
    """A plugin of pytest: a row for the number of tests, for each that begins and for each that has ended."""

    def __init__(self, record: Recorder) -> None:
        self.record = record
        self.outcome: dict[str, str] = {}

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.record("test", report.nodeid or "collection", outcome="failed")

    def pytest_collection_finish(self, session: Any) -> None:
        self.record("tests", "collected", count=len(session.items))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.outcome[nodeid] = "passed"
        self.record("test begun", nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.outcome[report.nodeid] = max(self.outcome[report.nodeid], report.outcome, key=WORST.index)
        if report.when == "teardown":
            self.record("test", report.nodeid, outcome=self.outcome[report.nodeid])


def measure(record: Recorder, settings: Settings) -> None:
    with record.attempt("tests", "pytest"):
        import pytest

        os.chdir(CHECKOUT)
        if settings.device == "cuda":
            os.environ["BACKPROP_REQUIRE_GPU"] = "1"  # none of them may pass by being skipped
        if settings.mnist:
            os.environ["BACKPROP_DATA_DIR"] = settings.mnist
        options = ["-q", "-p", "no:cacheprovider", *settings.tests]
        status = pytest.main(options, plugins=[Outcomes(record)])
        record("tests", "ended", status=int(status))
