"""Train with and without batch normalization, from six scales of initial weights, as in book section 6.3.

Each panel shows the training accuracy of two networks with five hidden layers, on 1,000 digits. They differ
only in a BatchNorm in front of each ReLU. The title gives the standard deviation of the initial weights.

Without BatchNorm, the network learns only at 0.1, which is near He's rule for its hidden layers (0.14). With
larger weights it diverges at once, or ends with ReLUs that return nothing but 0. With smaller ones, its last
layers return the same for every digit. BatchNorm gives each feature a mean of 0 and a variance of 1 whatever
the weights are. So the network learns from all six scales, and at 0.1 in fewer epochs.

    python batch_normalization.py
    python batch_normalization.py --data mnist -o batch_normalization.svg
"""

import argparse

import backprop
from backprop.networks import MultiLayerNet
from backprop.optimizers import SGD
from backprop.training import Diverged

parser = argparse.ArgumentParser(description="Training with and without batch normalization.")
parser.add_argument("--data", choices=["sample", "mnist"], default="sample", help="5,000 digits, or all")
parser.add_argument("-o", metavar="FILE", default="batch_normalization.png", help="png, svg or pdf")
options = parser.parse_args()

try:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    load = backprop.load_mnist if options.data == "mnist" else backprop.load_mnist_sample
    (x_train, t_train), (x_test, t_test) = load()
except ImportError:
    parser.exit(3, 'batch_normalization.py: needs matplotlib: pip install "matplotlib>=3.8"\n')
except RuntimeError as error:  # files that are missing or damaged, or no network to download them
    parser.exit(3, f"batch_normalization.py: {error}\n")

x_train, t_train = x_train[:1000], t_train[:1000]
rcParams.update({"font.size": 9, "axes.titlesize": 9, "font.sans-serif": ["DejaVu Sans"]})
rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#b5b5b5"})
rcParams.update({"xtick.bottom": False, "ytick.left": False, "svg.fonttype": "none", "svg.hashsalt": "fixed"})
figure = Figure(figsize=(9, 5), layout="constrained")
panels = figure.subplots(2, 3, sharex=True, sharey=True)

print("weights   BatchNorm   accuracy after 5 epochs   after 12   on the test set")
for panel, scale in zip(panels.flat, (1, 0.3, 0.1, 0.03, 0.01, 0.001), strict=True):
    for name, colour, line in (("with", "#1f5fa8", "-"), ("without", "#d9622b", "--")):
        hidden = {"weight_init_std": scale, "use_batchnorm": name == "with"}
        net = MultiLayerNet(784, [100, 100, 100, 100, 100], 10, rng=0, **hidden)
        try:
            history = backprop.train(net, x_train, t_train, epochs=12, optimizer=SGD(0.1), rng=0)
            accuracy = history.train_accuracy  # before the first epoch, and after each
            test = net.accuracy(x_test, t_test)
            print(f"{scale:<9} {name:9} {accuracy[5]:25.3f} {accuracy[12]:10.3f} {test:17.3f}")
        except Diverged as error:
            accuracy = error.history.train_accuracy
            name += f": diverges at step {len(error.history.loss)}"
            print(f"{scale:<9} {name}")
        panel.plot(accuracy, line, color=colour)
        y, va = (accuracy[-1] + 0.02, "bottom") if name == "with" else (accuracy[-1] - 0.07, "top")
        panel.text(12, y, name, color=colour, ha="right", va=va)
    panel.set(title=f"initial weights {scale}", xticks=[0, 4, 8, 12], yticks=[0, 0.5, 1], ylim=(-0.05, 1.15))
for panel in panels[1]:
    panel.set_xlabel("epoch")
for panel in panels[:, 0]:
    panel.set_ylabel("training accuracy")
figure.savefig(options.o, dpi=150)
print(f"written: {options.o}")
