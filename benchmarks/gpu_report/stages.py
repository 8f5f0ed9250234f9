"""Stages run one after the other; each prints a line when it begins and its findings at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from benchmarks.gpu_report.rows import Recorder

Say: TypeAlias = Callable[[str], None]
OK, FAILED, NOT_CHECKED = "ok", "FAILED", "NOT CHECKED"


class NotChecked(Exception):
    """Error: a stage could not do its check; the message says why."""


class Stages:
    """A runner of stages: `with stages("a stage") as say:`. After a failure, later stages still run."""

    def __init__(self, record: Recorder) -> None:
        self.record, self.start = record, time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.start

    @contextmanager
    def __call__(self, name: str) -> Iterator[Say]:
        said: list[str] = []

        def say(text: str) -> None:
            said.append(text)
            self.print(f"  {text}")

        self.print(f"{name} …")
        begun, outcome = time.monotonic(), FAILED
        with self.record.attempt("smoke", name):
            try:
                yield say
                outcome = OK
            except NotChecked as why:
                say(str(why))
                outcome = NOT_CHECKED
        taken = time.monotonic() - begun
        self.record("smoke", name, seconds=taken, outcome=outcome, said=said)
        self.print(f"  {outcome}, {taken:.2f} s")

    def print(self, text: str) -> None:
        print(f"[{self.seconds:5.1f} s] {text}", flush=True)
