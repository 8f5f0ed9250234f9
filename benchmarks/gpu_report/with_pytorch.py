"""PyTorch: eagerly, and a hundred steps as one CUDA graph; and its big step."""

from importlib.util import find_spec

from backprop.reporting.timing import in_turns
from benchmarks.gpu_report.job import FIRST, JobPeer, measure_job
from benchmarks.gpu_report.problem import Problem, big_problem, job_problem
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.data import CLASSES, PIXELS
from benchmarks.peers.peer import LEARNING_RATE

STEPS = 100  # in a graph


class Eager(JobPeer):
    """The job by autograd, cross_entropy and optim.SGD; data and indices are on the device already."""

    name = "PyTorch eager"

    def __init__(self, problem: Problem, device: str) -> None:
        import torch

        if device == "cpu":
            torch.set_num_threads(1)
        self.torch, self.device = torch, torch.device(device)
        data = problem.data
        arrays = data.x, data.t, data.x_test, data.t_test, problem.batches
        self.x, self.t, self.x_test, self.t_test, self.batches = (
            torch.from_numpy(array).to(self.device) for array in arrays
        )
        self.weights, self.on_host = problem.weights, torch.from_numpy(problem.batches)
        self.model = torch.nn.Sequential(
            torch.nn.Linear(PIXELS, len(self.weights["b1"])),
            torch.nn.ReLU(),
            torch.nn.Linear(len(self.weights["b1"]), CLASSES),
        ).to(self.device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE)
        self.reset()

    def reset(self) -> None:
        with self.torch.no_grad():
            for parameter, values in zip(self.model.parameters(), self.weights.values(), strict=True):
                parameter.copy_(
                    self.torch.from_numpy(values.T.copy())
                )  # Linear keeps its weight as (out, in)

    def warm_up(self) -> None:
        for batch in self.batches[:FIRST]:
            self.update(batch)

    def update(self, batch):
        loss = self.torch.nn.functional.cross_entropy(self.model(self.x[batch]), self.t[batch])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()  # read at the end, since reading it here would synchronize

    def train(self) -> list[float]:
        return self.torch.stack([self.update(batch) for batch in self.batches]).tolist()

    def wait(self) -> None:
        if self.device.type == "cuda":
            self.torch.cuda.synchronize()

    def accuracy(self) -> float:
        with self.torch.no_grad():
            correct = self.model(self.x_test).argmax(dim=1) == self.t_test
        return correct.sum().item() / len(correct)


class Graph(Eager):
    """A hundred steps captured as one CUDA graph; a counter on the device selects the next batches."""

    name = "PyTorch CUDA graph"

    def warm_up(self) -> None:
        torch = self.torch
        self.done = torch.zeros(1, dtype=torch.int64, device=self.device)
        self.losses = torch.zeros(len(self.batches), device=self.device)
        if self.device.type != "cuda":
            self.replay = self.steps
            return
        # As PyTorch's notes on CUDA graphs advise: some steps on a side stream, then gradients set to None,
        # then the capture, which computes nothing.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.step()
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.steps()
        self.replay = self.graph.replay

    def steps(self) -> None:
        for _ in range(STEPS):
            self.step()

    def step(self) -> None:
        loss = self.update(self.batches.index_select(0, self.done)[0])
        self.losses.index_copy_(0, self.done, loss.view(1))
        self.done.add_(1)

    def train(self) -> list[float]:
        self.batches.copy_(self.on_host)
        self.done.zero_()
        for _ in range(len(self.batches) // STEPS):
            self.replay()
        return self.losses.tolist()


def why_not(device: str) -> str | None:
    """Return the reason why PyTorch cannot be measured, or None."""
    if find_spec("torch") is None:
        return "torch is not installed"
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        return f"torch {torch.__version__} finds no CUDA device"
    return None


def measure(record: Recorder, settings: Settings) -> None:
    if reason := why_not(settings.device):
        record("missing", "PyTorch", reason=reason)
        return
    problem = job_problem(settings)
    measure_job(record, Graph, problem, settings.device, settings.rounds)
    measure_job(record, Eager, problem, settings.device, settings.eager_rounds)
    measure_big(record, settings)


def measure_big(record: Recorder, settings: Settings) -> None:
    import torch

    problem = big_problem(settings)
    for name, precision in (("float32", "highest"), ("TF32", "high")):
        name = f"PyTorch eager, {name}"
        with record.attempt("big", name):
            torch.set_float32_matmul_precision(precision)
            peer = Eager(problem, settings.device)
            first = peer.train()  # the first call compiles and selects algorithms; its losses are compared

            def work(n: int, peer: Eager = peer) -> None:
                for _ in range(n):
                    peer.train()
                peer.wait()

            times = in_turns({name: work}, rounds=settings.rounds, block=settings.block)
            for i, taken in enumerate(times.seconds[name]):
                record("big", name, round=i, seconds=taken / settings.big_steps, first_losses=first[:FIRST])
