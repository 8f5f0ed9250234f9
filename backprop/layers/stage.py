"""A layer at work: its two functions, looked up once for a backend and dtype, and what a forward saved.

Single layers, networks and training loops all run through here; they differ only in where the memory comes
from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import MethodType
from typing import Any

from backends import AnyArray, Array, Backend, NewArrays, find
from backprop.layers.requirements import (
    require_arguments,
    require_array,
    require_compute,
    require_derive,
    require_formulas,
)


@dataclass(slots=True)
class Link:
    """A place in a chain: the functions that run there, looked up once.

    layer: the layer, or the first of fused neighbours.
    compute, derive: its formulas or their twins; None for an object with its own passes.
    names: from the layer's parameter names to the network's.
    keys: under which twins request memory for gradients, ("dW", shape).
    """

    layer: Any
    compute: Any = None
    derive: Any = None
    is_twin: bool = False
    names: dict[str, str] = field(default_factory=dict)
    keys: tuple[tuple[str, tuple[int, ...]], ...] = ()
    is_loss: bool = False


def link(backend: Backend, dtype: Any, layer: Any) -> Link:
    """Return the twins of a layer if there are any for this dtype, else its formulas."""
    require_formulas(layer)
    twins = _twins(backend, dtype, layer)
    if twins:
        return Link(layer, *twins, is_twin=True)
    require_arguments(layer)
    return Link(layer, layer.compute, layer.derive)


def fused_link(backend: Backend, dtype: Any, layers: Sequence[Any]) -> Link | None:
    """Return the twins that compute several neighbours in one, or None."""
    first, *followers = layers
    if first.evaluate or any(each.params or each.state or each.evaluate for each in followers):
        return None
    twins = _twins(backend, dtype, *layers)
    return Link(first, *twins, is_twin=True) if twins else None


def _twins(backend: Backend, dtype: Any, *layers: Any) -> tuple[Any, Any] | None:
    """Return the twins of compute and derive, bound to the layer or the layers; None unless both exist."""
    compute = find(backend.name, dtype, *[each.compute for each in layers])
    derive = find(backend.name, dtype, *[each.derive for each in layers])
    bound_to = layers[0] if len(layers) == 1 else layers
    return (MethodType(compute, bound_to), MethodType(derive, bound_to)) if compute and derive else None


class Stage:
    """A link with its arrays, ready to run.

    params, state: arrays in the order of compute's arguments.  ws: memory for twins.
    grads: where gradients of the parameters are written. If empty, backward leaves new arrays there.
    """

    __slots__ = (
        *("arrays", "compute", "context", "derive", "grads", "is_twin", "link", "new_state", "params"),
        *("saved", "shape", "state", "ws"),
    )

    def __init__(
        self,
        link: Link,
        ws: NewArrays,
        params: Sequence[Array] = (),
        state: Sequence[Array] = (),
        grads: Sequence[Array] = (),
    ) -> None:
        self.link, self.ws, self.params, self.state, self.grads = link, ws, params, state, grads
        self.compute, self.derive, self.is_twin = link.compute, link.derive, link.is_twin
        self.context = ws if link.is_twin else ws.backend.xp
        self.arrays = (*params, *state) if state else params
        self.saved: tuple[Any, ...] = ()
        self.shape: tuple[int, ...] | None = None  # of the last x in training
        self.new_state: Sequence[Array] = ()

    def forward(self, x: AnyArray, *targets: Array) -> AnyArray:
        """Return the output in training; keep what backward needs, and the new state until it is written."""
        out: AnyArray
        if x.shape != self.shape:
            self.link.layer.check_training(x)
            self.shape = x.shape
        result = self.compute(self.context, x, *targets, *self.arrays)
        if not self.is_twin:
            require_compute(self.link.layer, result, self.ws, self.state, x.shape[:1] if targets else None)
        if self.state:
            out, self.saved, self.new_state = result
        else:
            out, self.saved = result
        return out

    def backward(self, dout: Any) -> Any:
        """Return the gradient of the input, and write those of the parameters into `grads`."""
        result = self.derive(self.context, dout, *self.saved)
        if not self.is_twin:
            require_derive(self.link.layer, result, self.params, self.ws, self.shape)
        if not self.params:
            return result
        dx, *grads = result
        if not self.grads:
            self.grads = grads
        for target, value in zip(self.grads, grads, strict=True):
            if value is not target:  # a twin may have written it in place
                target[...] = value
        return dx

    def evaluate(self, x: AnyArray, *targets: Array) -> AnyArray:
        """Return the output in evaluation. Keeps nothing."""
        layer = self.link.layer
        if layer.evaluate is not None:
            out: AnyArray = layer.evaluate(self.ws.backend.xp, x, *targets, *self.arrays)
            require_array(f"{type(layer).__name__}.evaluate must return", out, self.ws)
            return out
        result = self.compute(self.context, x, *targets, *self.arrays)
        if not self.is_twin:
            require_compute(layer, result, self.ws, self.state, x.shape[:1] if targets else None)
        out = result[0]
        return out

    def use_formulas(self, xp: Any = None) -> None:
        """Use the formulas. That of the derivative can read what a single layer's twin saved.

        xp: the namespace, by default the backend's.
        """
        layer, self.is_twin = self.link.layer, False
        self.compute, self.derive, self.context = layer.compute, layer.derive, xp or self.ws.backend.xp


def write(targets: Iterable[Array], values: Iterable[Array]) -> None:
    """Copy values into place, except where a twin has already written them."""
    for target, value in zip(targets, values, strict=True):
        if value is not target:
            target[...] = value
