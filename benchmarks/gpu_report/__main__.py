"""The report as a command: `python -m benchmarks.gpu_report --mnist DIR --json FILE`; see --help."""

import sys

from benchmarks.gpu_report.command import main

if __name__ == "__main__":
    sys.exit(main())
