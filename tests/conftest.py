"""Fixtures of all tests, which run on one BLAS thread.

On a busy machine, threads of a BLAS pool busy-wait for each other, and small products take up to a hundred
times as long.
"""

import os
from collections import Counter

# A user may have set these for other work.
os.environ.pop("BACKPROP_BACKEND", None)
os.environ.pop("BACKPROP_DTYPE", None)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is first imported

import pytest

from backends import register
from backends.testing import backend, pytest_runtest_makereport

__all__ = ["backend", "pytest_addoption", "pytest_configure", "pytest_runtest_makereport"]
__all__ += ["pytest_terminal_summary"]


def pytest_addoption(parser):
    text = "run the tests marked gpu without a GPU, on an emulated CuPy"
    parser.addoption("--emulated-gpu", action="store_true", help=text)


def pytest_configure(config):
    if config.getoption("--emulated-gpu"):
        from emulated_cupy import emulated_backend

        register(emulated_backend(pytest.MonkeyPatch()))


def pytest_terminal_summary(terminalreporter):
    """Print each reason for skipping once, with the number of tests."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[-1].removeprefix("Skipped: ") for report in reports)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} skipped: {reason}")
