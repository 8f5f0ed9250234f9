"""The agreement test of the GPU report: a small fault disagrees, another order of summation does not."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.gpu_report.big_step import CHECKED, losses_on_numpy
from benchmarks.gpu_report.document import Judgement
from benchmarks.gpu_report.job import JobPeer, measure_job
from benchmarks.gpu_report.numpy_job import OnNumpy
from benchmarks.gpu_report.problem import big_problem, job_problem
from benchmarks.gpu_report.readings import CAPTURED, NUMPY
from benchmarks.gpu_report.rows import Recorder, read
from benchmarks.gpu_report.settings import REHEARSAL
from benchmarks.peers.peer import LEARNING_RATE

SETTINGS = replace(REHEARSAL, samples=2000, iterations=200)


def tf32(a):
    """Return the array rounded to the 10 mantissa bits of TF32."""
    bits = np.ascontiguousarray(a).view(np.uint32)
    return ((bits + 0x1000) & np.uint32(0xFFFFE000)).view(np.float32)


class ByHand(JobPeer):
    """The job in plain NumPy.

    forgotten: parameters that are not updated.  rounded: a function applied to factors.
    """

    name, forgotten, rounded = CAPTURED, (), staticmethod(np.ascontiguousarray)

    rate = LEARNING_RATE

    def __init__(self, problem, device):
        self.problem = problem
        self.reset()

    def reset(self):
        weights = self.problem.weights
        self.params = {name: values.astype(np.float32) for name, values in weights.items()}

    def warm_up(self):
        pass

    def wait(self):
        pass

    def product(self, a, b):
        # Sums in another order, too.
        return self.rounded(a[:, ::-1]) @ self.rounded(b[::-1])

    def forward(self, x):
        h = np.maximum(self.product(x, self.params["W1"]) + self.params["b1"], 0)
        return h, self.product(h, self.params["W2"]) + self.params["b2"]

    def update(self, batch):
        x, t = self.problem.data.x[batch], self.problem.data.t[batch]
        h, z = self.forward(x)
        z -= z.max(axis=1, keepdims=True)
        dz = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        correct = np.arange(len(t)), t
        loss = -np.log(dz[correct]).mean()
        dz[correct] -= 1
        dz /= len(t)
        da = self.product(dz, self.params["W2"].T) * (h > 0)
        gradients = {
            "W1": self.product(x.T, da),
            "b1": da.sum(0),
            "W2": self.product(h.T, dz),
            "b2": dz.sum(0),
        }
        for name, gradient in gradients.items():
            if name not in self.forgotten:
                self.params[name] -= np.float32(self.rate) * gradient
        return float(loss)

    def train(self):
        return [self.update(batch) for batch in self.problem.batches]

    def accuracy(self):
        data = self.problem.data
        return float((self.forward(data.x_test)[1].argmax(axis=1) == data.t_test).mean())


FAULTS = {
    "none": ({}, "met"),
    "b1 is not updated": ({"forgotten": ("b1",)}, "DISAGREES"),
    "b2 is not updated": ({"forgotten": ("b2",)}, "DISAGREES"),
    "a learning rate that is off by a thousandth": ({"rate": 1.001 * LEARNING_RATE}, "DISAGREES"),
    "products in TF32": ({"rounded": staticmethod(tf32)}, "DISAGREES"),
}


@pytest.fixture
def record(tmp_path):
    return Recorder(tmp_path / "rows", "ours")


def verdict(record, what):
    (line,) = (line for line in Judgement(read(record.path), {}, True).lines if line.what == what)
    return line.verdict


@pytest.mark.parametrize(("fault", "expected"), FAULTS.values(), ids=FAULTS)
def test_the_job(fault, expected, record):
    problem = job_problem(SETTINGS)
    measure_job(record, OnNumpy, problem, "cpu", rounds=1)
    measure_job(record, type("Faulty", (ByHand,), fault), problem, "cpu", rounds=1)
    assert verdict(record, "ours, captured: losses off, median") == expected


@pytest.mark.parametrize("name", ["none", "b2 is not updated"])
def test_the_big_step(name, record):
    fault, expected = FAULTS[name]
    problem = big_problem(SETTINGS)
    first = type("Faulty", (ByHand,), fault)(problem, "cpu").train()[:CHECKED]
    record("big", "ours, float32", seconds=1.0, first_losses=first)
    record("big losses", NUMPY, first_losses=losses_on_numpy(problem))
    assert verdict(record, "big step, float32: losses against NumPy's") == expected
