"""A network at work in a loop: the same parameters; gradients, buffers and fused layers of its own.

Why: no array that a user was given may ever be written again, while a loop is fastest when every step writes
into the same memory. So the loop works with copies of the layers that nobody else sees.

And two neighbours come to share one kernel without knowing of each other: it is the network that knows the
chain, and `FUSED` that knows which two can be one.
"""

import copy
from collections.abc import Callable, Iterable
from typing import Any

from backprop.gradients import Gradients
from backprop.layers import Affine, ReLU, SoftmaxCrossEntropy
from backprop.layers.fused import AffineReLU, AffineSoftmaxCrossEntropy
from backprop.layers.layer import Layer
from backprop.networks.network import Network

FUSED: dict[tuple[type, ...], Callable[..., Layer]] = {
    (Affine, ReLU): AffineReLU,
    (Affine, SoftmaxCrossEntropy): AffineSoftmaxCrossEntropy,
}


def worker(net: Network) -> Network:
    """A copy of the network for a loop, which shares its parameters.

    The network itself, where a copy might not do the same: where a layer is not declared `stateless`, or
    where somebody has a pass of their own, in a subclass or on an object.
    """
    layers = (*net.layers.values(), net.loss_layer)
    if not (all(_declares(layer, "stateless") for layer in layers) and _is_all_as_written(net)):
        return net
    work = copy.copy(net)
    work._grads = Gradients.like(net.params)
    chain = zip((*net.layers, "loss"), (layer.working_copy(work.grads) for layer in layers), strict=True)
    *rest, (_, work.loss_layer) = _fused(chain)
    work._layers = dict(rest)
    return work


def why_not_captured(net: Network, optimizer: Any) -> str | None:
    """Why a loop runs the network's steps one by one; None where the backend can record and replay them.

    It can where layers and optimizer declare it (`capturable`), and the loop works with copies of the layers.
    """
    for name, layer in {**net.layers, "the loss": net.loss_layer}.items():
        missing = [flag for flag in ("stateless", "capturable") if not _declares(layer, flag)]
        if missing:
            return f"{name}, {type(layer).__name__}, does not declare {' and '.join(missing)}"
    if not _declares(optimizer, "capturable"):
        return f"the optimizer, {type(optimizer).__name__}, does not declare capturable"
    if not _is_all_as_written(net):
        return "a pass of the network or of a layer was replaced"
    return net.backend.why_not_captured(net.dtype)


def _fused(chain: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The chain with one layer in place of each two neighbours that can be one.

    An Affine layer alone before its loss stays: a network has a layer that needs no gradient for its input.
    """
    first, *others = chain
    done = [first]
    for name, layer in others:
        before, previous = done[-1]
        fuse = FUSED.get((type(previous), type(layer)))
        if fuse and len(others) > 1:
            done[-1] = f"{before}+{name}", fuse(previous)
        else:
            done.append((name, layer))
    return done


def _declares(obj: Any, flag: str) -> bool:
    """Whether the very class of an object says so: a subclass may do otherwise."""
    return bool(vars(type(obj)).get(flag, False))


def _is_all_as_written(net: Network) -> bool:
    layers = (*net.layers.values(), net.loss_layer)
    return _is_as_written(net, Network) and all(_is_as_written(layer, type(layer)) for layer in layers)


def _is_as_written(obj: Network | Layer, cls: type) -> bool:
    """Whether no pass of obj was replaced, by a subclass of cls or on the object itself."""
    passes = ["forward", "backward", "losses", "logits", "_logits", "_forward"]
    passes += ["backpropagate", "share_correct"]
    return not any(
        name in vars(obj) or getattr(type(obj), name, None) is not getattr(cls, name, None) for name in passes
    )
