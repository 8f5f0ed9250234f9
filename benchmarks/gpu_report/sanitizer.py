"""Three steps under NVIDIA's compute-sanitizer: accesses outside of an array, and races within a block."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.gpu_report.processes import Ending, run, tail
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.stages import Stages

FOUND = 99  # the exit status that it is told to end with where it found errors
LIMIT, MARGIN = 25.0, 8.0  # seconds of each, and those that must be left when they have ended
# Not our affair: races within cuBLAS.
PRODUCTS = {"memcheck": "own,cublas", "racecheck": "own"}


def stage(stages: Stages, settings: Settings, rows: Path) -> None:
    """A stage for each tool; without them, the same steps in a process of their own."""
    tool = where() if settings.device == "cuda" else None
    for check, products in PRODUCTS.items():
        with stages(f"3 steps under compute-sanitizer --tool {check}") as say:
            if tool is None:
                of_cuda = settings.device == "cuda"
                say("it is not installed: without it" if of_cuda else "a CPU has none: without it")
            limit = min(LIMIT, max(1.0, settings.limit - stages.seconds - MARGIN))
            log = rows.with_name(f"{check}.log")
            ending = steps(settings.backend, products, limit, log, tool, check)
            say(f"{ending.how}: {(tail(log, 1) or ['it printed nothing'])[0].strip('= ')}")
            if ending.failed:
                print("".join(f"    {line}\n" for line in tail(log, 40)), end="", flush=True)
                raise AssertionError(ending.how)


def where() -> str | None:
    """The command, from the path or from a CUDA toolkit beside it."""
    toolkits = sorted(Path("/usr/local").glob("cuda*/bin"), reverse=True)
    return shutil.which("compute-sanitizer", path=os.pathsep.join(_places(toolkits)))


def _places(toolkits: list[Path]) -> Iterator[str]:
    yield os.environ.get("PATH", os.defpath)
    yield from map(str, toolkits)


def steps(backend: str, products: str, limit: float, log: Path, tool: str | None, check: str) -> Ending:
    """Run `few_steps.py`, under a tool or as it is."""
    command = [sys.executable, "-m", "benchmarks.gpu_report.few_steps", backend, products]
    if tool is not None:
        command = [tool, "--tool", check, "--error-exitcode", str(FOUND), *command]
    ending = run(command, limit, log)
    return ending._replace(how=f"{check} found errors") if ending.status == FOUND else ending
