"""JAX: `lax.scan` over all batches, compiled as one call, with products in full float32."""

import os
from importlib.util import find_spec

import numpy as np

from benchmarks.gpu_report.job import JobPeer, measure_job
from benchmarks.gpu_report.problem import Problem, job_problem
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.peer import LEARNING_RATE


class Scan(JobPeer):
    name = "JAX lax.scan"

    def __init__(self, problem: Problem, device: str) -> None:
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")  # the default on a GPU is TF32
        self.jax = jax
        self.device = jax.devices("gpu" if device == "cuda" else "cpu")[0]
        data = problem.data
        self.weights_on_host = [values.astype(np.float32) for values in problem.weights.values()]
        self.batches = problem.batches.astype(np.int32)
        self.x, self.t, self.x_test, self.t_test = (
            jax.device_put(array, self.device)
            for array in (data.x, data.t.astype(np.int32), data.x_test, data.t_test.astype(np.int32))
        )
        self.reset()

    def reset(self) -> None:
        self.weights = [self.jax.device_put(values, self.device) for values in self.weights_on_host]

    def warm_up(self) -> None:
        jax, jnp = self.jax, self.jax.numpy

        def logits(weights, x):
            W1, b1, W2, b2 = weights
            return jax.nn.relu(x @ W1 + b1) @ W2 + b2

        def loss(weights, x, t):
            z = logits(weights, x)
            return (jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, t[:, None], axis=1)[:, 0]).mean()

        # The data is an argument, since a constant would be copied into the compiled function.
        def run(weights, x, t, batches):
            def step(weights, batch):
                value, gradients = jax.value_and_grad(loss)(weights, x[batch], t[batch])
                return [w - LEARNING_RATE * dw for w, dw in zip(weights, gradients, strict=True)], value

            return jax.lax.scan(step, weights, batches)

        def correct(weights, x, t):
            return (logits(weights, x).argmax(axis=1) == t).sum()

        batches = jax.device_put(self.batches, self.device)
        run = jax.jit(run, donate_argnums=0)
        self.run = run.lower(self.weights, self.x, self.t, batches).compile()
        self.correct = jax.jit(correct)

    def train(self) -> list[float]:
        batches = self.jax.device_put(self.batches, self.device)
        self.weights, losses = self.run(self.weights, self.x, self.t, batches)
        return np.asarray(losses).tolist()

    def wait(self) -> None:
        self.jax.block_until_ready(self.weights)

    def accuracy(self) -> float:
        return int(self.correct(self.weights, self.x_test, self.t_test)) / len(self.t_test)


def why_not(device: str) -> str | None:
    """Return the reason why JAX cannot be measured, or None."""
    if find_spec("jax") is None:
        return "jax is not installed"
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # it would take most of the GPU's memory
    import jax

    if device == "cuda" and jax.default_backend() != "gpu":
        return f"jax {jax.__version__} finds no GPU, only {jax.default_backend()}"
    return None


def measure(record: Recorder, settings: Settings) -> None:
    if reason := why_not(settings.device):
        record("missing", "JAX", reason=reason)
        return
    measure_job(record, Scan, job_problem(settings), settings.device, settings.rounds)
