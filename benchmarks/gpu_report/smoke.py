"""The smoke test: the parts of the library, the simplest first, within a minute and a half.

A crash ends the process and with it the later stages; the lines printed so far show how far it got.
"""

from dataclasses import replace
from statistics import median

import numpy as np

from backends import load
from backprop import warmup
from backprop.reporting.timing import in_turns
from benchmarks.gpu_report import library, memory_growth, micro, sanitizer
from benchmarks.gpu_report.groups import COMPILING
from benchmarks.gpu_report.numpy_job import OnNumpy
from benchmarks.gpu_report.ours import Captured, Eager
from benchmarks.gpu_report.problem import Problem, job_problem
from benchmarks.gpu_report.rows import Recorder, Wrong
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.stages import Say, Stages
from benchmarks.gpu_report.targets import LOSSES

SAMPLES = 6000  # random images, if there is no MNIST
WHOSE = {"our own": (True, 200), "cuBLAS's": (False, 40)}  # products: whether own, and the number of steps


def measure(record: Recorder, settings: Settings) -> None:
    stages = Stages(record)
    with stages("loading the backend"):
        load(settings.backend)
    with stages(COMPILING):
        library.compile_kernels(load(settings.backend))
    with stages("backprop.warmup()") as say:
        warmup(settings.backend)
        say(f"again in {warmup(settings.backend):.3f} s")
    with stages("a launch, and a node of a graph") as say:
        works = micro.launches(load(settings.backend))
        times = in_turns(
            {name: work for name, (work, _) in works.items()}, rounds=3, block=settings.block / 2
        )
        for name, seconds in times.seconds.items():
            say(f"{name}: {median(seconds) / works[name][1] * 1e6:.2f} µs")
    for whose, (own, steps) in WHOSE.items():
        with stages(f"{steps} steps with {whose} products: captured, eager, and on NumPy") as say:
            few = replace(settings, samples=min(settings.samples, SAMPLES), iterations=steps)
            with library.own_products(own):
                compare(job_problem(few), settings.device, say)
    memory_growth.stage(stages, settings)
    sanitizer.stage(stages, settings, record)


def compare(problem: Problem, device: str, say: Say) -> None:
    """Raise Wrong unless captured and eager losses agree in every bit, and with NumPy within limits."""
    captured, eager, exact = (
        losses(kind, problem, on) for kind, on in ((Captured, device), (Eager, device), (OnNumpy, "cpu"))
    )
    say(f"losses on NumPy: {exact[0]:.4f} at first, {exact[-1]:.4f} at last")
    differences = [("eager", "largest", np.abs(captured - eager).max(), 0.0)]
    differences += [
        ("NumPy", which, by(np.abs(captured - exact)), limit) for which, (by, limit) in LOSSES.items()
    ]
    for other, which, off, limit in differences:
        say(f"captured and {other}, {which} difference: {off:.1e} (at most {limit:g})")
    wrong = [f"{other} by {off:.1e}" for other, _, off, limit in differences if not off <= limit]  # nor NaN
    if wrong:
        raise Wrong(f"captured losses differ from those of {', '.join(wrong)}")


def losses(kind: type[Captured], problem: Problem, device: str) -> np.ndarray:
    peer = kind(problem, device)
    peer.warm_up()
    peer.reset()
    return np.array(peer.train())
