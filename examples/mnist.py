"""Train a network on handwritten digits, save its weights, and load them again.

The first command takes the 5,000 digits that come with the library, the second all 70,000 of MNIST, read from
the directory that BACKPROP_DATA_DIR names or downloaded (11.6 MB). Both write the weights to weights.npz in
the current directory; --weights names another file.

    python mnist.py
    python mnist.py --mnist
"""

import argparse

import numpy as np

import backprop

parser = argparse.ArgumentParser(description="Train a network on handwritten digits.")
parser.add_argument("--mnist", action="store_true", help="train on MNIST instead of the bundled sample")
parser.add_argument("--epochs", type=int, default=20, help="passes over the training data, 20 by default")
parser.add_argument("--weights", default="weights.npz", help="file to save the weights to")
options = parser.parse_args()

load = backprop.load_mnist if options.mnist else backprop.load_mnist_sample
try:
    (x_train, t_train), (x_test, t_test) = load()  # pixels in [0, 1], shape (N, 784); labels, shape (N,)
except RuntimeError as error:  # files that are missing or damaged, or no network to download them
    fault = str(error).removesuffix(", or use load_mnist_sample")
    parser.exit(3, f"mnist.py: {fault}; or omit --mnist to train on the digits that come with the library\n")


def show_progress(history):
    """Print a line after each evaluation; `train` also calls this in between."""
    iteration = len(history.loss)
    if iteration and iteration == history.iterations[-1]:
        print(f"iteration {iteration:5}  loss {history.loss[-1]:.3f}  test {history.test_accuracy[-1]:.4f}")


net = backprop.TwoLayerNet(input_size=784, hidden_size=50, output_size=10, rng=0)
backprop.train(
    net, x_train, t_train, x_test, t_test,
    epochs=options.epochs, learning_rate=0.3, rng=0, callback=show_progress,
)  # fmt: skip
print(f"test accuracy {net.accuracy(x_test, t_test):.4f}")

np.savez(options.weights, **{name: backprop.to_numpy(array) for name, array in net.params.items()})

again = backprop.TwoLayerNet(input_size=784, hidden_size=50, output_size=10)
with np.load(options.weights) as saved:
    again.params.update(saved)
print(f"loaded from {options.weights}: test accuracy {again.accuracy(x_test, t_test):.4f}")

scores = backprop.to_numpy(again.predict(x_test[:10]))  # shape (10, 10): one score per sample and digit
print("predicted", *scores.argmax(axis=1))
print("labels   ", *t_test[:10])
