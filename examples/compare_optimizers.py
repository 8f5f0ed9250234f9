"""Compare optimizers on two variables and on digits, as in book section 6.1.

Above: 30 steps from (-7, 2) down f(x, y) = x²/20 + y², which is much steeper along y than along x. SGD needs
a large rate for x, and at that rate it jumps across the valley in every step. Momentum jumps less often, but
overshoots. AdaGrad and Adam divide by the size of past gradients: their first step is as long in x as in y.

Below: a network with four hidden layers learns digits, with each optimizer at a rate near its best. SGD is
the slowest. The others end close together; which of them is ahead changes with the seed.

    python compare_optimizers.py
    python compare_optimizers.py --data mnist -o optimizers.svg
"""

import argparse

import numpy as np

import backprop
from backprop.networks import MultiLayerNet
from backprop.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp

parser = argparse.ArgumentParser(description="Optimizers, compared.")
parser.add_argument("--data", choices=["sample", "mnist"], default="sample", help="5,000 digits, or all")
parser.add_argument("-o", metavar="FILE", default="compare_optimizers.png", help="png, svg or pdf")
options = parser.parse_args()

try:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    load = backprop.load_mnist if options.data == "mnist" else backprop.load_mnist_sample
    (x_train, t_train), (x_test, t_test) = load()
except ImportError:
    parser.exit(3, 'compare_optimizers.py: needs matplotlib: pip install "matplotlib>=3.8"\n')
except RuntimeError as error:  # files that are missing or damaged, or no network to download them
    parser.exit(3, f"compare_optimizers.py: {error}\n")

BLUE, ORANGE, GREEN, PURPLE = "#1f5fa8", "#d9622b", "#2e8b57", "#8e5ea2"
rcParams.update({"font.size": 9, "axes.titlesize": 9, "font.sans-serif": ["DejaVu Sans"]})
rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#b5b5b5"})
rcParams.update({"xtick.bottom": False, "ytick.left": False, "svg.fonttype": "none", "svg.hashsalt": "fixed"})
figure = Figure(figsize=(9, 5.6), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[2, 3])

x, y = np.meshgrid(np.linspace(-8, 2, 16), np.linspace(-2.5, 2.5, 16))
panels = above.subplots(1, 4, sharex=True, sharey=True)
optimizers = SGD(0.95), Momentum(0.1), AdaGrad(1.5), Adam(0.3)  # the book's rates
print("two variables, 30 steps        x        y        f")
for panel, optimizer, colour in zip(panels, optimizers, (BLUE, ORANGE, GREEN, PURPLE), strict=True):
    point, path = {"x": backprop.asarray([-7.0]), "y": backprop.asarray([2.0])}, [(-7.0, 2.0)]
    for _ in range(30):
        optimizer.update(point, {"x": point["x"] / 10, "y": 2 * point["y"]})  # moves the point in place
        path.append((float(point["x"][0]), float(point["y"][0])))
    name, (last_x, last_y) = f"{type(optimizer).__name__}({optimizer.learning_rate})", path[-1]
    print(f"{name:22} {last_x:9.3f} {last_y:8.3f} {last_x**2 / 20 + last_y**2:8.4f}")
    panel.contour(x, y, x**2 / 20 + y**2, levels=[0.25, 1, 2.25, 4], colors="#cccccc", linewidths=0.7)
    panel.plot(*zip(*path, strict=True), "-o", color=colour, markersize=2.5, linewidth=1)
    panel.plot(0, 0, "k+")
    panel.set(title=name, xlabel="x", ylabel="y", xticks=[-5, 0], yticks=[-2, 0, 2])
    panel.label_outer()

panel, ends = below.subplots(), []
print("\ndigits, 400 steps      loss at 100   at 400   test accuracy")
for optimizer, colour, line in (
    *((SGD(0.1), BLUE, "-"), (Momentum(0.03), ORANGE, "-"), (Nesterov(0.03), ORANGE, "--")),
    *((AdaGrad(0.01), GREEN, "-"), (RMSProp(0.001), GREEN, "--")),
    *((Adam(0.001), PURPLE, "-"), (AdamW(0.001), PURPLE, "--")),
):
    net = MultiLayerNet(784, [100, 100, 100, 100], 10, rng=0)  # the same for each
    settings = {"optimizer": optimizer, "iterations": 400, "evaluate_every": None, "rng": 0}
    history = backprop.train(net, x_train, t_train, **settings)
    loss = np.reshape(history.loss, (16, 25)).mean(axis=1)  # of 25 batches each
    name = f"{type(optimizer).__name__}({optimizer.learning_rate})"
    print(f"{name:22} {loss[3]:11.3f} {loss[-1]:8.3f} {net.accuracy(x_test, t_test):15.3f}")
    panel.plot(np.arange(25, 401, 25), loss, line, color=colour)
    ends.append((loss[-1], name, colour))
leader = {"arrowstyle": "-", "color": "#b5b5b5", "relpos": (0, 0.5), "shrinkB": 0}
for place, (loss, name, colour) in enumerate(sorted(ends)):  # names at the ends of the curves, set apart
    at = {"xy": (400, loss), "xytext": (1.04, 0.03 + 0.075 * place), "textcoords": "axes fraction"}
    panel.annotate(name, **at, va="center", color=colour, arrowprops=leader)
panel.set(yscale="log", xlim=(0, 400), xlabel="step", ylabel="training loss (nats), mean of 25 batches")
panel.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5, 1], ["0.02", "0.05", "0.1", "0.2", "0.5", "1"])
panel.minorticks_off()
figure.savefig(options.o, dpi=150)
print(f"written: {options.o}")
