"""Write a layer in two formulas, check its gradients, and train a network with it.

It trains for a second or two on the digits that come with the library.

    python own_layer.py
"""

import argparse

import numpy as np

from backprop import asarray, check_gradients, load_mnist_sample, to_numpy, train
from backprop.layers import Affine, Layer
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network


class Swish(Layer):
    """out = x σ(βx), with one trainable β per value.

    With s = σ(βx), the derivatives are  dout/dx = s + βx s (1 - s)  and  dout/dβ = x² s (1 - s).
    """

    def initial(self, shape, rng):  # shape: of one sample
        return {"beta": np.ones(shape)}, {}  # parameters, state

    def compute(self, xp, x, beta):
        s = 0.5 + 0.5 * xp.tanh(0.5 * beta * x)  # σ(βx); unlike 1 / (1 + exp(-βx)) it cannot overflow
        return x * s, (x, beta, s)

    def derive(self, xp, dout, x, beta, s):
        slope = x * s * (1.0 - s)
        return dout * (s + beta * slope), xp.sum(dout * x * slope, axis=0)


parser = argparse.ArgumentParser(description="Write a layer, check it, and train with it.")
parser.add_argument("--epochs", type=int, default=20, help="passes over the training data, 20 by default")
options = parser.parse_args()

swish = Swish(beta=asarray([0.5, 1.5, -1.0, 2.0]))  # a derivative that forgets β would pass with all β = 1
x = asarray(np.random.default_rng(0).normal(size=(5, 4)))  # on the backend, like beta
report = check_gradients(swish, x)
print(report)
report.assert_ok()

layers = [Affine(50), Swish(), Affine(10)]
net = Network(layers, SoftmaxCrossEntropy(), input_size=784, rng=0)
(x_train, t_train), (x_test, t_test) = load_mnist_sample()
history = train(net, x_train, t_train, x_test, t_test, epochs=options.epochs, learning_rate=0.3, rng=0)
beta = to_numpy(net.params["beta1"])
print(f"test accuracy {history.test_accuracy[-1]:.4f}; beta from {beta.min():.2f} to {beta.max():.2f}")
