"""The command: every racer runs with every seed, in turns, and the times are printed beside the targets."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from backprop.race.recipes import TARGETS, Recipe, recipe_for
from backprop.reporting.files import reserve, write
from backprop.reporting.tables import table
from benchmarks.peers import ours as chapter
from benchmarks.peers.command import machine, show, undisturbed
from benchmarks.peers.data import Data, load
from benchmarks.peers.one_thread import in_words, one_thread
from benchmarks.peers.registry import installed, why_missing
from benchmarks.peers.report import WANTED_HEADER
from benchmarks.race import report
from benchmarks.race.agreement import require_same_accuracy, require_same_steps
from benchmarks.race.book_loop import STEPS, TheBook
from benchmarks.race.course import Course
from benchmarks.race.racer import Racer
from benchmarks.race.registry import RACERS

CHAPTER_STEPS = 600  # per turn
BOOK_RUNS_TO = 97  # percent; to 98 % it is not run


def prepare(recipe: Recipe, pixels: Data, racers: dict[str, type[Racer]]) -> dict[str, Racer]:
    """Return a racer of each kind, after checking its first steps."""
    course = Course.of(recipe, pixels)
    ready = {name: racer(course) for name, racer in racers.items()}
    for racer in ready.values():
        require_same_steps(racer)
    return ready


def run(
    racers: dict[str, Racer], pixels: Data, seeds: int, book_steps: int
) -> tuple[report.Finishes, list[float]]:
    """Run every racer, the book's loop and the chapter's step once for each seed, one after the other.

    book_steps: 0 leaves out the book's loop.
    """
    book, step = TheBook(pixels), chapter.Ours(50, 100, pixels)
    finishes: report.Finishes = {name: [] for name in [*racers, *[book.name] * bool(book_steps)]}
    of_chapter: list[float] = []
    time_steps(step, 0)  # warms up
    for seed in range(seeds):
        for name, racer in racers.items():
            finishes[name].append(racer.run(seed))
        of_chapter.append(time_steps(step, seed))
        if book_steps:
            finishes[book.name].append(book.run(seed, book_steps))
    return finishes, of_chapter


def time_steps(peer: chapter.Ours, seed: int) -> float:
    """Return the seconds of one step of the chapter's loop: plain SGD, batch 100."""
    batches = peer.draw(np.random.default_rng(seed), CHAPTER_STEPS)
    started = time.perf_counter()
    peer.step(batches)
    return (time.perf_counter() - started) / CHAPTER_STEPS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race", description=__doc__)
    parser.add_argument("--to", type=int, choices=TARGETS, default=TARGETS[0], help="percent (%(default)s)")
    parser.add_argument("--seeds", type=int, default=7, help="runs of each (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    parser.add_argument("--core", type=int, help="the core to stay on (the last one)")
    arguments = parser.parse_args()
    if arguments.seeds < 1:
        parser.error("--seeds: at least 1")
    if arguments.json:
        try:
            reserve(arguments.json)
        except OSError as error:
            parser.error(f"--json: {arguments.json}: {error.strerror}")
    with one_thread(arguments.core):
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    pixels, target, seeds = load(), arguments.to, arguments.seeds
    recipe = recipe_for(target, on_host=True)
    for racer in RACERS.values():
        if reason := why_missing(racer):
            print(reason)
    is_mnist = pixels.source == "MNIST"
    print(f"data: {pixels.source}" + ("" if is_mnist else ", so that accuracies mean nothing"))
    racers = prepare(recipe, pixels, installed(RACERS))
    with undisturbed():
        finishes, steps = run(racers, pixels, seeds, STEPS if target == BOOK_RUNS_TO else 0)
    if is_mnist:
        require_same_accuracy(finishes, report.OURS, report.BOOK, target)
    times = report.times_of(finishes, steps)
    lines = report.lines(target, finishes, times)
    show(f"The race to {target} %, medians of {seeds} seeds", report.HEADER, report.rows(finishes, times))
    print(f"\nWanted\n{table(WANTED_HEADER, report.line_rows(lines))}")
    written: dict[str, Any] = {"machine": machine(), "threads": in_words(), "data": pixels.source}
    print("\n" + ", ".join(f"{k} {v}" for k, v in {**written["machine"], **written["threads"]}.items()))
    if arguments.json:
        written |= {
            "target": target / 100,
            "recipe": vars(recipe),
            "seconds": times.seconds,
            "accuracies": {name: [each.accuracy for each in runs] for name, runs in finishes.items()},
            "wanted": [line._asdict() for line in lines],
        }
        write(arguments.json, json.dumps(written, indent=1) + "\n")
