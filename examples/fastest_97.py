"""Climb from the book's settings to 97 % on MNIST in 1,200 steps of 100 images, one idea a rung.

The network of chapter 5 takes the same number of steps on every rung; plain SGD needs 10,000 for 97 %. A rate
as high as the network stands helps most. One-cycle stands a higher one: it rises, since the first steps are
steep, and falls to 0, so that the noise of the batches averages out. Nesterov's momentum adds up what
gradients have in common. Standardized pixels make the loss equally steep in more directions. He's weights
change little in so shallow a network. The rates are near the best on images held out of MNIST's training set.

    python fastest_97.py                   # 4,000 images, 120 steps: lower accuracies, the same rungs
    python fastest_97.py --data mnist      # the real thing, in a minute or so
"""

import argparse

import numpy as np

import backprop
from backprop.layers import Affine, ReLU
from backprop.optimizers import SGD, Constant, Nesterov, OneCycle

parser = argparse.ArgumentParser(description="The fast road to 97 % on MNIST, rung by rung.")
parser.add_argument("--data", choices=["sample", "mnist"], default="sample", help="5,000 digits, or all")
parser.add_argument("-o", metavar="FILE", default="fastest_97.png", help="png, svg or pdf")
options = parser.parse_args()

try:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    load = backprop.load_mnist if options.data == "mnist" else backprop.load_mnist_sample
    (x_train, t_train), (x_test, t_test) = load()
except ImportError:
    parser.exit(3, 'fastest_97.py: needs matplotlib: pip install "matplotlib>=3.8"\n')
except RuntimeError as error:  # files that are missing or damaged, or no network to download them
    parser.exit(3, f"fastest_97.py: {error}\n")

SEEDS, STEPS = 4, 1200 if options.data == "mnist" else 120
one_cycle = OneCycle(rise=0.2, start=0.1, end=0.0)
LADDER = {  # optimizer, rate, schedule, standardized pixels, initial weights
    "the book: SGD, rate 0.1": (SGD, 0.1, Constant(), False, (0.01, 0.01)),
    "rate 0.6": (SGD, 0.6, Constant(), False, (0.01, 0.01)),
    "one-cycle, up to 0.8": (SGD, 0.8, one_cycle, False, (0.01, 0.01)),
    "Nesterov, up to 0.2": (Nesterov, 0.2, one_cycle, False, (0.01, 0.01)),
    "standardized, up to 0.08": (Nesterov, 0.08, one_cycle, True, (0.01, 0.01)),
    "He": (Nesterov, 0.08, one_cycle, True, ("he", "xavier")),
    "constant 0.04 once more": (Nesterov, 0.04, Constant(), True, ("he", "xavier")),
}


def trained(seed, Optimizer, rate, schedule, standardized, init, every=None):
    """Train for STEPS steps; return the test accuracy and the history."""
    shift, scale = (x_train.mean(), x_train.std()) if standardized else (0.0, 1.0)
    x, x_new = (x_train - shift) / scale, (x_test - shift) / scale
    layers = [Affine(50, weight_init_std=init[0]), ReLU(), Affine(10, weight_init_std=init[1])]
    net = backprop.Sequential(layers, 784, rng=seed)
    how = {"optimizer": Optimizer(rate), "schedule": schedule, "shuffle": "epochs", "rng": seed}
    history = backprop.train(net, x, t_train, x_new, t_test, iterations=STEPS, evaluate_every=every, **how)
    return net.accuracy(x_new, t_test), history


print(f"test accuracy after {STEPS:,} steps of 100 images, mean and least of {SEEDS} seeds")
found = {}
for name, settings in LADDER.items():
    found[name] = np.array([trained(seed, *settings)[0] for seed in range(SEEDS)])
    print(f"{name:24} {found[name].mean():7.2%} {found[name].min():7.2%}", flush=True)
BLUE, GREY = "#1f5fa8", "#8a8a8a"
rcParams.update({"font.size": 9, "axes.titlesize": 9, "axes.grid": True, "grid.color": "#e6e6e6"})
rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#b5b5b5"})
rcParams.update({"xtick.major.size": 0, "ytick.major.size": 0, "svg.fonttype": "none", "svg.hashsalt": "a"})
figure = Figure(figsize=(9.0, 4.2), layout="constrained")
panels = figure.subplot_mosaic([["ladder", "rate"], ["ladder", "accuracy"]], width_ratios=[3, 2])
ladder = panels["ladder"]
for rung, (name, values) in enumerate(found.items()):
    colour = GREY if "once more" in name else BLUE
    ladder.plot(values, [rung] * SEEDS, "o", color=colour, markersize=4, alpha=0.5)
    ladder.text(values.mean(), rung - 0.18, f"{values.mean():.2%}", color=colour, ha="center")
ladder.set_yticks(range(len(found)), found)
ladder.set_ylim(len(found) - 0.5, -0.6)
ladder.set_title(f"test accuracy after {STEPS:,} steps, {SEEDS} seeds and their mean")
for name, colour, line in (("constant 0.04 once more", GREY, "--"), ("He", BLUE, "-")):
    history = trained(0, *LADDER[name], every=STEPS // 30)[1]
    panels["rate"].plot(history.learning_rate or [0.04] * STEPS, line, color=colour)
    panels["accuracy"].plot(history.iterations, history.test_accuracy, line, color=colour)
panels["rate"].text(0.28 * STEPS, 0.078, "one-cycle", color=BLUE)
panels["rate"].text(STEPS, 0.043, "constant", color=GREY, ha="right")
panels["rate"].set_title("learning rate: the same on average")
low, high = history.test_accuracy[-1] - 0.06, history.test_accuracy[-1] + 0.01
panels["accuracy"].set(title="test accuracy on the way, one seed", xlabel="step", ylim=(low, high))
figure.savefig(options.o, dpi=150)
print(f"written: {options.o}")
