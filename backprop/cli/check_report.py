"""The output of `backprop check` for several reports: each in full, or a table."""

from typing import NamedTuple

from backprop.gradient_check.report import GradientReport
from backprop.reporting.tables import table


class Checked(NamedTuple):
    """A name, what is special about its case, and the report of the check."""

    name: str
    what: str
    report: GradientReport


def one_by_one(checked: list[Checked]) -> str:
    """Return every report in full under its case, and the verdict."""
    reports = [
        f"case {i} of {len(checked)}: {what}\n{report}\n" for i, (_, what, report) in enumerate(checked, 1)
    ]
    return "\n".join([*reports, _verdict(checked, f"{checked[0].name}: {_all(len(checked))}")])


def as_table(checked: list[Checked]) -> str:
    """Return a table with a row per name, the failed reports in full, and the verdict."""
    rows = []
    for name in dict.fromkeys(name for name, _, _ in checked):
        reports = [report for of, _, report in checked if of == name]
        arrays = [array for report in reports for array in report.arrays]
        entries = sum(array.entries for array in arrays)
        # A limit of 0 or NaN has no ratio.
        compared = [array.max_difference / array.limit for array in arrays if array.limit > 0]
        largest = f"{max(compared):.1e}" if compared else "-"
        verdict = "ok" if all(report.ok for report in reports) else "WRONG"
        rows.append([name, len(reports), len(arrays), entries, largest, verdict])
    header = ["subject", "cases", "arrays", "entries", "max |diff| / limit", ""]
    wrong = [f"\n{name}, {what}\n{report}\n" for name, what, report in checked if not report.ok]
    return "\n".join([table(header, rows), *wrong, _verdict(checked, "all gradients agree")])


def _all(cases: int) -> str:
    return "its case agrees" if cases == 1 else f"all {cases} cases agree"


def _verdict(checked: list[Checked], right: str) -> str:
    wrong = sum(not report.ok for _, _, report in checked)
    return f"{wrong} of {len(checked)} cases failed" if wrong else right
