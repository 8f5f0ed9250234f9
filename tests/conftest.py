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

from backends.testing import backend, pytest_runtest_makereport

__all__ = ["backend", "pytest_runtest_makereport", "pytest_terminal_summary"]


def pytest_terminal_summary(terminalreporter):
    """Print each reason for skipping once, with the number of tests."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[-1].removeprefix("Skipped: ") for report in reports)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} skipped: {reason}")
