"""The race to 97 % by PyTorch: eagerly, and all of its steps as one CUDA graph."""

import numpy as np

from benchmarks.gpu_report.race import measure_race
from benchmarks.gpu_report.readings import GRAPH, PYTORCH
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.with_pytorch import why_not
from benchmarks.race import pytorch
from benchmarks.race.course import Weights

WARM = 3  # steps before a capture, as PyTorch's notes on CUDA graphs advise


class Eager(pytorch.Eager):
    name = PYTORCH


class Graph(Eager):
    """All steps captured as one CUDA graph, which reads batches and rates from arrays that stay in place."""

    name = GRAPH

    def build(self) -> None:
        super().build()
        torch, recipe = self.torch, self.course.recipe
        self.on_device = torch.tensor(self.rates, device=self.device)
        self.drawn = torch.zeros((recipe.steps, recipe.batch_size), dtype=torch.int64, device=self.device)
        self.graphs: dict[int, object] = {}
        super().begin(self.course.start(0)[0])
        self.steps(1)  # creates the velocity

    def begin(self, weights: Weights) -> None:
        with self.torch.no_grad():
            self.take(weights)
            for state in self.optimizer.state.values():
                state["momentum_buffer"].zero_()
        self.wait()

    def steps(self, count: int) -> None:
        for batch, rate in zip(self.drawn[:count], self.on_device, strict=False):
            self.update(batch, rate)

    def captured(self, count: int):
        """Return the graph of this many steps; capturing computes nothing but the warm-up before it."""
        torch = self.torch
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self.steps(WARM)
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.steps(count)
        return graph

    def run(self, seed: int, steps: int | None = None):
        count = self.course.recipe.steps if steps is None else steps
        if self.device == "cuda" and count not in self.graphs:
            self.graphs[count] = self.captured(count)  # before the weights are set, and not timed
        return super().run(seed, steps)

    def train(self, batches: np.ndarray) -> None:
        self.drawn[: len(batches)].copy_(self.torch.from_numpy(batches))
        if self.device == "cuda":
            self.graphs[len(batches)].replay()
        else:
            self.steps(len(batches))
        self.wait()


def measure(record: Recorder, settings: Settings) -> None:
    if reason := why_not(settings.device):
        record("missing", "PyTorch", reason=reason)
        return
    measure_race(record, [Graph, Eager], settings)
