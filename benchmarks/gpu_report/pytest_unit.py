"""pytest on one unit of tests: `python -m benchmarks.gpu_report.pytest_unit FILE GROUP UNIT OPTION…`."""

import sys
from pathlib import Path

import pytest

from benchmarks.gpu_report.outcomes import Counts, Outcomes
from benchmarks.gpu_report.rows import Recorder

if __name__ == "__main__":
    path, group, unit, *options = sys.argv[1:]
    plugin = Counts if "--collect-only" in options else Outcomes
    sys.exit(pytest.main([*options, unit], plugins=[plugin(Recorder(Path(path), group), unit)]))
