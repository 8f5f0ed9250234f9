"""Fixtures of all benchmarks."""

from backends.testing import backend, pytest_runtest_makereport

__all__ = ["backend", "pytest_runtest_makereport"]
