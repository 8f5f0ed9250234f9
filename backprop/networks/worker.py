"""A network at work in a loop: the same parameters; gradients, buffers and fused layers of its own.

Why: no array that a user was given may ever be written again, while a loop is fastest when every step writes
into the same memory. So the loop works with copies of the layers that nobody else sees.

And two neighbours come to share one kernel without knowing of each other: it is the network that knows the
chain, and `FUSED` that knows which two can be one.
"""

import copy
from collections.abc import Callable

from backprop.gradients import Gradients
from backprop.layers import Affine, ReLU
from backprop.layers.affine_relu import AffineReLU
from backprop.layers.layer import Layer
from backprop.networks.network import Network

FUSED: dict[tuple[type, ...], Callable[..., Layer]] = {(Affine, ReLU): lambda affine, _: AffineReLU(affine)}


def worker(net: Network) -> Network:
    """A copy of the network for a loop, which shares its parameters.

    The network itself, where a copy might not do the same: where a layer is not declared `stateless`, or
    where somebody has a pass of their own, in a subclass or on an object.
    """
    layers = (*net.layers.values(), net.loss_layer)
    if not (_is_as_written(net, Network) and all(map(_is_stateless, layers))):
        return net
    work = copy.copy(net)
    work._grads = Gradients.like(net.params)
    work._layers = _fused({name: layer.working_copy(work.grads) for name, layer in net.layers.items()})
    work.loss_layer = net.loss_layer.working_copy(work.grads)
    return work


def _fused(layers: dict[str, Layer]) -> dict[str, Layer]:
    """The chain with one layer in place of each two neighbours that can be one."""
    chain: dict[str, Layer] = {}
    for name, layer in layers.items():
        before, previous = next(reversed(chain.items()), ("", None))
        fuse = FUSED.get((type(previous), type(layer)))
        if fuse:
            del chain[before]
            name, layer = f"{before}+{name}", fuse(previous, layer)
        chain[name] = layer
    return chain


def _is_stateless(layer: Layer) -> bool:
    return vars(type(layer)).get("stateless", False) and _is_as_written(layer, type(layer))


def _is_as_written(obj: Network | Layer, cls: type) -> bool:
    """Whether no pass of obj was replaced, by a subclass of cls or on the object itself."""
    passes = ("forward", "backward", "losses", "backpropagate", "share_correct", "_forward")
    return not any(
        name in vars(obj) or getattr(type(obj), name, None) is not getattr(cls, name, None) for name in passes
    )
