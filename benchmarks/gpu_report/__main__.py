"""The report as a command: `python -m benchmarks.gpu_report --mnist DIR --json FILE`; see --help."""

import sys
import time

if __name__ == "__main__":
    started = time.monotonic()  # the budget includes the imports
    from benchmarks.gpu_report.command import main

    sys.exit(main(started=started))
