"""The race to 97 % on a GPU by backprop itself, and the rows that every racer records."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backprop.race.recipes import recipe_for
from benchmarks.gpu_report import library
from benchmarks.gpu_report.problem import load as load_data
from benchmarks.gpu_report.readings import CAPTURED
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.race.agreement import off_steps
from benchmarks.race.course import Course
from benchmarks.race.ours import Ours
from benchmarks.race.racer import Racer

TARGET = 97


def course_of(settings: Settings) -> Course:
    """Return the recipe for a GPU with the data; in a rehearsal a shorter and smaller one."""
    data, recipe = load_data(settings), recipe_for(TARGET, on_host=False)
    if settings.race_steps:
        size = min(recipe.batch_size, len(data.x))
        recipe = replace(recipe, hidden=settings.hidden, batch_size=size, steps=settings.race_steps)
    return Course.of(recipe, data)


class Captured(Ours):
    """The race as `backprop race` runs it: one Trainer for all seeds, whose steps are captured once."""

    name = CAPTURED

    def build(self) -> None:
        super().build()
        library.require_captured(self.race.backend, self.race.trainer.run)


def measure_race(record: Recorder, kinds: Sequence[type[Racer]], settings: Settings) -> None:
    """Run each racer with every seed: a row each, with the distance of its first steps from the formulas."""
    course = course_of(settings)
    for kind in kinds:
        with record.attempt("race", kind.name):
            begun = time.perf_counter()
            racer: Any = kind(course, settings.device)
            record("warm-up", f"race: {kind.name}", seconds=time.perf_counter() - begun)
            off = off_steps(racer)
            racer.run(0)  # whatever is compiled or captured only now
            for seed in range(settings.rounds):
                finish = racer.run(seed)
                record("race", kind.name, round=seed, off=off, **finish._asdict())


def measure(record: Recorder, settings: Settings) -> None:
    measure_race(record, [Captured], settings)
