"""Steps of SimpleConvNet and DeepConvNet by PyTorch with cuDNN: eagerly, and as one CUDA graph."""

from benchmarks.gpu_report import with_pytorch
from benchmarks.gpu_report.convolution import IMAGE, Net, nets, problem_of
from benchmarks.gpu_report.problem import Problem
from benchmarks.gpu_report.readings import GRAPH, PYTORCH
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.timed import measure_steps
from benchmarks.peers.data import CLASSES
from benchmarks.peers.peer import LEARNING_RATE


class Eager(with_pytorch.Eager):
    """A peer in float32 without TF32, as ours; cuDNN chooses its algorithms by trial."""

    name = PYTORCH

    def __init__(self, problem: Problem, device: str, net: Net) -> None:
        import torch

        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
        self.torch, self.device = torch, torch.device(device)
        images = problem.data.x.reshape(-1, *IMAGE)
        self.x, self.t, self.batches = (
            torch.from_numpy(array).to(self.device) for array in (images, problem.data.t, problem.batches)
        )
        self.weights, self.on_host = problem.weights, torch.from_numpy(problem.batches)
        self.model = torch.nn.Sequential(*modules(torch, net, problem)).to(self.device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE)
        self.reset()

    def reset(self) -> None:
        with self.torch.no_grad():
            for parameter, values in zip(self.model.parameters(), self.weights.values(), strict=True):
                turned = values.T if values.ndim == 2 else values  # Linear keeps its weight as (out, in)
                parameter.copy_(self.torch.from_numpy(turned.copy()))


class Graph(Eager, with_pytorch.Graph):
    """All steps captured as one CUDA graph."""

    name = GRAPH

    def steps(self) -> None:
        for _ in range(len(self.batches)):
            self.step()

    def train(self) -> list[float]:
        self.batches.copy_(self.on_host)
        self.done.zero_()
        self.replay()
        return self.losses.tolist()


def modules(torch, net: Net, problem: Problem) -> list:
    """Return the layers of a network with the shapes of its weights."""
    made, nn, shapes = [], torch.nn, [W.shape for W in problem.weights.values() if W.ndim > 1]
    for i, (filters, size, padding) in enumerate(net.convolutions):
        made += [nn.Conv2d(shapes[i][1], filters, size, padding=padding), nn.ReLU()]
        made += [nn.MaxPool2d(2)] if i in net.pooled else []
    features = shapes[len(net.convolutions)][0]
    last = [nn.Flatten(), nn.Linear(features, net.hidden), nn.ReLU(), nn.Linear(net.hidden, CLASSES)]
    return [*made, *last]


def measure(record: Recorder, settings: Settings) -> None:
    if reason := with_pytorch.why_not(settings.device):
        record("missing", "PyTorch", reason=reason)
        return
    for net in nets(settings):
        problem = problem_of(net, settings)
        for kind in (Graph, Eager):
            measure_steps(record, kind, net, problem, settings)
