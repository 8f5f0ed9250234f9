"""The course that all racers run: the data, and for each seed the weights, the batches and the rates."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from backends import load
from backprop import to_numpy
from backprop.race.recipes import Recipe
from backprop.race.runs import cycle_of, new_net, standardized
from backprop.training.batches import Epochs
from benchmarks.peers.data import CLASSES, Data

Weights = dict[str, np.ndarray]


class Course(NamedTuple):
    """A recipe, the data as pixels in [0, 1], and the same data standardized."""

    recipe: Recipe
    pixels: Data
    data: Data

    @classmethod
    def of(cls, recipe: Recipe, pixels: Data) -> "Course":
        x, x_test = standardized(pixels.x, pixels.x_test)
        return cls(recipe, pixels, pixels._replace(x=x, x_test=x_test))

    def start(self, seed: int) -> tuple[Weights, np.random.Generator]:
        """Return the initial weights, float32, and the generator that draws the batches: those of `Race`."""
        rng = np.random.default_rng(seed)
        net = new_net(self.recipe, rng, load("numpy"))
        return {name: to_numpy(values).copy() for name, values in net.params.items()}, rng

    def batches(self, rng: np.random.Generator, steps: int) -> np.ndarray:
        """Return indices (steps, batch_size) from a new permutation for each epoch."""
        drawn: np.ndarray = Epochs(rng, len(self.data.x), self.recipe.batch_size).draw(steps)
        return drawn

    def rates(self) -> list[float]:
        """Return the learning rate of each step."""
        recipe, cycle = self.recipe, cycle_of(self.recipe)
        return [recipe.learning_rate * cycle.factor(i, recipe.steps) for i in range(recipe.steps)]


def reference(
    weights: Weights,
    x: np.ndarray,
    t: np.ndarray,
    batches: np.ndarray,
    rates: Sequence[float],
    recipe: Recipe,
    rate_outside: bool,
) -> Weights:
    """Return the weights after some steps of Nesterov's momentum, in float64 by the formulas alone.

    rate_outside: the rate multiplies the velocity, as in PyTorch; else it is within the velocity, as in the
    book. Both are the same as long as the rate does not change.
    """
    momentum, smoothing = recipe.momentum, recipe.label_smoothing
    w = {name: values.astype("float64") for name, values in weights.items()}
    velocity = {name: np.zeros_like(values) for name, values in w.items()}
    for batch, rate in zip(batches, rates, strict=True):
        inputs = x[batch].astype("float64")
        target = (1 - smoothing) * np.eye(CLASSES)[t[batch]] + smoothing / CLASSES
        z = inputs @ w["W1"] + w["b1"]
        hidden = np.maximum(z, 0.0)
        scores = hidden @ w["W2"] + w["b2"]
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        dscores = (shares / shares.sum(axis=1, keepdims=True) - target) / len(batch)
        dz = (dscores @ w["W2"].T) * (z > 0.0)
        grads = {"W1": inputs.T @ dz, "b1": dz.sum(0), "W2": hidden.T @ dscores, "b2": dscores.sum(0)}
        inside, outside = (1.0, rate) if rate_outside else (rate, 1.0)
        for name, g in grads.items():
            if w[name].ndim > 1:
                g = g + recipe.weight_decay * w[name]
            velocity[name] = momentum * velocity[name] - inside * g
            w[name] += outside * (momentum * velocity[name] - inside * g)
    return w
