"""The report as JSON: the raw rows first, whatever comes of judging them."""

import json
from pathlib import Path
from typing import Any

from backprop.reporting import files
from benchmarks.gpu_report.processes import Ending
from benchmarks.gpu_report.rows import Rows
from benchmarks.gpu_report.targets import AGREEMENT, SPEED
from benchmarks.gpu_report.tests_summary import Tests, summary
from benchmarks.gpu_report.verdicts import FAULT, Line, judge_all

LEFT_OUT = "test begun"  # a row of each test; what did not end is named among the tests


class Judgement:
    """What the rows come to.

    tests: None where they could not be counted.  faults: what could not be judged, and why.
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
    """All that was measured."""
    return {
        **head,
        "groups": {name: ending._asdict() for name, ending in endings.items()},
        "rows": [row for row in rows if row.get("what") != LEFT_OUT],
    }


def judged(judgement: Judgement) -> dict[str, Any]:
    """What came of it."""
    return {
        "wanted": [line._asdict() for line in judgement.lines],
        "tests": judgement.tests and judgement.tests._asdict(),
        "faults": judgement.faults,
    }


class NotWritten(Exception):
    """The file cannot be written."""


class Document:
    """The report's FILE, and FILE.rows, which has the rows as they come and lasts until FILE has all of them.

    rows: the file for the groups to write to; in the folder, where they keep their logs beside it.
    fault: why it could not be written, at some time since it has begun.  Nothing is kept without a file.
    """

    def __init__(self, file: Path | None, folder: Path, document: dict[str, Any]) -> None:
        self.file, self.rows, self.fault = file, folder / "rows", ""
        if file is not None:
            write(file, document)
            self.beside = file.with_name(file.name + ".rows").resolve()
            self.beside.write_text("")
            self.rows.symlink_to(self.beside)

    def write(self, document: dict[str, Any]) -> None:
        """What cannot be written, to a disk that is full by now say, can still be printed."""
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
    """Write the file whole or not at all.  Raises NotWritten, which names the file."""
    try:
        files.write(file, json.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise NotWritten(f"--json: {file} cannot be written: {error.strerror}") from error
