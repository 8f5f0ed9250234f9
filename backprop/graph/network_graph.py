"""`network_graph`: both passes of a network on a batch, layer by layer, as shapes and norms."""

import math
from typing import Any

from backends import cut, describe, owner_of, shown, to_numpy
from backprop.arrays.copying import copy_as
from backprop.graph.of_network import LayerPass, NetworkGraph
from backprop.losses import SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.networks.own_passes import gradient_of

IN_NATS = SoftmaxCrossEntropy, SigmoidBinaryCrossEntropy
NEEDED = ("layers", "loss_layer", "prepare", "names", "params")


def network_graph(net: Any, x: Any, t: Any) -> NetworkGraph:
    """Run both passes of a network on a batch and return their shapes and norms, ready to draw.

    They run on a copy, so the network does not change.

    Parameters
    ----------
    net : Network
    x : array (N, …)
        Samples, as for `net.loss`.
    t : array (N,) or (N, …)
        Targets, as for `net.loss`.

    Returns
    -------
    NetworkGraph

    Raises
    ------
    TypeError
        If `net` is not a network, or as for `net.loss`.
    ValueError
        As for `net.loss`.

    Notes
    -----
    The passes are those of the layers. If a subclass overrides `loss` or `gradient`, that does not show.

    Examples
    --------
    >>> from backprop import TwoLayerNet
    >>> from backprop.graph import network_graph
    >>> network_graph(TwoLayerNet(4, 3, 2, rng=0), [[1.0, 2.0, 3.0, 4.0]], [1])
    <NetworkGraph TwoLayerNet: Affine1, ReLU1, Affine2, SoftmaxCrossEntropy>
    """
    for name in NEEDED:
        if not hasattr(net, name):
            what = f"the class {cut(net.__name__, 40)}" if isinstance(net, type) else describe(net)
            raise TypeError(
                f"network_graph: a network has {', '.join(NEEDED)}, but {what} has no {name}; "
                "for numbers and scalar layers, use `with trace() as graph:`"
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
    unit = "nats" if isinstance(twin.loss_layer, IN_NATS) else ""
    return NetworkGraph(type(net).__name__, passes, loss, unit)


def _forward(name: str, layer: Any, x: Any, out: tuple[int, ...]) -> LayerPass:
    has_no_repr = "__repr__" not in {name for base in type(layer).__mro__[:-1] for name in vars(base)}
    kind = type(layer).__name__ if has_no_repr else shown(layer, 60)
    return LayerPass(name, kind, (tuple(x.shape), tuple(out)), 0, _norm(x))


def _returned(layer: Any, which: str, value: Any) -> Any:
    """Return the result of a layer's pass. Raises TypeError unless it is an array."""
    if owner_of(value) is None:
        where = f"{cut(type(layer).__name__, 40)}.{which}"
        raise TypeError(f"{where} must return an array, got {shown(value)}")
    return value


def _mean_loss(layer: Any, loss: Any) -> float:
    try:
        return float(loss)
    except (TypeError, ValueError):
        where = f"{cut(type(layer).__name__, 40)}.forward"
        raise TypeError(f"{where} must return the mean loss as one number, got {shown(loss)}") from None


def _norm(array: Any) -> float:
    """Return the Euclidean norm over all entries, in float64, scaled by the largest to avoid overflow."""
    host = abs(to_numpy(array).astype("float64"))
    largest = float(host.max()) if math.prod(host.shape) else 0.0
    if not 0.0 < largest < math.inf:
        return largest
    host /= largest
    return largest * math.sqrt(float((host * host).sum()))
