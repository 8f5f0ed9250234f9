"""A gradient report as text that fits on one screen: the table, then the notes."""

from collections.abc import Sequence
from textwrap import wrap

from backprop.gradient_check.report import METHODS, MODES, ArrayCheck, GradientReport
from backprop.reporting.tables import table

COLUMNS, LINES = 80, 24
MAX_NOTE_LINES = 6  # lines at most
HEADER = ["array", "entries", "|gradient|", "max |diff|", "limit", ""]
WORDS = {
    "not compared": "-",
    "zero": "zero",
    "cannot tell": "cannot tell",
    "ok to single precision": "single",
}
SILENT = ("ok", "zero", "not compared")  # need no note unless there is a reason


def shown(report: GradientReport) -> str:
    """Return a report as text.

    The table gets half of the screen, or more if the notes leave room. If not all arrays fit, those that are
    not ok come first.
    """
    title = _lines(f"{report.subject}: backward against {METHODS[report.method]}, {MODES[report.mode]}")
    by_need = sorted(report.arrays, key=lambda array: array.ok)
    notes = [_lines(note) for note in _notes(report, by_need)]
    verdict = ["all gradients agree"] if report.ok else []
    room = LINES - len(title) - len(verdict)
    rows = _rows(by_need, report.arrays, max(room // 2, room - sum(map(len, notes))))
    return "\n".join([*title, *rows, *_fitting(notes, room - len(rows)), *verdict])


def _rows(by_need: Sequence[ArrayCheck], in_order: Sequence[ArrayCheck], room: int) -> list[str]:
    """Return the lines of the table: the arrays that fit, in their order, and the number left out."""
    if not by_need:
        return []
    kept = len(by_need) if len(by_need) < room else room - 2
    rows = [_cells(array) for array in in_order if any(array is each for each in by_need[:kept])]
    too_wide = max(0, *(len(line) - COLUMNS for line in table(HEADER, rows).splitlines()))
    width = max(len(name) for name, *_ in rows) - too_wide
    lines = table(HEADER, [[_shortened(name, width), *others] for name, *others in rows]).splitlines()
    if not (left := by_need[kept:]):
        return lines
    wrong = sum(not array.ok for array in left)
    return [*lines, f"… and {len(left)} more, {f'{wrong} of them not ok' if wrong else 'all ok'}"]


def _cells(array: ArrayCheck) -> list[str]:
    numbers = array.size, array.max_difference, array.limit
    digits = ["-" if number != number else f"{number:.1e}" for number in numbers]
    return [array.name, str(array.entries), *digits, WORDS.get(array.verdict, "ok" if array.ok else "WRONG")]


def _shortened(name: str, width: int) -> str:
    """Return a name, with … for its middle if it is longer than the width."""
    return name if len(name) <= width else f"{name[: (width - 1) // 2]}…{name[-(width // 2) :]}"


def _notes(report: GradientReport, arrays: Sequence[ArrayCheck]) -> list[str]:
    """Return the notes below the table, those on the whole object first."""
    notes = [f"no complex step, since forward is not analytic: {report.note}"] if report.note else []
    notes += [f"{report.subject}: {fault.kind}: {fault.why}" for fault in report.faults]
    notes += _array_notes([array for array in arrays if array.why or array.verdict not in SILENT])
    if not arrays:
        notes.append("nothing to compare: no input and no parameter is an array of floats")
    return notes


def _array_notes(arrays: Sequence[ArrayCheck]) -> list[str]:
    """Return the notes on arrays, one for all arrays whose notes differ only in the name."""
    alike: dict[tuple[str, str], list[ArrayCheck]] = {}
    for array in arrays:
        alike.setdefault((array.verdict, array.why.replace(repr(array.name), "")), []).append(array)
    notes = []
    for first, *others in alike.values():
        names = ", ".join(each.name for each in others)
        notes.append(f"{first}; the same for {names}" if others else str(first))
    return notes


def _lines(note: str) -> list[str]:
    return wrap(note, COLUMNS, subsequent_indent="  ", max_lines=MAX_NOTE_LINES, placeholder=" …")


def _fitting(notes: Sequence[list[str]], room: int) -> list[str]:
    """Return the lines of the first notes that fit, and the number of the others."""
    kept = len(notes)
    while sum(map(len, notes[:kept])) + (kept < len(notes)) > room:
        kept -= 1
    lines = [line for note in notes[:kept] for line in note]
    return lines if kept == len(notes) else [*lines, f"… and {len(notes) - kept} more notes"]
