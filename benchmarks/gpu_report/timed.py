"""The rows that every library records of its steps with convolutions."""

import time
from typing import Any

from benchmarks.gpu_report.job import FIRST
from benchmarks.gpu_report.problem import Problem
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings


def measure_steps(record: Recorder, kind: Any, net: Any, problem: Problem, settings: Settings) -> None:
    """Time all steps of a network `rounds` times by a JobPeer: a row each, with the seconds of one step."""
    name = f"{kind.name}, {net.name}"
    with record.attempt("convolution", name):
        peer = kind(problem, settings.device, net)
        peer.reset()
        begun = time.perf_counter()
        peer.warm_up()
        peer.wait()
        record("warm-up", name, seconds=time.perf_counter() - begun)
        for i in range(settings.rounds):
            peer.reset()
            peer.wait()
            begun = time.perf_counter()
            losses = list(peer.train())
            peer.wait()
            taken = (time.perf_counter() - begun) / len(losses)
            record("convolution", name, round=i, seconds=taken, first_losses=losses[:FIRST])
