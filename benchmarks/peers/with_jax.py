"""JAX: a compiled step for each batch, and a compiled loop over many of them."""

import numpy as np

from benchmarks.peers.data import Data
from benchmarks.peers.peer import LEARNING_RATE, Batches, DrawsEachBatch, Peer, by_name


class Jit(DrawsEachBatch):
    """A jitted step. No result is awaited before all batches are under way."""

    name = "JAX jit"
    library = "jax"

    def build(self, hidden: int, weights: dict[str, np.ndarray], data: Data) -> None:
        import jax
        import jax.numpy as jnp

        def logits(weights, x):
            W1, b1, W2, b2 = weights
            return jax.nn.relu(x @ W1 + b1) @ W2 + b2

        def loss(weights, x, t):
            z = logits(weights, x)
            return (jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, t[:, None], axis=1)[:, 0]).mean()

        # The data is an argument, since a constant would be copied into the compiled function.
        def step(weights, x, t, batch):
            gradients = jax.grad(loss)(weights, x[batch], t[batch])
            return [w - LEARNING_RATE * dw for w, dw in zip(weights, gradients, strict=True)]

        def step_loss(weights, x, t, batch):
            weights = step(weights, x, t, batch)
            return weights, loss(weights, x[batch], t[batch])

        def accuracy(weights, x, t):
            return (logits(weights, x).argmax(axis=1) == t).mean()

        self.jax = jax
        self.functions = step, step_loss
        self.x, self.x_test = jnp.asarray(data.x), jnp.asarray(data.x_test)
        self.t, self.t_test = (jnp.asarray(t.astype(np.int32)) for t in (data.t, data.t_test))
        self.weights = [jnp.asarray(values.astype(np.float32)) for values in weights.values()]
        self.accuracy = jax.jit(accuracy)
        self.compile()

    def compile(self) -> None:
        self.run, self.run_loss = (self.jax.jit(f, donate_argnums=0) for f in self.functions)

    def step(self, batches: Batches) -> None:
        for batch in batches:
            self.weights = self.run(self.weights, self.x, self.t, batch.astype(np.int32))
        self.jax.block_until_ready(self.weights)

    def step_loss(self, batches: Batches) -> list[float]:
        losses = []
        for batch in batches:
            self.weights, loss = self.run_loss(self.weights, self.x, self.t, batch.astype(np.int32))
            losses.append(loss)
        return [float(loss) for loss in losses]

    def evaluate(self) -> tuple[float, float]:
        train, test = ((self.x, self.t), (self.x_test, self.t_test))
        return float(self.accuracy(self.weights, *train)), float(self.accuracy(self.weights, *test))

    def parameters(self) -> dict[str, np.ndarray]:
        return by_name(np.array(values) for values in self.weights)


class Scan(Jit):
    """A `lax.scan` over the batches: one compiled call for all, recompiled for another count."""

    name = "JAX scan"
    draw = Peer.draw

    def compile(self) -> None:
        scan, (step, step_loss) = self.jax.lax.scan, self.functions

        def run(weights, x, t, batches):
            return scan(lambda w, batch: (step(w, x, t, batch), None), weights, batches)[0]

        def run_loss(weights, x, t, batches):
            return scan(lambda w, batch: step_loss(w, x, t, batch), weights, batches)

        self.run, self.run_loss = (self.jax.jit(f, donate_argnums=0) for f in (run, run_loss))

    def step(self, batches: np.ndarray) -> None:
        self.weights = self.run(self.weights, self.x, self.t, batches.astype(np.int32))
        self.jax.block_until_ready(self.weights)

    def step_loss(self, batches: np.ndarray) -> list[float]:
        self.weights, losses = self.run_loss(self.weights, self.x, self.t, batches.astype(np.int32))
        return np.asarray(losses).tolist()
