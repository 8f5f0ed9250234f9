"""JAX: one compiled `lax.scan` over all batches and rates."""

import numpy as np

from benchmarks.peers.peer import by_name
from benchmarks.race.course import Weights
from benchmarks.race.racer import Racer


class Scan(Racer):
    """The recipe as one call, compiled before; compiled again for another number of steps."""

    name = "JAX scan"
    library = "jax"

    def build(self) -> None:
        import jax
        import jax.numpy as jnp

        data, recipe, momentum = self.course.data, self.course.recipe, self.course.recipe.momentum

        def logits(weights, x):
            W1, b1, W2, b2 = weights
            return jax.nn.relu(x @ W1 + b1) @ W2 + b2

        def loss(weights, x, t):
            z = logits(weights, x)
            right = jnp.take_along_axis(z, t[:, None], axis=1)[:, 0]
            smoothing = recipe.label_smoothing
            target = (1 - smoothing) * right + smoothing * z.mean(axis=1) if smoothing else right
            return (jax.nn.logsumexp(z, axis=1) - target).mean()

        # The data is an argument, since a constant would be copied into the compiled function.
        def run(weights, velocity, x, t, batches, rates):
            def step(carried, given):
                (weights, velocity), (batch, rate) = carried, given
                grads = jax.grad(loss)(weights, x[batch], t[batch])
                if recipe.weight_decay:
                    decays = (recipe.weight_decay * (w.ndim > 1) for w in weights)
                    grads = [g + d * w for g, d, w in zip(grads, decays, weights, strict=True)]
                velocity = [momentum * v - rate * g for v, g in zip(velocity, grads, strict=True)]
                moves = (momentum * v - rate * g for v, g in zip(velocity, grads, strict=True))
                return ([w + move for w, move in zip(weights, moves, strict=True)], velocity), None

            return jax.lax.scan(step, (weights, velocity), (batches, rates))[0]

        self.jax, self.jnp = jax, jnp
        self.x, self.x_test = jnp.asarray(data.x), jnp.asarray(data.x_test)
        self.t, self.t_test = (jnp.asarray(t.astype(np.int32)) for t in (data.t, data.t_test))
        self.scan = jax.jit(run, donate_argnums=(0, 1))
        self.right = jax.jit(lambda weights, x, t: (logits(weights, x).argmax(axis=1) == t).mean())
        self.run(0, recipe.steps)  # compiles

    def begin(self, weights: Weights) -> None:
        self.parameters = [self.jnp.array(values) for values in weights.values()]
        self.velocity = [self.jnp.zeros_like(values) for values in self.parameters]
        self.jax.block_until_ready((self.parameters, self.velocity))

    def train(self, batches: np.ndarray) -> None:
        rates = np.asarray(self.rates[: len(batches)], "float32")
        self.parameters, self.velocity = self.scan(
            self.parameters, self.velocity, self.x, self.t, batches.astype(np.int32), rates
        )
        self.jax.block_until_ready(self.parameters)

    def accuracy(self) -> float:
        return float(self.right(self.parameters, self.x_test, self.t_test))

    def weights(self) -> Weights:
        return by_name(np.array(values) for values in self.parameters)
