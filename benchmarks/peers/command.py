"""The command: it measures and prints the step, and on request the job and the grid."""

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import Any

import backprop
from backprop.reporting.files import reserve, write
from backprop.reporting.tables import table
from backprop.reporting.timing import Times, in_turns
from benchmarks.peers import job, report
from benchmarks.peers.data import Data, load
from benchmarks.peers.one_thread import in_words, one_thread
from benchmarks.peers.registry import BY_DEFAULT, PEERS, REGULARIZED, installed, why_missing
from benchmarks.peers.regularized import prepare_regularized
from benchmarks.peers.steps import Cell, a_step, bounds, prepare, works

STEP = Cell(job.HIDDEN, job.BATCH)
GRID_BLOCK = 0.1
GRID = [Cell(hidden, batch) for hidden, batch in product((50, 512, 4096), (100, 1000, 8192))]
LIBRARIES = ("numpy", "torch", "jax", "jaxlib", "scikit-learn", "threadpoolctl")


def time_step(data: Data, rounds: int, block: float) -> Times:
    """Time the step of every peer, with and without the loss after the update, in turns."""
    peers = prepare(STEP, installed(PEERS), data)
    return a_step(STEP, in_turns(works(STEP, peers, with_loss=True), rounds=rounds, block=block))


def time_regularized(data: Data, rounds: int, block: float) -> Times:
    """Time the step of the network with BatchNorm and Dropout, in turns."""
    peers = prepare_regularized(STEP.hidden, STEP.batch_size, installed(REGULARIZED), data)
    return a_step(STEP, in_turns(works(STEP, peers), rounds=rounds, block=block))


def time_cell(cell: Cell, data: Data, rounds: int, block: float) -> Times:
    """Time the step of every peer at another size, its products, and the machine's peak, in turns."""
    every = works(cell, prepare(cell, installed(PEERS), data)) | bounds(cell, data)
    return a_step(cell, in_turns(every, rounds=rounds, block=block))


def machine() -> dict[str, Any]:
    """Return the facts that the times depend on: processor, versions, threads."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "backprop": backprop.__version__,
        **{name: found for name in LIBRARIES if (found := _version(name))},
    }


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


@contextmanager
def undisturbed() -> Iterator[None]:
    """Print afterwards the share of time that this process had its core; measure again if it is low."""
    start, cpu_start = time.perf_counter(), time.process_time()
    yield
    share = (time.process_time() - cpu_start) / (time.perf_counter() - start)
    print(f"this process had its core for {share:.0%} of the time")


def show(title: str, header: tuple[str, ...], rows: report.Rows) -> None:
    print(f"\n{title}\n{table(header, rows)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Time backprop's peers.")
    parser.add_argument("--job", action="store_true", help="also the whole job, each peer in its own process")
    parser.add_argument("--grid", action="store_true", help="also hidden 50 to 4096 by batch 100 to 8192")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    parser.add_argument("--rounds", type=int, default=9, help="turns of the step (%(default)s)")
    parser.add_argument("--block", type=float, default=0.25, help="seconds of such a turn (%(default)s)")
    parser.add_argument("--job-rounds", type=int, default=3, help="of the job (%(default)s)")
    parser.add_argument("--grid-rounds", type=int, default=5, help="of the grid (%(default)s)")
    parser.add_argument("--iterations", type=int, default=job.ITERATIONS, help="of the job (%(default)s)")
    parser.add_argument("--core", type=int, help="the core to stay on (the last one)")
    arguments = parser.parse_args()
    if arguments.json:
        try:
            reserve(arguments.json)
        except OSError as error:
            parser.error(f"--json: {arguments.json}: {error.strerror}")
    with one_thread(arguments.core):
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    data, lines = load(), []
    for peer in PEERS.values():
        if reason := why_missing(peer):
            print(reason)
    print(f"data: {data.source}" + ("" if data.source == "MNIST" else ", so that accuracies mean nothing"))

    with undisturbed():
        times = time_step(data, arguments.rounds, arguments.block)
    show("The train step, 784-50-10, batch 100, medians", report.STEP_HEADER, report.step_rows(times))
    lines += report.step_lines(times)
    written: dict[str, Any] = {"step": times.seconds}
    with undisturbed():
        times = time_regularized(data, arguments.rounds, arguments.block)
    title = "The train step with BatchNorm and Dropout, 784-50-10, batch 100, medians"
    show(title, report.REGULARIZED_HEADER, report.regularized_rows(times))
    lines += report.regularized_lines(times)
    written["regularized"] = times.seconds
    if arguments.grid:
        rows, written["grid"] = [], []
        for cell in GRID:
            with undisturbed():
                times = time_cell(cell, data, arguments.grid_rounds, GRID_BLOCK)
            rows += report.grid_rows(cell, times)
            lines += report.grid_lines(cell, times)
            written["grid"].append({**asdict(cell), "seconds": times.seconds})
        show("The train step at other sizes, medians", report.GRID_HEADER, rows)
    if arguments.job:
        names = list(installed(PEERS | BY_DEFAULT))
        written["job"] = results = job.run_all(names, arguments.job_rounds, arguments.iterations)
        title = f"The whole job, {arguments.iterations:,} iterations, medians"
        show(title, report.JOB_HEADER, report.job_rows(results))
        lines += report.job_lines(results)
    show("Wanted", report.WANTED_HEADER, report.line_rows(lines))

    written = {"machine": machine(), "threads": in_words(), "data": data.source, **written}
    print("\n" + ", ".join(f"{k} {v}" for k, v in {**written["machine"], **written["threads"]}.items()))
    if arguments.json:
        written["wanted"] = [line._asdict() for line in lines]
        write(arguments.json, json.dumps(written, indent=1) + "\n")
