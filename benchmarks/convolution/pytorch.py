"""PyTorch as its users write it, in its default layout and in that which convolution prefers."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from backprop import Sequential, to_numpy
from backprop.layers import Affine, Conv2D, Dropout, MaxPool2D, ReLU
from benchmarks.convolution.racer import Racer


def modules(layers: Sequence[Any]) -> Iterator[Any]:
    """Yield PyTorch's modules for layers, with new weights."""
    from torch import nn

    flat = False
    for layer in layers:
        if isinstance(layer, Conv2D):
            filters, channels, *kernel = layer.params["W"].shape
            yield nn.Conv2d(channels, filters, kernel, stride=layer.stride, padding=layer.padding)
        elif isinstance(layer, MaxPool2D):
            yield nn.MaxPool2d(layer.size, layer.stride, layer.padding)
        elif isinstance(layer, Affine):
            if not flat:
                yield nn.Flatten()
            flat = True
            yield nn.Linear(*layer.params["W"].shape)
        elif isinstance(layer, Dropout):
            yield nn.Dropout(layer.ratio)
        else:
            assert isinstance(layer, ReLU), f"no module for {layer}"
            yield nn.ReLU()


def swapped(values: np.ndarray) -> np.ndarray:
    """Return W of an Affine in the layout of a Linear, or back; anything else as it is."""
    return values.T if values.ndim == 2 else values


def model_of(layers: Sequence[Any], dtype: str) -> Any:
    """Return a PyTorch model with the weights of layers."""
    import torch

    model = torch.nn.Sequential(*modules(layers)).to(getattr(torch, dtype))
    own = [to_numpy(values) for layer in layers for values in layer.params.values()]
    with torch.no_grad():
        for parameter, values in zip(model.parameters(), own, strict=True):
            parameter.copy_(torch.from_numpy(swapped(values).copy()))
    return model


class Eager(Racer):
    """The step by autograd, cross_entropy and optim.SGD; images indexed in memory, layout NCHW."""

    name = "PyTorch eager"
    library = "torch"
    layout = "contiguous_format"

    def build(self, net: Sequential, x: np.ndarray, t: np.ndarray) -> None:
        import torch
        from torch.nn.functional import cross_entropy

        torch.set_num_threads(self.threads)
        self.torch, self.cross_entropy = torch, cross_entropy
        self.format = getattr(torch, self.layout)
        self.names = [*net.params]
        self.x, self.t = torch.from_numpy(x), torch.from_numpy(t)
        self.model = model_of(list(net), self.dtype).to(memory_format=self.format)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=self.rate)

    def step(self, batches: np.ndarray) -> list[float]:
        return [self.update(batch) for batch in map(self.torch.from_numpy, batches)]

    def update(self, batch: Any) -> float:
        x, t = self.x[batch].to(memory_format=self.format), self.t[batch]
        loss = self.cross_entropy(self.model(x), t)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.item())

    def parameters(self) -> dict[str, np.ndarray]:
        arrays = (swapped(p.detach().numpy()).astype(np.float64) for p in self.model.parameters())
        return dict(zip(self.names, arrays, strict=True))


class ChannelsLast(Eager):
    """The same in the layout that PyTorch recommends for convolution and users must ask for."""

    name = "PyTorch channels_last"
    layout = "channels_last"
