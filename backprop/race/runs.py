"""The training runs of a race: one recipe with one seed after another, in the same arrays.

One Trainer serves all seeds, so a GPU records the steps once. The seconds of a run begin when its first batch
is drawn and end when its last update is done. New weights come before that, the evaluation after it.
"""

import time
from typing import Any, NamedTuple

from backends import Backend
from backprop.arrays.initializers import generator
from backprop.layers import Affine, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Sequential
from backprop.optimizers import Nesterov, OneCycle
from backprop.race.recipes import Recipe
from backprop.training import SEGMENT, History, Trainer
from backprop.training.batches import Epochs
from backprop.training.loop import Run
from backprop.training.rates import Rates
from backprop.training.sets import Sets

PIXELS, CLASSES = 784, 10


class Finish(NamedTuple):
    """The outcome of one seed.

    accuracy: of the test set, in [0, 1].  seconds: of the training alone.  evaluation_seconds: after it.
    """

    seed: int
    steps: int
    seconds: float
    accuracy: float
    evaluation_seconds: float


def standardized(train: Any, test: Any) -> tuple[Any, Any]:
    """Return both sets of samples, with mean 0 and standard deviation 1 over all values of the first."""
    mean, std = train.mean(), train.std() or 1.0  # 0 if all pixels are equal
    return (train - mean) / std, (test - mean) / std


def new_net(recipe: Recipe, rng: Any, backend: Backend) -> Sequential:
    """Return a network with new weights, float32, drawn from a seed or a generator."""
    first = Affine(recipe.hidden, weight_init_std=recipe.first)
    last = Affine(CLASSES, weight_init_std=recipe.last)
    loss = SoftmaxCrossEntropy(recipe.label_smoothing)
    return Sequential([first, ReLU(), last], PIXELS, loss=loss, rng=rng, dtype="float32", backend=backend)


def cycle_of(recipe: Recipe) -> OneCycle:
    """Return the schedule of a recipe."""
    return OneCycle(recipe.rise, recipe.start, recipe.end)


class Race:
    """A recipe and its data, ready to run with any seed.

    A seed gives the same weights alone and after others, and the same as `train` with these settings.

    Parameters
    ----------
    recipe : Recipe
    train, test : tuple of array
        Pixels (N, 784) and labels (N,), on the host.
    backend : Backend
    """

    def __init__(self, recipe: Recipe, train: Any, test: Any, backend: Backend) -> None:
        self.recipe, self.backend = recipe, backend
        x_train, x_test = standardized(train[0], test[0])
        net = new_net(recipe, 0, backend)
        data, self.test = (net.prepare("race", *pair) for pair in ((x_train, train[1]), (x_test, test[1])))
        optimizer = Nesterov(recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay)
        self.rates = Rates(cycle_of(recipe), recipe.steps, optimizer, net.dtype)
        self.trainer, self.sets = Trainer(net, optimizer, *data, recipe.batch_size), Sets(data, None, None)

    def warm_up(self) -> None:
        """Do what takes time only once: load libraries, compile and record the steps."""
        recipe, samples = self.recipe, min(self.backend.samples_at_once, self.test[0].shape[0])
        sizes = ((PIXELS, recipe.hidden), (recipe.hidden, CLASSES))
        self.backend.warmup([(rows, *size) for rows in (recipe.batch_size, samples) for size in sizes])
        # Steps are recorded in groups of SEGMENT, and once more for those that are left at the end.
        self.run(0, steps=min(recipe.steps, SEGMENT + recipe.steps % SEGMENT))

    def run(self, seed: int, steps: int | None = None) -> Finish:
        """Train with new weights and new batches, and evaluate on the test set.

        steps: fewer than those of the recipe, for a trial.
        Raises Diverged if the weights become NaN or infinite.
        """
        steps, history = self.recipe.steps if steps is None else steps, History()
        rng, trainer = generator(seed), self.trainer
        trainer.restart(new_net(self.recipe, rng, self.backend))
        self.backend.synchronize()
        batches = Epochs(rng, self.sets.size, self.recipe.batch_size)
        Run(trainer, self.sets, batches, steps, every=0, history=history, rates=self.rates)()
        begun = time.perf_counter()
        accuracy = trainer.net.share_correct(*self.test, trainer.scores) or 0.0
        return Finish(seed, steps, history.seconds, accuracy, time.perf_counter() - begun)
