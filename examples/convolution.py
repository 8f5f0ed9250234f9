"""Train a convolutional network on handwritten digits: the book's SimpleConvNet, layer by layer.

Book section 7.5. Thirty filters of 5 × 5 slide over each image, and a pooling keeps the largest of each four
values. Two Affine layers read the digit from what is left. The filters take half of the multiply-adds, with
780 of the 433,890 parameters. backprop.networks.SimpleConvNet has the same layers.

    python convolution.py
    python convolution.py --data mnist --epochs 5
"""

import argparse

import backprop
from backprop import Sequential
from backprop.layers import Affine, Conv2D, MaxPool2D, ReLU
from backprop.optimizers import Adam, OneCycle

parser = argparse.ArgumentParser(description="A convolutional network on handwritten digits.")
parser.add_argument("--data", choices=["sample", "mnist"], default="sample", help="5,000 digits, or all")
parser.add_argument("--epochs", type=int, default=5, help="passes over the training data, 5 by default")
options = parser.parse_args()

try:
    load = backprop.load_mnist if options.data == "mnist" else backprop.load_mnist_sample
    (x_train, t_train), (x_test, t_test) = load()  # rows of 784 pixels; the network makes images of them
except RuntimeError as error:  # files that are missing or damaged, or no network to download them
    parser.exit(3, f"convolution.py: {error}\n")

layers = [
    Conv2D(30, 5),  # (1, 28, 28) becomes (30, 24, 24)
    ReLU(),
    MaxPool2D(2),  # (30, 12, 12)
    Affine(100),  # takes each sample as one row of 4,320 values
    ReLU(),
    Affine(10),
]
net = Sequential(layers, input_shape=(1, 28, 28), rng=0)
print(net.summary())


def show_progress(history):
    """Print a line after each epoch; `train` also calls this in between."""
    if history.loss and history.iterations[-1] == len(history.loss):
        train, test = history.train_accuracy[-1], history.test_accuracy[-1]
        print(f"epoch {len(history.iterations) - 1}  training {train:.4f}  test {test:.4f}", flush=True)


history = backprop.train(
    net,
    x_train,
    t_train,
    x_test,
    t_test,
    epochs=options.epochs,
    optimizer=Adam(0.002),
    schedule=OneCycle(),
    shuffle="epochs",
    rng=0,
    callback=show_progress,
)
print(f"{1000 * history.seconds / len(history.loss):.0f} ms per step of 100 images, with the evaluations")

filters = backprop.to_numpy(net.params["W1"])  # shape (30, 1, 5, 5)
strongest = abs(filters).sum(axis=(1, 2, 3)).argmax()
print(f"filter {strongest}, the one with the largest weights:")
for row in filters[strongest, 0]:
    print(" ".join(f"{value:6.2f}" for value in row))
