"""The report as JSON. The raw rows are written first, so that a fault in judging them loses nothing."""

import json
from pathlib import Path
from typing import Any

from backprop.reporting import files
from benchmarks.gpu_report.processes import Ending
from benchmarks.gpu_report.rows import Rows
from benchmarks.gpu_report.targets import AGREEMENT, SPEED
from benchmarks.gpu_report.tests_summary import Tests, summary
from benchmarks.gpu_report.verdicts import FAULT, Line, judge_all
from benchmarks.peers.job import CHECKOUT

LEFT_OUT = "test begun"  # a row per test; the tests that did not end are named elsewhere


class Judgement:
    """The verdicts on the rows.

    tests: None if they could not be counted.  faults: the rows that could not be judged, with reasons.
    """

    def __init__(self, rows: Rows, endings: dict[str, Ending], rehearsal: bool) -> None:
        self.lines: list[Line] = judge_all((*SPEED, *AGREEMENT), rows, endings, rehearsal)
        self.faults = [f"{line.what}: {line.reason}" for line in self.lines if line.verdict == FAULT]
        self.tests: Tests | None = None
        try:
            self.tests = summary(rows)
        except Exception as error:
            self.faults.append(f"the tests: {type(error).__name__}: {error}")


def raw(head: dict[str, Any], rows: Rows, endings: dict[str, Ending]) -> dict[str, Any]:
    """Return everything that was measured, as JSON."""
    return {
        **head,
        "groups": {name: ending._asdict() for name, ending in endings.items()},
        "rows": [row for row in rows if row.get("what") != LEFT_OUT],
    }


def judged(judgement: Judgement) -> dict[str, Any]:
    """Return the verdicts as JSON."""
    return {
        "wanted": [line._asdict() for line in judgement.lines],
        "tests": judgement.tests and judgement.tests._asdict(),
        "faults": judgement.faults,
    }


class NotWritten(Exception):
    """The file cannot be written."""


class Document:
    """The report's FILE, and FILE.rows, which receives the rows as they come until FILE has all of them.

    rows: the file that the groups write to, with their logs beside it in `folder`.
    fault: the reason why a write failed, or "". Without a file nothing is kept.
    """

    def __init__(self, file: Path | None, folder: Path, document: dict[str, Any]) -> None:
        self.file, self.rows, self.fault = file, folder / "rows", ""
        if file is not None:
            write(file, document)
            self.beside = file.with_name(file.name + ".rows").resolve()
            self.beside.write_text("")
            self.rows.symlink_to(self.beside)

    def write(self, document: dict[str, Any]) -> None:
        """Write the document; on failure (a full disk) keep the fault, so that the report still prints."""
        try:
            if self.file is not None:
                write(self.file, document)
        except NotWritten as error:
            self.fault = str(error)
            print(error, flush=True)

    def close(self) -> None:
        if self.file is not None and not self.fault:
            self.beside.unlink()


def write(file: Path, document: dict[str, Any]) -> None:
    """Write the file whole or not at all, with paths inside the checkout relative to it.

    Raises NotWritten, which names the file.
    """
    text = json.dumps(document, indent=1).replace(f"{CHECKOUT}/", "")
    try:
        files.write(file, text + "\n")
    except OSError as error:
        raise NotWritten(f"--json: {file} cannot be written: {error.strerror}") from error
