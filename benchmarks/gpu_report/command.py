"""The report from its options to its exit code: 0 it ran, 1 something is wrong, 2 the call was, 3 no GPU."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from backends import BackendUnavailable, why_unavailable
from backprop import load_mnist
from backprop.data.errors import DataError
from benchmarks.gpu_report import machine, tables
from benchmarks.gpu_report.document import Judgement, judged, raw, write
from benchmarks.gpu_report.groups import AFTERWARDS, GROUPS, Group, chosen
from benchmarks.gpu_report.processes import Ending, tail
from benchmarks.gpu_report.rows import Rows, found, read
from benchmarks.gpu_report.running import run_all
from benchmarks.gpu_report.settings import BUDGET, REHEARSAL, Settings
from benchmarks.gpu_report.tests_summary import went_wrong
from benchmarks.gpu_report.verdicts import DISAGREES


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        groups = chosen("smoke" if asked.smoke else asked.groups, asked.rehearse)
    except ValueError as error:
        parser.error(str(error))
    settings = REHEARSAL if asked.rehearse else Settings()
    if asked.mnist is not None:
        settings = replace(settings, mnist=str(asked.mnist.resolve()))
    try:
        if not asked.rehearse and (error := why_unavailable("cupy")):
            raise error
        if settings.mnist is not None:
            load_mnist(data_dir=settings.mnist)  # before minutes are spent: is it there, and is it whole?
        return _report(groups, settings, asked.budget, asked.json)
    except (BackendUnavailable, DataError, OSError) as error:
        print(f"gpu_report: {error}", file=sys.stderr)
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_report", description=__doc__)
    mnist = os.environ.get("BACKPROP_DATA_DIR") or None
    parser.add_argument(
        "--mnist", type=Path, default=mnist, metavar="DIR", help="its four files; else random images"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all of it there, as it comes")
    parser.add_argument("--budget", type=float, default=BUDGET, metavar="SECONDS", help="(%(default)s)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--smoke", action="store_true", help="only the group smoke: does it work at all?")
    some = f"only these of {', '.join(GROUPS)} (all but {' and '.join(AFTERWARDS)})"
    which.add_argument("--groups", metavar="A,B", help=some)
    parser.add_argument("--rehearse", action="store_true", help="on the CPU and small: does all of it run?")
    return parser


def _report(groups: dict[str, Group], settings: Settings, budget: float, file: Path | None) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the group that is running, too
    about = machine.facts(settings)
    data = "MNIST" if settings.mnist else "random images of MNIST's size that can be learnt, not MNIST"
    rehearsal = settings.device == "cpu"
    if rehearsal:
        print("REHEARSAL on the CPU, with small sizes: no figure below is one of a GPU")
    print(", ".join(f"{name} {value}" for name, value in about.items() if value is not None))
    print(f"data: {data}", flush=True)
    head = {"rehearsal": rehearsal, "machine": about, "data": data, "settings": asdict(settings)}
    with tempfile.TemporaryDirectory() as folder:
        path, endings = Path(folder, "rows"), {}
        unwritten: list[OSError] = []

        def group_ended(name: str, ending: Ending) -> None:
            endings[name] = ending
            print(f"{name}: {ending.how}, {ending.seconds:.1f} s", flush=True)
            rows = read(path)
            failed = ending.failed or any(row.get("group") == name for row in rows if row["what"] == "error")
            log = path.with_name(f"{name}.log")
            if failed and not groups[name].live and log.exists():
                print("".join(f"    {line}\n" for line in tail(log, 40)), end="", flush=True)
            keep(raw(head, rows, endings))

        def keep(document: dict[str, Any]) -> None:
            try:
                if file is not None:
                    write(file, document)
            except OSError as error:  # a disk that is full by now: what is measured is still worth printing
                print(error, flush=True)
                unwritten.append(error)

        if file is not None:
            write(file, raw(head, [], {}))  # can it be written at all?
        run_all(groups, settings, budget, path, group_ended)
        rows = read(path)
        judgement = Judgement(rows, endings, rehearsal)
        keep({**raw(head, rows, endings), **judged(judgement)})
    for part in tables.report(rows, judgement, endings):
        print(f"\n{part}")
    if unwritten:
        return 3
    return 1 if is_wrong(rows, judgement, endings) else 0


def is_wrong(rows: Rows, judgement: Judgement, endings: dict[str, Ending]) -> bool:
    """A test failed, results disagree, or a part of ours did: not slowness, and not what others lack."""
    ours = {name for name in GROUPS if not GROUPS[name].of_others}
    return (
        bool(judgement.faults)
        or judgement.tests is None
        or went_wrong(rows, judgement.tests)
        or any(line.verdict == DISAGREES for line in judgement.lines)
        or any(row["group"] in ours for row in found(rows, "error"))
        or any(ending.failed and name in ours for name, ending in endings.items())
    )
