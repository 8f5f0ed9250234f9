"""The book's training loop with its layers, in float64 as in the book, and in float32."""

from collections import OrderedDict
from typing import Any

import numpy as np

from backprop import Sequential, layers, to_numpy
from benchmarks import book
from benchmarks.convolution import book_layers
from benchmarks.convolution.racer import Racer, copies


def layer_like(layer: Any, params: list[np.ndarray]) -> Any:
    """Return the book's layer for one of this library, with these parameters."""
    if isinstance(layer, layers.Conv2D):
        return book_layers.Convolution(*params, layer.stride, layer.padding)
    if isinstance(layer, layers.MaxPool2D):
        assert layer.padding == 0, "the book pads a pooling with zeros, not with -∞"
        return book_layers.Pooling(layer.size, layer.size, layer.stride)
    if isinstance(layer, layers.Dropout):
        return book_layers.Dropout(layer.ratio)
    return book.Affine(*params) if isinstance(layer, layers.Affine) else book.Relu()


class Book(Racer):
    """A dict of layers, forward and in reverse, with one-hot labels and a dx for every layer."""

    name = "the book's loop"
    dtype = "float64"

    def build(self, net: Sequential, x: np.ndarray, t: np.ndarray) -> None:
        self.x, self.t = x, np.eye(10, dtype=x.dtype)[t]
        self.params = {name: np.array(to_numpy(values)) for name, values in net.params.items()}
        own, self.layers, self.with_params = iter(self.params.values()), OrderedDict(), []
        for name, layer in net.layers.items():
            mine = layer_like(layer, [next(own) for _ in layer.params])
            self.layers[name] = mine
            self.with_params += [mine] if layer.params else []
        self.last_layer = book.SoftmaxWithLoss()

    def gradient(self, x: np.ndarray, t: np.ndarray) -> list[np.ndarray]:
        for layer in self.layers.values():
            x = layer.forward(x)
        self.last_layer.forward(x, t)
        dout = self.last_layer.backward(1)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        return [grad for layer in self.with_params for grad in (layer.dW, layer.db)]

    def step(self, batches: np.ndarray) -> list[float]:
        losses = []
        for batch_mask in batches:
            t_batch = self.t[batch_mask]
            grads = self.gradient(self.x[batch_mask], t_batch)
            for param, grad in zip(self.params.values(), grads, strict=True):
                param -= self.rate * grad
            # Of the probabilities themselves: the book's own figure adds 1e-7 to each.
            losses.append(float(-np.log(self.last_layer.y[t_batch > 0]).mean()))
        return losses

    def parameters(self) -> dict[str, np.ndarray]:
        return copies(self.params)


class BookSingle(Book):
    """The same in float32."""

    name = "the book's loop, float32"
    dtype = "float32"
