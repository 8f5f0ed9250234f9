"""The judgement whether the library is wrong, as opposed to slow, missing, or let down by other software."""

from benchmarks.gpu_report.document import Judgement
from benchmarks.gpu_report.groups import GROUPS
from benchmarks.gpu_report.processes import DONE, Ending
from benchmarks.gpu_report.rows import Rows, found
from benchmarks.gpu_report.tests_summary import went_wrong
from benchmarks.gpu_report.verdicts import DISAGREES


def is_wrong(rows: Rows, judgement: Judgement, endings: dict[str, Ending]) -> bool:
    """Return whether a test failed or hangs, results disagree, a group of ours failed, or a row is bad."""
    ours = {name for name in GROUPS if not GROUPS[name].of_others}
    return (
        bool(judgement.faults)
        or judgement.tests is None
        or went_wrong(rows, judgement.tests)
        or any(line.verdict == DISAGREES for line in judgement.lines)
        or any(row["group"] in ours for row in found(rows, "error"))
        or any(ending.failed and name in ours for name, ending in endings.items())
        or any(ending.how != DONE and GROUPS[name].must_end for name, ending in endings.items())
    )
