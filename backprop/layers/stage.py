"""A layer at work: its two functions, found once for a backend and a dtype, and what it saved in between.

Layers on their own, networks and training loops all run through here; only the memory differs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import MethodType
from typing import Any

from backends import Array, Backend, NewArrays, find, mix, owner_of


@dataclass(slots=True)
class Link:
    """A place in a chain: what runs there, found once.

    layer: the layer, or the first of two neighbours that are computed as one.
    compute, derive: its formulas, or twins; None for an object with passes of its own.
    names: the network's names of its parameters, by the layer's own.
    keys: under which twins ask for the memory of their gradients, ("dW", shape).
    """

    layer: Any
    compute: Any = None
    derive: Any = None
    is_twin: bool = False
    names: dict[str, str] = field(default_factory=dict)
    keys: tuple[tuple[str, tuple[int, ...]], ...] = ()
    is_loss: bool = False


def link(backend: Backend, dtype: Any, layer: Any) -> Link:
    """Return what computes a layer: its twins, where there are any for this dtype, else its formulas."""
    twins = _twins(backend, dtype, layer)
    if twins:
        return Link(layer, *twins, is_twin=True)
    require_arguments(layer)
    return Link(layer, layer.compute, layer.derive)


def fused_link(backend: Backend, dtype: Any, layer: Any, follower: Any) -> Link | None:
    """Return what computes a layer and the one behind it as one; None where there are no such twins."""
    if follower.params or follower.state or follower.evaluate or layer.evaluate:
        return None
    twins = _twins(backend, dtype, layer, follower)
    return Link(layer, *twins, is_twin=True) if twins else None


def _twins(backend: Backend, dtype: Any, *layers: Any) -> tuple[Any, Any] | None:
    """Return the twins of compute and derive, as methods of the first layer; None where either is missing."""
    compute = find(backend.name, dtype, *[each.compute for each in layers])
    derive = find(backend.name, dtype, *[each.derive for each in layers])
    return (MethodType(compute, layers[0]), MethodType(derive, layers[0])) if compute and derive else None


class Stage:
    """A link at work.

    params, state: arrays in the order of compute's arguments.  ws: memory for twins.
    grads: where the gradients of the parameters go; where there are none, backward leaves new ones.
    """

    __slots__ = (
        *("arrays", "compute", "context", "derive", "grads", "is_twin", "link", "new_state", "params"),
        *("saved", "shape", "state", "ws"),
    )

    def __init__(
        self,
        link: Any,
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
        self.new_state: Sequence[Array] = ()

    def forward(self, x: Array, *targets: Array) -> Array:
        """Return the output in training; keep what backward needs, and the new state until it is written."""
        result = self.compute(self.context, x, *targets, *self.arrays)
        self.shape = x.shape
        if not self.is_twin:
            require_compute(self.link.layer, result, self.ws, self.state, x.shape[:1] if targets else None)
        if self.state:
            out, self.saved, self.new_state = result
        else:
            out, self.saved = result
        return out

    def backward(self, dout: Any) -> Array:
        """Return the gradient of the input; those of the parameters go into `grads`."""
        result = self.derive(self.context, dout, *self.saved)
        if not self.is_twin:
            require_derive(self.link.layer, result, self.params, self.ws, self.shape)
        if not self.params:
            return result
        dx, *grads = result
        if not self.grads:
            self.grads = grads
        for target, value in zip(self.grads, grads, strict=True):
            if value is not target:  # else a twin wrote it in place
                target[...] = value
        return dx

    def evaluate(self, x: Array, *targets: Array) -> Array:
        """Return the output outside of training; nothing is kept."""
        layer = self.link.layer
        if layer.evaluate is not None:
            out = layer.evaluate(self.ws.backend.xp, x, *targets, *self.arrays)
            require_array(f"{type(layer).__name__}.evaluate must return", out, self.ws)
            return out
        result = self.compute(self.context, x, *targets, *self.arrays)
        if not self.is_twin:
            require_compute(layer, result, self.ws, self.state, x.shape[:1] if targets else None)
        return result[0]

    def use_formulas(self) -> None:
        """Leave the derivative to the formula: what a single layer's twin saves it understands as well."""
        self.derive, self.context, self.is_twin = self.link.layer.derive, self.ws.backend.xp, False


def write(targets: Iterable[Array], values: Iterable[Array]) -> None:
    """Copy values into place, unless a twin has written them there already."""
    for target, value in zip(targets, values, strict=True):
        if value is not target:
            target[...] = value


# ----------------------------------------------------------------- what the author of a formula may get wrong


def require_arguments(layer: Any) -> None:
    """Raise TypeError unless compute names the layer's arrays in the order in which it is given them."""
    code = getattr(getattr(layer.compute, "__func__", None), "__code__", None)
    own = (*layer.params, *layer.state)
    if code is None or code.co_flags & 0x04 or not own:  # 0x04: it takes *arguments
        return
    named = code.co_varnames[: code.co_argcount][-len(own) :]
    if named != own:
        where, rule = f"{type(layer).__name__}.compute", "must take its arrays in their order"
        raise TypeError(f"{where} {rule}, (…, {', '.join(own)}), got (…, {', '.join(named)})")


def require_compute(layer: Any, result: Any, ws: NewArrays, state: Sequence[Array], losses: Any) -> None:
    """Raise TypeError, ValueError unless compute has returned what it must.

    losses: the shape of those of a loss, (N,); None for a layer.
    """
    where, size = f"{type(layer).__name__}.compute", 3 if state else 2
    if not isinstance(result, tuple) or len(result) != size:
        wanted = "out, saved, new state" if state else "out, saved"
        raise TypeError(f"{where} must return {wanted}; all but out are tuples, as in: return out, (x,)")
    for name, item in zip(("saved", "new state"), result[1:], strict=False):
        if not isinstance(item, tuple):
            comma = "a tuple of one needs a comma: return out, (x,)"
            raise TypeError(f"{where}: {name} must be a tuple, got {type(item).__name__}; {comma}")
    require_array(f"{where} must return", result[0], ws)
    if losses is not None and result[0].shape != losses:
        raise ValueError(f"{where} must return one loss per sample, {losses}, got shape {result[0].shape}")
    shapes = [array.shape for array in state]
    if state and [getattr(new, "shape", None) for new in result[2]] != shapes:
        raise ValueError(f"{where}: the new state must have the shapes of the state, {shapes}")


def require_derive(layer: Any, result: Any, params: Sequence[Array], ws: NewArrays, shape: Any) -> None:
    """Raise unless derive has returned dx in the shape of x and a gradient for every parameter."""
    where, names = f"{type(layer).__name__}.derive", tuple(layer.params)
    if params:
        order = f"{where} must return a tuple: dx and the gradients of {', '.join(names)}, in this order"
        if not isinstance(result, tuple) or len(result) > 1 + len(names):
            raise TypeError(f"{order}, got {type(result).__name__}")
        missing = [None] * (1 + len(names) - len(result))
        for name, param, grad in zip(names, params, (*result[1:], *missing), strict=True):
            require_gradient(where, name, param, grad, f"; it returns dx, {', '.join(names)} in this order")
    require_dx(where, result[0] if params else result, ws, shape)


def require_dx(where: str, dx: Any, ws: Any, shape: tuple[int, ...]) -> None:
    """Raise TypeError, ValueError unless dx is an array of the backend and dtype of ws in the shape of x."""
    if dx is None:
        raise TypeError(f"{where} must return the gradient of x, got None: is its return missing?")
    require_array(f"{where} must return dx,", dx, ws)
    if dx.shape != shape:
        raise ValueError(f"{where}: dx must have the shape of x, {shape}, got {dx.shape}")


def require_array(must: str, value: Any, ws: Any) -> None:
    """Raise TypeError unless value is an array of the backend and the dtype of ws, or complex.

    must: how the message begins.
    """
    if owner_of(value) is not ws.backend:
        raise TypeError(f"{must} an array of {ws.backend.name}, got {type(value).__name__}")
    if not mix(value.dtype, ws.dtype):
        cure = "take Python numbers, or xp.asarray(c, dtype=x.dtype)"
        raise TypeError(f"{must} an array of the dtype of x, {ws.dtype}, got {value.dtype}; {cure}")


def require_gradient(where: str, name: str, param: Array, grad: Any, cure: str = "") -> None:
    """Raise RuntimeError for a gradient that is missing, ValueError for one of another shape."""
    if grad is None:
        raise RuntimeError(f"{where} left no gradient of {name}")
    if getattr(grad, "shape", None) != param.shape:
        got = getattr(grad, "shape", type(grad).__name__)
        rule = f"the gradient of {name} must have its shape, {param.shape}"
        raise ValueError(f"{where}: {rule}, got {got}{cure}")
