"""The command line: options in, exit code out. 0: it ran, 1: something is wrong, 2: wrong call, 3: no GPU."""

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.gpu_report.document import NotWritten
from benchmarks.gpu_report.endurance import lasting_output, signals_as_exits
from benchmarks.gpu_report.groups import AFTERWARDS, GROUPS, chosen
from benchmarks.gpu_report.probe import Unusable
from benchmarks.gpu_report.settings import BUDGET, REHEARSAL, Settings
from benchmarks.gpu_report.visit import visit


def main(arguments: Sequence[str] | None = None, started: float | None = None) -> int:
    """Run the report and return its exit code.  started: start of the budget, by `time.monotonic`."""
    started = time.monotonic() if started is None else started
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        groups = chosen("smoke" if asked.smoke else asked.groups, asked.rehearse)
    except ValueError as error:
        parser.error(str(error))
    settings = REHEARSAL if asked.rehearse else Settings()
    if asked.mnist is not None:
        settings = replace(settings, mnist=str(asked.mnist.resolve()))
    with lasting_output(), signals_as_exits():
        try:
            return visit(groups, settings, asked.budget, started, asked.json)
        except (Unusable, NotWritten) as error:
            print(f"gpu_report: {error}", file=sys.stderr)
            return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_report", description=__doc__)
    mnist = os.environ.get("BACKPROP_DATA_DIR") or None
    parser.add_argument(
        "--mnist",
        type=Path,
        default=mnist,
        metavar="DIR",
        help="the folder of its four files; random images without",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write everything there, as it is measured"
    )
    parser.add_argument(
        "--budget", type=seconds, default=BUDGET, metavar="SECONDS", help="for all groups (%(default)s)"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--smoke", action="store_true", help="only the group smoke: does it work at all?")
    some = f"only these of {', '.join(GROUPS)} (all but {' and '.join(AFTERWARDS)})"
    which.add_argument("--groups", metavar="A,B", help=some)
    parser.add_argument("--rehearse", action="store_true", help="on the CPU and small: does all of it run?")
    return parser


def seconds(text: str) -> float:
    """Return a positive, finite number of seconds. Raises ValueError, as argparse expects, for others."""
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError
    return value
