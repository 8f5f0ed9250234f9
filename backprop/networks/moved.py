"""A network evaluated at many moved inputs, outputs or parameters at once: what numerical gradients need.

All of it takes layers that treat samples apart (`samplewise`), so that copies can be stacked as samples.
"""

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from typing import Any

from backends import Array
from backprop.moves import Stage


def stages(net: Any, x: Array, labels: Array) -> Iterator[Stage]:
    """The input and each layer with parameters, as far as they can say how the loss of the network moves."""
    layers, width = list(net.layers.values()), widest(net, x)
    if all(map(_is_samplewise, layers)):
        yield Stage(None, {"x": "x"}, x, partial(_shares, net, layers, labels), width)
    for i, layer in enumerate(layers):
        behind = layers[i + 1 :]
        if layer.params and hasattr(layer, "moves") and all(map(_is_samplewise, behind)):
            yield Stage(layer, layer.params.names, x, partial(_shares, net, behind, labels), width)
        x = layer.forward(x, training=False)


def widest(net: Any, x: Array) -> int:
    """The most numbers that a sample has behind any layer."""
    sizes = []
    for layer in net.layers.values():
        x = layer.forward(x[:1, ...], training=False)
        sizes.append(prod(x.shape[1:]))
    return int(max(sizes))


def _shares(net: Any, layers: list[Any], labels: Array, out: Array) -> Array:
    """Each sample's share of the mean loss, from outputs that go through the rest of the layers.

    out: (K·N, …), K batches behind each other.  labels: (N,).  Returns (K·N,).
    """
    for layer in layers:
        out = layer.forward(out, training=False)
    return _losses(net, out, labels) / labels.shape[0]


def loss_of_copies(net: Any, x: Array, labels: Array) -> Callable[[Array], Array] | None:
    """The loss as a function of K flat copies of all parameters: (K, P) to (K,); None where layers cannot."""
    for layer in net.layers.values():
        if not _is_samplewise(layer) or (layer.params and not hasattr(layer, "forward_copies")):
            return None
    backend, samples = net.backend, labels.shape[0]

    def loss(stack: Array) -> Array:
        copies, start, out, stacked, views = stack.shape[0], 0, x, 1, {}
        for name, shape in net.params.shapes.items():
            stop = start + prod(shape)
            views[name] = backend.reshape(stack[:, start:stop], (copies, *shape))
            start = stop
        for layer in net.layers.values():
            if not layer.params:
                out = layer.forward(out, training=False)
                continue
            own = {theirs: views[mine] for theirs, mine in layer.params.names.items()}
            out = layer.forward_copies(backend.reshape(out, (stacked, samples, *out.shape[1:])), own)
            out, stacked = backend.reshape(out, (copies * samples, *out.shape[2:])), copies
        losses = backend.reshape(_losses(net, out, labels), (copies, samples))
        return backend.row_sums(losses) / samples

    return loss


def _losses(net: Any, out: Array, labels: Array) -> Array:
    """One loss a row of out, the labels of the batch repeating."""
    repeated = net.backend.gather(labels, net.backend.arange(0, out.shape[0]) % labels.shape[0])
    return net.loss_layer.losses(out, repeated, training=False)


def _is_samplewise(layer: Any) -> bool:
    return getattr(layer, "samplewise", False)
