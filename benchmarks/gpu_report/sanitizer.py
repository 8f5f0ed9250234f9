"""Three steps under NVIDIA's compute-sanitizer: out-of-bounds accesses, and races within a block."""

import os
import re
import shutil
import sys
from pathlib import Path

from benchmarks.gpu_report.processes import DONE, Ending, run, tail
from benchmarks.gpu_report.rows import Recorder, Wrong
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.stages import NotChecked, Stages

TOOL = "compute-sanitizer"
FOUND = 99  # the exit status that we ask it to use if it finds errors
LIMIT = 35.0  # seconds per check
MARGIN = 8.0  # seconds of the group that the checks must leave
# The products to use, and options. Races within cuBLAS are not ours to find, nor are errors of the calls by
# which CuPy probes what is supported.
CHECKS = {
    "memcheck": ("own,cublas", ["--report-api-errors", "no"]),
    "racecheck": ("own", []),
}
SUMMARY = re.compile(r"(ERROR|RACECHECK) SUMMARY: .*")


def stage(stages: Stages, settings: Settings, record: Recorder) -> None:
    """Run a stage per check; without the tool, the same steps in their own process."""
    tool = where() if settings.device == "cuda" else None
    if tool is None:
        reason = "it is not installed" if settings.device == "cuda" else "a CPU has none"
        record("missing", TOOL, reason=reason)
    for check, (products, options) in CHECKS.items():
        with stages(f"3 steps under {TOOL} --tool {check}") as say:
            limit = min(LIMIT, max(1.0, settings.limit - stages.seconds - MARGIN))
            log = record.path.with_name(f"{check}.log")
            under = [tool, "--tool", check, "--error-exitcode", str(FOUND), *options] if tool else []
            ending = steps(settings.backend, products, limit, log, under)
            if ending.failed:
                print("".join(f"    {line}\n" for line in tail(log, 40)), end="", flush=True)
                raise Wrong(f"{check} found errors" if ending.status == FOUND else ending.how)
            if tool is None:
                raise NotChecked(f"{ending.how} without {TOOL}: {reason}")
            say(checked(ending, log, len(products.split(","))))


def checked(ending: Ending, log: Path, ways: int) -> str:
    """Return the summary of the tool. Raises NotChecked unless it and all of the steps have finished."""
    printed = log.read_text(errors="replace")
    summary = SUMMARY.search(printed)
    steps_ended = len(re.findall("^[a-z]+, (?:captured|eager): losses ", printed, re.MULTILINE))
    if ending.how == DONE and summary and steps_ended == 2 * ways:  # captured and eager
        return summary.group()
    last = (tail(log, 1) or ["it printed nothing"])[0].strip("= ")
    raise NotChecked(f"{ending.how}: {last}")


def where() -> str | None:
    """Return the path of the tool, found on PATH or in a CUDA toolkit; None if there is none."""
    toolkits = map(str, sorted(Path("/usr/local").glob("cuda*/bin"), reverse=True))
    return shutil.which(TOOL, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *toolkits]))


def steps(backend: str, products: str, limit: float, log: Path, under: list[str]) -> Ending:
    """Run `few_steps.py`, under a tool or directly."""
    return run(
        [*under, sys.executable, "-m", "benchmarks.gpu_report.few_steps", backend, products], limit, log
    )
