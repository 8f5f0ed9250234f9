"""Both passes of a network through a batch, seen layer by layer: how large everything is."""

import math
from typing import Any

from backends import cut, describe, owner_of, shown, to_numpy
from backprop.arrays.copying import copy_as
from backprop.graph.of_network import LayerPass, NetworkGraph
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks.own_passes import gradient_of

NEEDED = ("layers", "loss_layer", "prepare", "names", "params")


def network_graph(net: Any, x: Any, t: Any) -> NetworkGraph:
    """Both passes of a network through a batch, on a copy: the network itself is not touched.

    They are those of its layers: a `loss` or `gradient` of a subclass's own does not show.
    net: a Network.  x, t: as for `net.loss`.
    Raises TypeError for another object, and what `net.loss` raises of x and t.

    >>> from backprop import TwoLayerNet
    >>> network_graph(TwoLayerNet(4, 3, 2, rng=0), [[1.0, 2.0, 3.0, 4.0]], [1])
    <NetworkGraph TwoLayerNet: Affine1, ReLU1, Affine2, SoftmaxCrossEntropy>
    """
    for name in NEEDED:
        if not hasattr(net, name):
            what = f"the class {cut(net.__name__, 40)}" if isinstance(net, type) else describe(net)
            raise TypeError(
                f"network_graph: a network has {', '.join(NEEDED)}, but {what} has no {name}; "
                "numbers and scalar layers are drawn by `with trace() as graph:`"
            )
    twin = copy_as(net)
    values, targets = twin.prepare("network_graph", x, t)
    passes = []
    for name, layer in twin.layers.items():
        out = _returned(layer, "forward", layer.forward(values))
        passes.append(_forward(name, layer, values, out.shape))
        values = out
    loss = _mean_loss(twin.loss_layer, twin.loss_layer.forward(values, targets))
    passes.append(_forward(type(twin.loss_layer).__name__, twin.loss_layer, values, ()))
    dx = _returned(twin.loss_layer, "backward", twin.loss_layer.backward(1.0))
    passes[-1].dx_norm = _norm(dx)
    for seen, layer in zip(passes[-2::-1], reversed(twin.layers.values()), strict=True):
        dx = _returned(layer, "backward", layer.backward(dx))
        seen.dx_norm = _norm(dx)
        gradients = {outer: gradient_of(layer, own) for own, outer in twin.names[seen.name].items()}
        seen.parameters = sum(math.prod(twin.params[outer].shape) for outer in gradients)
        seen.grad_norms = {outer: _norm(gradient) for outer, gradient in gradients.items()}
    unit = "nats" if isinstance(twin.loss_layer, SoftmaxCrossEntropy) else ""
    return NetworkGraph(type(net).__name__, passes, loss, unit)


def _forward(name: str, layer: Any, x: Any, out: tuple[int, ...]) -> LayerPass:
    says_nothing = "__repr__" not in {name for base in type(layer).__mro__[:-1] for name in vars(base)}
    kind = type(layer).__name__ if says_nothing else shown(layer, 60)
    return LayerPass(name, kind, (tuple(x.shape), tuple(out)), 0, _norm(x))


def _returned(layer: Any, which: str, value: Any) -> Any:
    """What a pass of a layer returned.  Raises TypeError unless it is an array."""
    if owner_of(value) is None:
        where = f"{cut(type(layer).__name__, 40)}.{which}"
        raise TypeError(f"{where} must return an array, got {shown(value)}")
    return value


def _mean_loss(layer: Any, loss: Any) -> float:
    try:
        return float(loss)
    except (TypeError, ValueError):
        where = f"{cut(type(layer).__name__, 40)}.forward"
        raise TypeError(f"{where} must return the mean loss, one number, got {shown(loss)}") from None


def _norm(array: Any) -> float:
    """The Euclidean norm over all entries, summed in float64, of multiples of the largest one."""
    host = abs(to_numpy(array).astype("float64"))
    largest = float(host.max()) if math.prod(host.shape) else 0.0
    if not 0.0 < largest < math.inf:
        return largest
    host /= largest
    return largest * math.sqrt(float((host * host).sum()))
