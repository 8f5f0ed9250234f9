"""The command: it measures and prints the step, and on request the stages and the memory."""

import argparse
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backprop.reporting.files import reserve, write
from backprop.reporting.tables import table
from backprop.reporting.timing import in_turns
from benchmarks.convolution import agreement, memory, report, stages, steps
from benchmarks.convolution.conv_stage import conv_stages
from benchmarks.convolution.data import load
from benchmarks.convolution.models import MODELS
from benchmarks.convolution.pytorch import Eager
from benchmarks.convolution.racer import BATCH
from benchmarks.convolution.registry import RACERS
from benchmarks.convolution.threads import add_threads, limited_to
from benchmarks.peers.command import machine, undisturbed
from benchmarks.peers.one_thread import in_words
from benchmarks.peers.registry import installed, why_missing
from benchmarks.peers.report import WANTED_HEADER, Line, Rows, line_rows

# Before every block: BLAS's threads spin on for 0.1 s after their last product.
BEFORE = {"rest": 0.2, "untimed": 2}
STAGE_BLOCK = 0.05  # seconds


@contextmanager
def quiet() -> Iterator[None]:
    """Print the machine's load before and after; with two threads it should be far below 1 and near 2."""
    loads = [os.getloadavg()[0]] if hasattr(os, "getloadavg") else []
    yield
    if loads:
        print(f"load of the machine: {loads[0]:.1f} before, {os.getloadavg()[0]:.1f} after")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convolution", description="Time convolution.")
    add_threads(parser)
    parser.add_argument("--model", choices=[*MODELS, "both"], default="both", help="(%(default)s)")
    parser.add_argument("--step", action="store_true", help="the training step; the default")
    parser.add_argument("--stages", action="store_true", help="each convolution alone")
    parser.add_argument("--memory", action="store_true", help="what steps add to a new process")
    parser.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    parser.add_argument("--rounds", type=int, default=9, help="turns (%(default)s)")
    parser.add_argument("--block", type=float, default=0.25, help="seconds of a turn of a step (%(default)s)")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds: at least 1")
    if arguments.memory and (reason := memory.why_not()):
        parser.error(f"--memory: {reason}")
    if arguments.json:
        try:
            reserve(arguments.json)
        except OSError as error:
            parser.error(f"--json: {arguments.json}: {error.strerror}")
    with limited_to(arguments.threads):
        Measuring(arguments).all()


class Measuring:
    """One run of the command: what it has measured so far.

    lines: beside the targets.  written: for --json.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments, self.threads, self.rounds = arguments, arguments.threads, arguments.rounds
        self.racers, self.images = installed(RACERS), load()
        self.lines: list[Line] = []
        self.written: dict[str, Any] = {"agreement": {}, "step": {}, "stages": {}, "memory": {}}

    def all(self) -> None:
        arguments, chosen = self.arguments, self.arguments.model
        for racer in RACERS.values():
            if reason := why_missing(racer):
                print(reason)
        print(f"data: {self.images.source}; batch {BATCH}; threads: {self.threads}")
        parts = {self.stages: arguments.stages, self.memory: arguments.memory}
        parts = {self.step: arguments.step or not any(parts.values()), **parts}
        for key in MODELS if chosen == "both" else [chosen]:
            for part, wanted in parts.items():
                if wanted:
                    part(key)
        if self.lines:
            self.show("Wanted", WANTED_HEADER, line_rows(self.lines))
        facts = {"machine": machine(), "threads": in_words(), "data": self.images.source}
        print("\n" + ", ".join(f"{k} {v}" for k, v in {**facts["machine"], **facts["threads"]}.items()))
        if arguments.json:
            wanted = [line._asdict() for line in self.lines]
            write(arguments.json, json.dumps({**facts, **self.written, "wanted": wanted}, indent=1) + "\n")

    def step(self, key: str) -> None:
        """Time the step of every racer in turns, after comparing their first steps."""
        model = MODELS[key]
        differences = agreement.agreement(model, self.images, self.racers, threads=self.threads)
        self.show(
            f"{model.name}, agreement with the book's loop in float64",
            agreement.HEADER,
            agreement.rows(differences),
        )
        self.written["agreement"][model.name] = [each._asdict() for each in differences]
        every = steps.works(model, self.images, self.racers, threads=self.threads)
        with undisturbed() if self.threads == 1 else quiet():
            times = in_turns(every, rounds=self.rounds, block=self.arguments.block, **BEFORE)
        self.show(f"{model.name}, the training step, medians", report.STEP_HEADER, report.step_rows(times))
        self.lines += report.step_lines(model.name, self.threads, times)
        self.written["step"][model.name] = times.seconds

    def stages(self, key: str) -> None:
        """Time each convolution with its ReLU and pooling, in turns."""
        model, rows = MODELS[key], []
        self.written["stages"][model.name] = {}
        for stage in conv_stages(model, self.images):
            every = stages.works(stage, with_torch=Eager.name in self.racers)
            times = in_turns(every, rounds=self.rounds, block=STAGE_BLOCK, **BEFORE)
            rows += report.stage_rows(stage.name, times)
            self.written["stages"][model.name][stage.name] = times.seconds
        self.show(f"{model.name}, its convolutions, medians", report.STAGE_HEADER, rows)

    def memory(self, key: str) -> None:
        """Measure what the steps of each racer add to a new process."""
        model, names = MODELS[key], [name for name in report.WITH_MEMORY if name in self.racers]
        grown = memory.run_all(names, key, self.threads, min(self.rounds, memory.ROUNDS))
        title = f"{model.name}, memory that {memory.STEPS} steps add at their peak, medians"
        self.show(title, report.MEMORY_HEADER, report.memory_rows(grown))
        self.lines += report.memory_lines(model.name, self.threads, grown)
        self.written["memory"][model.name] = grown

    def show(self, title: str, header: tuple[str, ...], rows: Rows) -> None:
        form: Callable[..., str] = report.markdown if self.arguments.markdown else table
        print(f"\n{title}\n{form(header, rows)}", flush=True)
