"""The command: it measures, prints the tables, and exits with 1 if a target is missed."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from backprop.reporting.files import reserve, write
from backprop.reporting.tables import table
from benchmarks.convolution.report import markdown
from benchmarks.peers.command import machine
from benchmarks.peers.report import WANTED_HEADER, line_rows
from benchmarks.ranks import report
from benchmarks.ranks.launch import why_not
from benchmarks.ranks.measure import CASES, TOLERANCE, agreement, compute, means, steps


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ranks", description="Time several processes.")
    parser.add_argument("--ranks", type=int, nargs="+", default=[2], metavar="K", help="beside one (2)")
    parser.add_argument("--rounds", type=int, default=5, help="turns (%(default)s)")
    parser.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    chosen = parser.parse_args(arguments)
    if min(chosen.ranks) < 2 or chosen.rounds < 1:
        parser.error("--ranks: at least 2, --rounds: at least 1")
    if wrong := [f"K = {each}" for each in chosen.ranks if any(batch % each for _, batch in CASES)]:
        parser.error(f"--ranks: the batches {[batch for _, batch in CASES]} have no equal shares: {wrong}")
    if reason := why_not():
        parser.error(reason)
    if chosen.json:
        try:
            reserve(chosen.json)
        except OSError as error:
            parser.error(f"--json: {chosen.json}: {error.strerror}")
    loads = [f"{os.getloadavg()[0]:.1f}"]
    worst = max(agreement(each, *case) for each in chosen.ranks for case in CASES)
    print(f"the first losses of all runs agree to {worst:.0e} (allowed: {TOLERANCE:.0e})", flush=True)
    timed = [each for case in CASES for each in steps(chosen.ranks, *case, chosen.rounds)]
    taken = [each for count in chosen.ranks for each in means(count, chosen.rounds)]
    points, lines = compute(chosen.rounds), report.lines(timed, taken)
    loads.append(f"{os.getloadavg()[0]:.1f}")
    form: Callable[..., str] = markdown if chosen.markdown else table
    for header, rows in (
        (report.STEP_HEADER, report.step_rows(timed)),
        (report.MEAN_HEADER, report.mean_rows(taken)),
        (WANTED_HEADER, line_rows(lines)),
    ):
        print(f"\n{form(header, rows)}", flush=True)
    facts = {**machine(), "load before and after": loads}
    print("\n" + ", ".join(f"{name} {value}" for name, value in facts.items()))
    if chosen.json:
        wanted = [line._asdict() for line in lines]
        written = {"machine": facts, "steps": timed, "means": taken, "compute": points, "wanted": wanted}
        write(chosen.json, json.dumps(written, indent=1) + "\n")
    sys.exit(any(line.verdict == "MISSED" for line in lines))
