"""Look at the outputs of five hidden layers under four kinds of initial weights, as in book section 6.2.

Each panel shows the distribution of the outputs of layers 1 to 5 for 1,000 digits, before any training. The
title gives the initial weights, and the test accuracy that the network has after 100 steps of SGD.

With a standard deviation of 1, Sigmoid and Tanh return little but their extremes, where their derivative
vanishes, and ReLU explodes. With 0.01, the last layers return almost the same for every digit, so there is
nothing to learn from. With Xavier's and He's rules, Tanh and ReLU stay spread out, and these networks learn.
He's rule is made for ReLU, whose outputs shrink from layer to layer under Xavier's. Five layers of Sigmoid
learn badly with each of the four, since its derivative is at most 1/4.

    python activations_and_weights.py
    python activations_and_weights.py --data mnist -o activations.svg
"""

import argparse

import numpy as np

import backprop
from backprop.layers import Affine, ReLU, Sigmoid, Tanh
from backprop.optimizers import SGD
from backprop.training import Diverged

parser = argparse.ArgumentParser(description="Activations and initial weights.")
parser.add_argument("--data", choices=["sample", "mnist"], default="sample", help="5,000 digits, or all")
parser.add_argument("-o", metavar="FILE", default="activations_and_weights.png", help="png, svg or pdf")
options = parser.parse_args()

try:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    load = backprop.load_mnist if options.data == "mnist" else backprop.load_mnist_sample
    (x_train, t_train), (x_test, t_test) = load()
except ImportError:
    parser.exit(3, 'activations_and_weights.py: needs matplotlib: pip install "matplotlib>=3.8"\n')
except RuntimeError as error:  # files that are missing or damaged, or no network to download them
    parser.exit(3, f"activations_and_weights.py: {error}\n")
mean, std = x_train.mean(), x_train.std()
x_train, x_test = (x_train - mean) / std, (x_test - mean) / std  # the rules expect inputs of this size

rcParams.update({"font.size": 9, "axes.titlesize": 9, "font.sans-serif": ["DejaVu Sans"]})
rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#b5b5b5"})
rcParams.update({"xtick.bottom": False, "ytick.left": False, "svg.fonttype": "none", "svg.hashsalt": "fixed"})
figure = Figure(figsize=(9, 6), layout="constrained")
panels = figure.subplots(3, 4, sharex=True, sharey="row")

print("layers   weights   spread in layer 1   in layer 5   accuracy")
rows = (Sigmoid, "#1f5fa8", 0, 1), (Tanh, "#d9622b", -1, 1), (ReLU, "#2e8b57", 0, 3)
for row, (activation, colour, low, high) in zip(panels, rows, strict=True):
    for panel, rule in zip(row, (1, 0.01, "xavier", "he"), strict=True):
        hidden = [layer for _ in range(5) for layer in (Affine(100, weight_init_std=rule), activation())]
        net = backprop.Sequential([*hidden, Affine(10, weight_init_std=rule)], 784, rng=0)
        spreads = []
        for n in range(1, 6):
            out = backprop.to_numpy(net[: 2 * n].predict(x_train[:1000]))  # of layer n, shape (1000, 100)
            spreads.append(out.std(axis=0).mean())  # of a unit over the digits, in the mean of the units
            shown = np.clip(out[out != 0], low, high)  # without the half that ReLU sets to 0
            counts, edges = np.histogram(shown, bins=16)
            middles, widths = (edges[1:] + edges[:-1]) / 2, 0.85 * counts / counts.max()
            panel.fill([n, *(n + widths), n], [edges[0], *middles, edges[-1]], color=colour, linewidth=0.8)
        try:
            settings = {"optimizer": SGD(0.1), "iterations": 100, "evaluate_every": None, "rng": 0}
            backprop.train(net, x_train, t_train, **settings)
            accuracy = f"{net.accuracy(x_test, t_test):.3f}"
        except Diverged:
            accuracy = "diverges"
        print(f"{activation.__name__:8} {rule!s:7} {spreads[0]:19.2g} {spreads[4]:12.2g} {accuracy:>10}")
        panel.set(title=f"weights {rule}: {accuracy}", xticks=range(1, 6), xlim=(0.8, 6), yticks=[low, high])
    row[0].set_ylabel(f"output of {activation.__name__}")
for panel in panels[-1]:
    panel.set_xlabel("layer")
panels[-1][0].set_yticks([0, 3], ["0", "≥ 3"])
figure.savefig(options.o, dpi=150)
print(f"written: {options.o}")
