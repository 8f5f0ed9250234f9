"""One run of the report: a look at the GPU, the groups, then the tables and the exit code."""

import tempfile
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.gpu_report import machine, tables
from benchmarks.gpu_report.document import Document, Judgement, judged, raw
from benchmarks.gpu_report.groups import Group
from benchmarks.gpu_report.probe import LIMIT, probe
from benchmarks.gpu_report.processes import Ending, tail
from benchmarks.gpu_report.rows import Rows, read
from benchmarks.gpu_report.running import run_all
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.wrong import is_wrong


def visit(
    groups: dict[str, Group], settings: Settings, budget: float, started: float, file: Path | None
) -> int:
    """Run the report and return its exit code. Raises Unusable or NotWritten before anything is measured."""
    head = begin(settings)
    endings: dict[str, Ending] = {}
    with tempfile.TemporaryDirectory() as folder:
        document = Document(file, Path(folder), raw(head, [], {}))

        def group_ended(name: str, ending: Ending) -> None:
            endings[name] = ending
            rows = read(document.rows)
            document.write(raw(head, rows, endings))  # before printing, which may fail
            print(f"{name}: {ending.how}, {ending.seconds:.1f} s", flush=True)
            failed = ending.failed or any(row.get("group") == name for row in rows if row["what"] == "error")
            log = document.rows.with_name(f"{name}.log")
            if failed and not groups[name].live and log.exists():
                print("".join(f"    {line}\n" for line in tail(log, 40)), end="", flush=True)

        try:
            run_all(groups, settings, budget, document.rows, group_ended, started)
        finally:  # also after a signal
            endings |= {name: Ending("interrupted", 0.0) for name in groups if name not in endings}
            wrong = end(document, head, endings)
    if document.fault:
        return 3
    return 1 if wrong else 0


def begin(settings: Settings) -> dict[str, Any]:
    """Print and return the head of the report."""
    rehearsal = settings.device == "cpu"
    if rehearsal:
        print("REHEARSAL on the CPU, with small sizes: no figure below is one of a GPU")
    else:
        print(f"looking for the GPU, at most {LIMIT:.0f} s …", flush=True)
    about = probe(settings) | machine.around()
    data = "MNIST" if settings.mnist else "random images of MNIST's size that can be learnt, not MNIST"
    known = ", ".join(f"{name} {value}" for name, value in about.items() if value is not None)
    print(textwrap.fill(known, 80, break_long_words=False, break_on_hyphens=False))
    print(f"data: {data}", flush=True)
    told = {name: value for name, value in asdict(settings).items() if name != "limit"}  # differs per group
    return {"rehearsal": rehearsal, "machine": about, "data": data, "settings": told}


def end(document: Document, head: dict[str, Any], endings: dict[str, Ending]) -> bool:
    """Judge and print what was measured, and return whether something is wrong."""
    rows: Rows = read(document.rows)
    document.write(raw(head, rows, endings))
    judgement = Judgement(rows, endings, head["rehearsal"])
    document.write(raw(head, rows, endings) | judged(judgement))
    document.close()
    for part in tables.report(rows, judgement, endings):
        print(f"\n{part}", flush=True)
    return is_wrong(rows, judgement, endings)
