"""Watch a deep network learn 300 images by heart, and see what weight decay and Dropout change about it.

Book section 6.4. All 300 training images are soon answered correctly, the images of the test set are not: the
gap is overfitting. The loss on the test set rises meanwhile, because the network becomes ever surer of its
wrong answers. Weight decay keeps the weights small, and with them the confidence. Dropout makes learning by
heart take longer. Neither closes the gap: the last line of the table shows that more images do.

    python overfitting.py
    python overfitting.py --data mnist -o overfitting.svg
"""

import argparse

import numpy as np

import backprop
from backprop.networks import MultiLayerNet
from backprop.optimizers import Momentum

parser = argparse.ArgumentParser(description="Overfitting, and two remedies.")
parser.add_argument("--data", choices=["sample", "mnist"], default="sample", help="5,000 digits, or all")
parser.add_argument("-o", metavar="FILE", default="overfitting.png", help="png, svg or pdf")
options = parser.parse_args()

try:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    load = backprop.load_mnist if options.data == "mnist" else backprop.load_mnist_sample
    (x_all, t_all), (x_test, t_test) = load()
except ImportError:
    parser.exit(3, 'overfitting.py: needs matplotlib: pip install "matplotlib>=3.8"\n')
except RuntimeError as error:  # files that are missing or damaged, or no network to download them
    parser.exit(3, f"overfitting.py: {error}\n")

x_train, t_train = x_all[:300], t_all[:300]
SEEDS, STEPS = 3, 180  # 60 times through 300 images
REMEDIES = {  # weight decay λ, and the share of the activations that Dropout sets to 0
    "no remedy": (0.0, 0.0),
    "weight decay": (0.01, 0.0),
    "Dropout": (0.0, 0.2),
    "both": (0.01, 0.2),
}


def trained(x, t, seed, decay, ratio, every):
    """Train a network with four hidden layers and return its history."""
    net = MultiLayerNet(784, [100] * 4, 10, use_dropout=ratio > 0, dropout_ratio=ratio, rng=seed)
    optimizer = Momentum(0.02, weight_decay=decay)
    return backprop.train(
        net, x, t, x_test, t_test, iterations=STEPS, evaluate_every=every, optimizer=optimizer, rng=seed
    )


print(f"{'300 images':20} training   test   test loss   (after {STEPS} steps, mean of {SEEDS} seeds)")
curves = {}
for name, (decay, ratio) in REMEDIES.items():
    runs = [trained(x_train, t_train, seed, decay, ratio, every=15) for seed in range(SEEDS)]
    lists = [(run.train_accuracy, run.test_accuracy, run.test_loss) for run in runs]
    curves[name] = np.mean(lists, axis=0)  # shape (3, evaluations)
    train, test, loss = curves[name][:, -1]
    print(f"{name:20} {train:8.1%} {test:6.1%} {loss:11.2f}")
more = trained(x_all, t_all, 0, 0.0, 0.0, every=STEPS)
name = f"{len(x_all):,} images"
print(f"{name:20} {more.train_accuracy[-1]:8.1%} {more.test_accuracy[-1]:6.1%} {more.test_loss[-1]:11.2f}")

BLUE, ORANGE, GREY = "#1f5fa8", "#d9622b", "#8a8a8a"
rcParams.update({"font.size": 9, "axes.titlesize": 9, "axes.grid": True, "grid.color": "#e6e6e6"})
rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#b5b5b5"})
rcParams.update({"xtick.major.size": 0, "ytick.major.size": 0, "svg.fonttype": "none", "svg.hashsalt": "a"})
figure = Figure(figsize=(9.0, 4.6), layout="constrained")
above, below = figure.subplots(2, len(curves), sharex=True, sharey="row")
steps = runs[0].iterations
for name, panel, under in zip(curves, above, below, strict=True):
    train, test, loss = curves[name]
    panel.set_title(name)
    panel.plot(steps, train, color=BLUE)
    panel.plot(steps, test, "--", color=ORANGE)
    panel.text(STEPS, train[-1] - 0.06, f"training {train[-1]:.1%}", color=BLUE, ha="right", va="top")
    panel.text(STEPS, test[-1] - 0.05, f"test {test[-1]:.1%}", color=ORANGE, ha="right", va="top")
    under.plot(steps, curves["no remedy"][2], ":", color=GREY)
    under.plot(steps, loss, "--", color=ORANGE)
    under.text(STEPS, loss[-1] - 0.12, f"test {loss[-1]:.2f}", color=ORANGE, ha="right", va="top")
    under.set_xlabel("step")
above[0].set(ylabel="accuracy", ylim=(0.5, 1.02))
below[0].set(ylabel="loss", ylim=(0.4, 1.2))
below[1].text(STEPS, curves["no remedy"][2][-1] + 0.03, "no remedy", color=GREY, ha="right")
figure.savefig(options.o, dpi=150)
print(f"written: {options.o}")
