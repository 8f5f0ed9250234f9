"""Stages, one after the other: each says on the terminal when it begins and what it found, at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from benchmarks.gpu_report.rows import Recorder

Say: TypeAlias = Callable[[str], None]


class Stages:
    """`with stages("a stage") as say:`; where one fails, it says so, and the later ones still run."""

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
        begun, well = time.monotonic(), False
        with self.record.attempt("smoke", name):
            yield say
            well = True
        taken = time.monotonic() - begun
        self.record("smoke", name, seconds=taken, well=well, said=said)
        self.print(f"  {'ok' if well else 'FAILED'}, {taken:.2f} s")

    def print(self, text: str) -> None:
        print(f"[{self.seconds:5.1f} s] {text}", flush=True)
