"""A network that is only a list `layers`; its layers have dictionaries, and the network has no `params`."""

import numpy as np

rng = np.random.default_rng(12)


class WithArrays:
    def __init__(self, **arrays):
        self.params, self.grads = arrays, {}


class Distances(WithArrays):
    """The squared distance of each x from each column of w, plus b."""

    def __init__(self, n_in, n_out):
        super().__init__(w=rng.normal(size=(n_in, n_out)), b=rng.normal(size=n_out))

    def forward(self, inputs):
        self.apart = inputs[:, :, None] - self.params["w"]
        return (self.apart * self.apart).sum(axis=1) + self.params["b"]

    def backward(self, grad):
        d_apart = 2.0 * self.apart * grad[:, None, :]
        self.grads["w"], self.grads["b"] = -d_apart.sum(axis=0), grad.sum(axis=0)
        return d_apart.sum(axis=2)


class DistancesOfAMean(Distances):
    def backward(self, grad):
        dx = super().backward(grad)
        self.grads["b"] = grad.mean(axis=0)
        return dx


class DistancesOfTheWrongSign(Distances):
    def backward(self, grad):
        dx = super().backward(grad)
        self.grads["w"] *= -1.0
        return dx


class Pointwise(WithArrays):
    def __init__(self, function, slope):
        super().__init__()
        self.function, self.slope = function, slope

    def forward(self, inputs):
        self.at = inputs
        return self.function(inputs)

    def backward(self, grad):
        return grad * self.slope(self.at)


class Pile:
    def __init__(self, last):
        self.layers = [Distances(4, 5), Pointwise(np.sin, np.cos), last(5, 3)]

    def forward(self, out):
        for layer in self.layers:
            out = layer.forward(out)
        return out

    def backward(self, grad):
        for layer in self.layers[::-1]:
            grad = layer.backward(grad)
        return grad


X = rng.normal(size=(6, 4))
NAMES = ["layers[0].w", "layers[0].b", "layers[2].w", "layers[2].b", "x"]

RIGHT = [(lambda: Distances(4, 3), (X,), ["w", "b", "x"]), (lambda: Pile(Distances), (X,), NAMES)]
WRONG = [
    (lambda: Pile(DistancesOfAMean), (X,), ["layers[2].b"]),
    (lambda: DistancesOfTheWrongSign(4, 3), (X,), ["w"]),
]
