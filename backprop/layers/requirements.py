"""Checks of what a layer's author wrote: which methods it has, and what they take and return."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from backends import Array, Backend, NewArrays, dtype_name, kind, mix, one_backend, owner_of, shown
from backprop.arrays.entering import COMPUTED, require_alike


def require_formulas(layer: Any) -> None:
    """Raise TypeError unless a layer has both formulas."""
    if not (hasattr(layer, "compute") and hasattr(layer, "derive")):
        missing = [name for name in ("compute", "derive") if not hasattr(layer, name)]
        rule = "a layer needs compute and derive, see docs/guides/own_layers.md"
        raise TypeError(f"{type(layer).__name__}: {rule}; it has no {' and no '.join(missing)}")


def require_arguments(layer: Any) -> None:
    """Raise TypeError unless compute takes the layer's arrays by name, in their order."""
    code = getattr(getattr(layer.compute, "__func__", None), "__code__", None)
    own = (*layer.params, *layer.state)
    if code is None or code.co_flags & 0x04 or not own:  # 0x04: CO_VARARGS, it takes *arguments
        return
    arguments = code.co_varnames[3 : code.co_argcount]  # after self, xp, x
    at = arguments.index(own[0]) if own[0] in arguments else 0
    if arguments[at : at + len(own)] != own:
        where, rule = f"{type(layer).__name__}.compute", "must take its arrays by name, in their order"
        raise TypeError(f"{where} {rule}: (…, {', '.join(own)}), got (…, {', '.join(arguments)})")


def require_compute(layer: Any, result: Any, ws: NewArrays, state: Sequence[Array], losses: Any) -> None:
    """Raise TypeError or ValueError unless compute returned the right kinds and shapes.

    losses: the required shape of the losses of a Loss, (N,); None for a layer.
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
    for old, new in zip(state, result[2] if state else (), strict=True):
        if kind(old) in "iu" and kind(new) not in "iu":
            raise TypeError(f"{where}: the new state must hold integers, as the state, got {new.dtype}")


def require_derive(layer: Any, result: Any, params: Sequence[Array], ws: NewArrays, shape: Any) -> None:
    """Raise unless derive returned dx in the shape of x and a gradient for every parameter."""
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
    """Raise TypeError or ValueError unless dx has the backend and dtype of ws and the shape of x."""
    if dx is None:
        raise TypeError(f"{where} must return the gradient of x, got None: is the return statement missing?")
    require_array(f"{where} must return dx,", dx, ws)
    if dx.shape != shape:
        raise ValueError(f"{where}: dx must have the shape of x, {shape}, got {dx.shape}")


def require_array(must: str, value: Any, ws: Any) -> None:
    """Raise TypeError unless value is an array of the backend of ws, in its dtype or complex.

    must: the beginning of the message.
    """
    if owner_of(value) is not ws.backend:
        raise TypeError(f"{must} an array of {ws.backend.name}, got {type(value).__name__}")
    if not mix(value.dtype, ws.dtype):
        cure = "use Python numbers, or xp.asarray(c, dtype=x.dtype)"
        raise TypeError(f"{must} an array of the dtype of x, {ws.dtype}, got {value.dtype}; {cure}")


def require_gradient(where: str, name: str, param: Array, grad: Any, cure: str = "") -> None:
    """Raise RuntimeError if a gradient is missing, ValueError if it has the wrong shape."""
    if grad is None:
        raise RuntimeError(f"{where} left no gradient for {name}")
    if getattr(grad, "shape", None) != param.shape:
        got = getattr(grad, "shape", type(grad).__name__)
        rule = f"the gradient of {name} must have its shape, {param.shape}"
        raise ValueError(f"{where}: {rule}, got {got}{cure}")


def require_scales(where: str, gamma: Any, beta: Any) -> Backend:
    """Return the backend of γ and β. Raise TypeError unless both are arrays, alike and floating-point."""
    if gamma is None or beta is None or isinstance(gamma, (Integral, tuple)):
        rule = "gamma and beta must be two arrays, or left out, since a network knows their size"
        raise TypeError(f"{where}: {rule}, got {shown(gamma)} and {shown(beta)}; use {where}()")
    return require_alike(where, gamma=gamma, beta=beta)


def require_initial(layer: Any, made: Any) -> None:
    """Raise TypeError unless initial returned parameters and state, two dicts by name."""
    if not isinstance(made, tuple) or [isinstance(each, Mapping) for each in made] != [True, True]:
        rule = "initial must return two dicts of arrays, parameters and state"
        raise TypeError(f"{type(layer).__name__}.{rule}, got {shown(made)}")


def require_like(where: str, dout: Any, out: Array, shape: tuple[int, ...], what: str) -> None:
    """Raise unless dout is an array of this shape, with the backend and dtype of out."""
    one_backend(where, dout=dout, out=out)
    if dout.shape != shape:
        raise ValueError(f"{where}: dout must have the shape of {what}, {shape}, got {dout.shape}")
    if not mix(dout.dtype, out.dtype) or dtype_name(dout.dtype) not in COMPUTED:
        raise TypeError(f"{where}: dout must have the dtype of the layer, {out.dtype}, got {dout.dtype}")
