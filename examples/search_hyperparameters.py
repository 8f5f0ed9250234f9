"""Find a learning rate and a weight decay by random search, and compare with a learning-rate range test.

Book section 6.5. Each of 40 trials draws both on a logarithmic scale, trains briefly, and is measured on 200
validation images, never on the test set. The good trials lie in one patch: their rates are within a factor
of 5, while their weight decays differ widely. The range test is one run with a rate that rises from step to
step. Its suggestion, half the rate of the lowest loss, falls just short of that patch. It costs as much as
four trials and knows nothing of weight decay. The best settings then train on all the images.

    python search_hyperparameters.py
    python search_hyperparameters.py --data mnist -o search.svg
"""

import argparse

import numpy as np

import backprop
from backprop.networks import MultiLayerNet
from backprop.optimizers import SGD
from backprop.training import Diverged, learning_rate_range

parser = argparse.ArgumentParser(description="Random search of learning rate and weight decay.")
parser.add_argument("--data", choices=["sample", "mnist"], default="sample", help="5,000 digits, or all")
parser.add_argument("-o", metavar="FILE", default="search_hyperparameters.png", help="png, svg or pdf")
options = parser.parse_args()

try:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    load = backprop.load_mnist if options.data == "mnist" else backprop.load_mnist_sample
    (x_all, t_all), (x_test, t_test) = load()
except ImportError:
    parser.exit(3, 'search_hyperparameters.py: needs matplotlib: pip install "matplotlib>=3.8"\n')
except RuntimeError as error:  # files that are missing or damaged, or no network to download them
    parser.exit(3, f"search_hyperparameters.py: {error}\n")

TRIALS, BEST = 40, 5
validation = x_all[:200], t_all[:200]
x_train, t_train = x_all[200:1000], t_all[200:1000]

sizes = 784, [100, 100], 10

rng = np.random.default_rng(0)
trials = []
for _ in range(TRIALS):
    rate, decay = 10 ** rng.uniform(-4, 0.5), 10 ** rng.uniform(-6, 0)  # logarithms, evenly spread
    net, settings = MultiLayerNet(*sizes, rng=0), {"optimizer": SGD(rate, weight_decay=decay), "rng": 0}
    try:
        history = backprop.train(net, x_train, t_train, epochs=10, validation=validation, **settings)
    except Diverged as error:
        history = error.history
    curve = history.validation_accuracy
    trials.append((curve[-1] if len(curve) == 11 else 0.0, rate, decay, curve))  # 0.0: it diverged
trials.sort(key=lambda trial: -trial[0])

print(f"{'validation':>10}  learning rate  weight decay")
for accuracy, rate, decay, _ in trials[:BEST]:
    print(f"{accuracy:10.1%} {rate:14.3f} {decay:13.6f}")
found = learning_rate_range(MultiLayerNet(*sizes, rng=0), x_train, t_train, optimizer=SGD(0.1), rng=0)
print(f"range test: {found.suggestion:.3f}")
_, rate, decay, _ = trials[0]
net, optimizer = MultiLayerNet(*sizes, rng=0), SGD(rate, weight_decay=decay)
backprop.train(net, x_all, t_all, epochs=10, optimizer=optimizer, evaluate_every=None, rng=0)
print(f"the best settings, {len(x_all):,} images: test accuracy {net.accuracy(x_test, t_test):.1%}")

BLUE, ORANGE, PURPLE, GREY = "#1f5fa8", "#d9622b", "#8e5ea2", "#b5b5b5"
rcParams.update({"font.size": 9, "axes.titlesize": 9, "axes.grid": True, "grid.color": "#e6e6e6"})
rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#b5b5b5"})
rcParams.update({"xtick.major.size": 0, "ytick.major.size": 0, "svg.fonttype": "none", "svg.hashsalt": "a"})
figure = Figure(figsize=(9.0, 4.8), layout="constrained")
panels = figure.subplot_mosaic([["plane", "curves"], ["range", "curves"]], height_ratios=[3, 2])
plane, curves, tested = panels["plane"], panels["curves"], panels["range"]
accuracies, rates, decays, _ = zip(*trials, strict=True)
dots = plane.scatter(rates, decays, 36, accuracies, cmap="cividis", vmin=0, vmax=1, ec="white", zorder=2)
figure.colorbar(dots, ax=plane, label="validation accuracy")
plane.scatter(rates[:BEST], decays[:BEST], 90, fc="none", ec=ORANGE, linewidths=1.6, zorder=3)
plane.set(xscale="log", yscale="log", ylabel="weight decay", title=f"{TRIALS} trials, the best {BEST} ringed")
for *_, curve in reversed(trials):
    curves.plot(curve, color=GREY, linewidth=0.8)
for *_, curve in trials[:BEST]:
    curves.plot(curve, color=ORANGE, linewidth=1.4)
curves.set(xlabel="epoch", ylim=(0, 1), title=f"validation accuracy: the best {BEST}, and the others")
tested.plot(found.learning_rate, found.smoothed, color=PURPLE)
tested.axvline(found.suggestion, color=BLUE, linestyle="--")
tested.text(found.suggestion * 0.85, 0.2, f"suggestion {found.suggestion:.2f}", color=BLUE, ha="right")
tested.set(xscale="log", xlim=plane.get_xlim(), ylim=(0, 3), xlabel="learning rate")
tested.set_title("loss of the range test")
figure.savefig(options.o, dpi=150)
print(f"written: {options.o}")
