"""Variants of the settings of `backprop race`, compared.

`python -m benchmarks.race_search [--to 98] [--seeds N]`

Each variant of a recipe trains on the first 50,000 images of MNIST and is judged by the other 10,000. The
test set is not read. The table shows the gain of each variant over the recipe. It needs BACKPROP_DATA_DIR and
runs on any backend.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean, stdev
from typing import Any

from backends import Backend, get_backend
from backprop import load_mnist
from backprop.race.recipes import TARGETS, Recipe, recipe_for
from backprop.race.runs import Race

HELD_OUT = 10_000  # images at the end of the training set
FACTORS = (0.7, 1.4)  # of the learning rate


def split(x: Any, t: Any, held_out: int = HELD_OUT) -> tuple[Any, Any]:
    """Return the images to train on and those to judge by, each with their labels."""
    return (x[:-held_out], t[:-held_out]), (x[-held_out:], t[-held_out:])


def variants(recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    """Yield the recipe and, each with a name, recipes that differ from it in one setting.

    With another momentum the rate is adapted, and with other batches the number of steps.
    """
    yield "the recipe", recipe
    yield from ((name, other) for name, other in changes(recipe) if other != recipe)


def changes(recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    """Yield recipes with one setting changed, perhaps to the value that it has."""
    for share in (0.8, 0.9, 1.1, 1.5):
        steps = round(recipe.steps * share)
        yield f"{steps:,} steps", replace(recipe, steps=steps)
    for factor in FACTORS:
        rate = recipe.learning_rate * factor
        yield f"rate {rate:.3g}", replace(recipe, learning_rate=rate)
    for momentum in (0.0, 0.8, 0.9, 0.95):
        rate = recipe.learning_rate * ((1 - momentum) / (1 - recipe.momentum))  # steps of the same length
        yield f"momentum {momentum:g}", replace(recipe, momentum=momentum, learning_rate=rate)
    for rise in (0.05, 0.3, 0.5):
        yield f"rise {rise:g}", replace(recipe, rise=rise)
    for end in (0.1, 1.0):
        yield f"end {end:g}", replace(recipe, end=end)
    for decay in (0.0, 3 * recipe.weight_decay or 2e-4):
        yield f"weight decay {decay:g}", replace(recipe, weight_decay=decay)
    for smoothing in (0.0, 3 * recipe.label_smoothing):
        yield f"label smoothing {smoothing:g}", replace(recipe, label_smoothing=smoothing)
    for first in ("he", 0.01):
        yield f"W1 {first}", replace(recipe, first=first)
    for share in (2, 5):
        size, steps = recipe.batch_size * share, recipe.steps // share
        yield f"batch {size:,}, as many images", replace(recipe, batch_size=size, steps=steps)


def accuracies(recipe: Recipe, train: Any, judge: Any, seeds: Sequence[int], backend: Backend) -> list[float]:
    """Return the accuracy on the images to judge by, for each seed."""
    race = Race(recipe, train, judge, backend)
    return [race.run(seed).accuracy for seed in seeds]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=int, choices=TARGETS, default=TARGETS[0], help="target in percent (97)")
    parser.add_argument("--seeds", type=int, default=10, help="runs of each variant (%(default)s)")
    options = parser.parse_args(arguments)
    if options.seeds < 2:
        parser.error("--seeds must be at least 2")
    if not os.environ.get("BACKPROP_DATA_DIR"):
        sys.exit("benchmarks.race_search: set BACKPROP_DATA_DIR to the directory of MNIST's four files")
    train, judge = split(*load_mnist()[0])
    backend = get_backend()
    print(f"{'variant':32} {'accuracy':>9} {'± of the mean':>14} {'gain':>7}", flush=True)
    base = None
    for name, recipe in variants(recipe_for(options.to, backend.on_host)):
        found = accuracies(recipe, train, judge, range(options.seeds), backend)
        mean, error = 100 * fmean(found), 100 * stdev(found) / len(found) ** 0.5
        base = mean if base is None else base
        print(f"{name:32} {mean:7.2f} % {error:12.2f}   {mean - base:+7.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
