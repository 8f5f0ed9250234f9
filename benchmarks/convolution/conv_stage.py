"""A convolution with its ReLU and pooling, cut out of a network that has run once.

Ours are the stages of a network's own chain, on what their neighbours hand to them, in its layout.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from backends import Workspace
from backprop.layers import Conv2D, MaxPool2D
from benchmarks.convolution.data import Images
from benchmarks.convolution.models import Model, network
from benchmarks.convolution.pytorch import Eager, model_of
from benchmarks.convolution.racer import BATCH


class Runner(NamedTuple):
    """A stage by one library: both passes, and a function that returns out, dx if needed, dW and db."""

    forward: Callable[[], Any]
    both: Callable[[], Any]
    results: Callable[[], dict[str, np.ndarray]]


class ConvStage:
    """A convolution with its ReLU, and its pooling if there is one.

    layers: of the library.  stages: of a chain.  x, dout: what their neighbours handed to them.
    needs_dx: whether there is a layer in front.
    """

    def __init__(self, layers: list[Any], stages: list[Any], x: np.ndarray, dout: np.ndarray, needs_dx: bool):
        self.layers, self.stages, self.x, self.dout, self.needs_dx = layers, stages, x, dout, needs_dx
        filters, channels, height, width = layers[0].params["W"].shape
        pool = ", pool" if isinstance(layers[-1], MaxPool2D) else ""
        self.name = f"{channels} → {filters}, {height} × {width}, image {x.shape[2]} × {x.shape[3]}{pool}"

    def ours(self) -> Runner:
        """Return both passes by the stages of the chain."""

        def forward() -> np.ndarray:
            out = self.x
            for stage in self.stages:
                out = stage.forward(out)
            return out

        def both() -> Any:
            forward()
            dout = self.dout
            for stage in reversed(self.stages):
                dout = stage.backward(dout)
            return dout

        def results() -> dict[str, np.ndarray]:
            out, dx = forward().copy(), both()
            return self.named(out, [*([dx] if self.needs_dx else []), *self.stages[0].grads])

        return Runner(forward, both, results)

    def by_torch(self, racer: type[Eager]) -> Runner:
        """Return both passes by PyTorch with autograd, in the layout of a racer."""
        import torch

        layout = getattr(torch, racer.layout)
        model = model_of(self.layers, "float32").to(memory_format=layout)
        x, dout = (
            torch.from_numpy(np.ascontiguousarray(values)).to(memory_format=layout)
            for values in (self.x, self.dout)
        )
        x.requires_grad_(self.needs_dx)
        leaves = [*([x] if self.needs_dx else []), *model.parameters()]

        def both() -> Any:
            for leaf in leaves:
                leaf.grad = None
            out = model(x)
            out.backward(dout)
            return out

        def results() -> dict[str, np.ndarray]:
            out = both().detach().numpy()
            return self.named(out, [leaf.grad.numpy() for leaf in leaves])

        return Runner(lambda: model(x), both, results)

    def named(self, out: np.ndarray, gradients: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Return the results by name. gradients: dx if needed, dW and db."""
        names = ("dx", "dW", "db") if self.needs_dx else ("dW", "db")
        return {"out": out, **dict(zip(names, gradients, strict=True))}


def conv_stages(model: Model, images: Images, batch_size: int = BATCH) -> list[ConvStage]:
    """Return the convolutions of a network, after one pass forward and backward without dropout."""
    net = network(model, "float32", ratio=0.0)
    grads = net.params.like(np.zeros_like(net.params.flat))
    chain = net.chain(grads=grads, memory=Workspace)
    inputs, douts = [], []  # of every stage of the chain, each with its axes in their order in memory
    x: Any = images.x[:batch_size]
    for stage in chain.body:
        inputs.append(x.copy(order="K"))
        x = stage.forward(x)
    chain.last.forward(x, images.t[:batch_size])
    dout: Any = 1.0 / batch_size
    for stage in chain.reversed:
        douts.insert(0, np.array(dout, order="K"))
        dout = stage.backward(dout)
    layers, found = list(net), []
    for begin in [i for i, layer in enumerate(layers) if isinstance(layer, Conv2D)]:
        own = layers[begin : begin + (3 if isinstance(layers[begin + 2], MaxPool2D) else 2)]
        # A stage of the chain may compute several layers, of which it names the first.
        places = [i for i, stage in enumerate(chain.body) if any(stage.link.layer is each for each in own)]
        stages = [chain.body[i] for i in places]
        found.append(ConvStage(own, stages, inputs[places[0]], douts[places[-1]], needs_dx=begin > 0))
    return found
