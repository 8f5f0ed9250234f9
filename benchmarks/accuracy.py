"""The accuracy of a deeper network on MNIST: `python -m benchmarks.accuracy [--seeds N]`.

784-100-50-10 with BatchNorm, five epochs without replacement, Nesterov's momentum with weight decay, and a
one-cycle schedule: see "A recipe for MNIST" in docs/guides/training.md. It needs BACKPROP_DATA_DIR.
"""

import argparse
import os
import sys
from statistics import mean, median
from typing import Any

LEAST = 0.982  # the mean accuracy to reach


def trained(seed: int) -> Any:
    """Return the history of a run with this seed."""
    from backprop import Sequential, load_mnist, train
    from backprop.layers import Affine, BatchNorm, ReLU
    from backprop.optimizers import Nesterov, OneCycle

    (x_train, t_train), (x_test, t_test) = load_mnist()
    layers = [Affine(100), BatchNorm(), ReLU(), Affine(50), BatchNorm(), ReLU(), Affine(10)]
    return train(
        Sequential(layers, input_shape=784, rng=seed),
        *(x_train, t_train, x_test, t_test),
        epochs=5,
        shuffle="epochs",
        optimizer=Nesterov(0.2, weight_decay=5e-4),
        schedule=OneCycle(),
        rng=seed,
    )


def main() -> int:
    """Train with several seeds, print the accuracies, and return 1 if their mean is too low."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="number of runs (%(default)s)")
    seeds = parser.parse_args().seeds
    if seeds < 1:
        parser.error("--seeds must be at least 1")
    if not os.environ.get("BACKPROP_DATA_DIR"):
        sys.exit("benchmarks.accuracy: set BACKPROP_DATA_DIR to the directory of MNIST's four files")
    accuracies, seconds = [], []
    for seed in range(seeds):
        history = trained(seed)
        accuracies.append(history.test_accuracy[-1])
        seconds.append(history.seconds)
        print(f"seed {seed}: {accuracies[-1]:.2%} in {seconds[-1]:.1f} s", flush=True)
    reached = mean(accuracies)
    spread = f"least {min(accuracies):.2%}, median time {median(seconds):.1f} s"
    print(f"mean {reached:.2%} of {seeds}, {spread}")
    return 0 if reached >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
