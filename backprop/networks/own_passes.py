"""Layers and losses with their own `forward` and `backward`, run in place of a Stage.

Their parameters are `params`, with gradients in `grads`; or, as in the book, attributes W, b with dW, db.
"""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from backends import Array, Backend, Namespace, backend_of, kind, owner_of, to_numpy
from backprop.layers.layer import Layer
from backprop.layers.requirements import require_array, require_dx, require_gradient
from backprop.layers.stage import write

FLAGS = ("training", "train_flg")  # names of the training flag, here and in the book
SAVED = ("x", "y", "out")  # attributes that forward saves; not parameters, even if there is a dx


def parameters_of(layer: Any, after: Any = None) -> dict[str, Array]:
    """Return the parameters of an object by name. Raises TypeError if `params` is not a mapping of arrays.

    after: a copy of the object whose passes have run, since attributes such as dW may exist only then.
    """
    params = getattr(layer, "params", None)
    if params is not None and not callable(params):
        if not isinstance(params, Mapping):
            raise TypeError(f"params must be a mapping of arrays by name, got {type(params).__name__}")
        for name, array in params.items():
            if not hasattr(array, "shape") or owner_of(array) is None or kind(array) not in "fc":
                got = getattr(array, "dtype", type(array).__name__)
                raise TypeError(f"params[{name!r}] must be an array of floating-point numbers, got {got}")
        return dict(params)
    attributes, known = attributes_of(layer), {**attributes_of(layer), **attributes_of(after)}
    arrays = {name: value for name, value in attributes.items() if name not in SAVED and owner_of(value)}
    return {name: array for name, array in arrays.items() if f"d{name}" in known and kind(array) == "f"}


def attributes_of(layer: Any) -> dict[str, Any]:
    """Return the attributes of an object by name, including those in __slots__."""
    slots = [name for cls in type(layer).__mro__ for name in vars(cls).get("__slots__", ())]
    in_slots = {name: getattr(layer, name) for name in slots if hasattr(layer, name)}
    return getattr(layer, "__dict__", {}) | in_slots


def attach(layer: Any, views: Any) -> None:
    """Replace an object's parameters by a network's arrays, under every name that the object has for them."""
    old, params = parameters_of(layer), getattr(layer, "params", None)
    if isinstance(layer, Layer):
        vars(layer)["params"] = views  # assignment would copy into the arrays of an earlier network
    elif isinstance(params, dict):
        params.update(views)
    for name, value in attributes_of(layer).items():
        for own, view in views.items():
            if value is old.get(own) or (own == name and own not in old):
                setattr(layer, name, view)


def require_attached(layer: Any, own: Mapping[str, Array]) -> None:
    """Raise ValueError if an object's parameter is no longer the network's array."""
    params = getattr(layer, "params", None)
    for name, array in own.items():
        held = params.get(name) if isinstance(params, Mapping) else getattr(layer, name, None)
        if held is not array:
            rule = f"its {name} is no longer the network's array"
            raise ValueError(f"{type(layer).__name__}: {rule}; assign values in place, {name}[...] = values")


def gradient_of(layer: Any, name: str) -> Any:
    """Return the gradient that an object's backward left for a parameter, or None."""
    grads = getattr(layer, "grads", None)
    return grads.get(name) if isinstance(grads, Mapping) else getattr(layer, f"d{name}", None)


@dataclass
class OwnPasses:
    """An object with its own forward and backward, in place of a Stage."""

    layer: Any
    backend: Backend
    dtype: Any
    params: Mapping[str, Array]
    grads: Sequence[Array] = ()  # where gradients are written, in the same order
    is_loss: bool = False

    def forward(self, x: Array, *targets: Array) -> Array:
        """Return the output in training; for a loss, the mean loss."""
        self.shape = x.shape
        return self._checked(self.layer.forward(x, *targets))

    def evaluate(self, x: Array, *targets: Array) -> Array:
        """Return the output in evaluation mode, if forward takes such a flag."""
        takes = inspect.signature(self.layer.forward, follow_wrapped=False).parameters
        flags = {flag: False for flag in FLAGS if flag in takes}
        return self._checked(self.layer.forward(x, *targets, **flags))

    def backward(self, dout: Any) -> Array:
        """Return the gradient of the input, and write those of the parameters into `grads`."""
        where = f"{type(self.layer).__name__}.backward"
        dx: Array = self.layer.backward(1.0 if self.is_loss else dout)  # a loss divides by N itself
        if self.is_loss and owner_of(dx) is self.backend and kind(dx) == "f":
            dx = self.backend.asarray(dx, self.dtype)  # the book's losses may subtract integer targets
        require_dx(where, dx, self, self.shape)
        if self.grads:
            found = [gradient_of(self.layer, name) for name in self.params]
            for (name, param), grad in zip(self.params.items(), found, strict=True):
                require_gradient(where, name, param, grad)
            write(self.grads, found)
        return dx

    def _checked(self, out: Array) -> Array:
        """Return the output; raise TypeError unless it has the network's backend and dtype."""
        where = f"{type(self.layer).__name__}.forward must return"
        if not self.is_loss:
            require_array(where, out, self)
        elif getattr(out, "shape", ()) != ():
            raise ValueError(f"{where} the mean loss, one number, got shape {out.shape}")
        return out


def same_state(stages: Iterable[Any]) -> ExitStack:
    """Return a context that restores the state of Layers with their own forward, which writes it at once.

    Its method `pop_all` lets them keep the new state.
    """
    own = [stage.layer for stage in stages if isinstance(stage, OwnPasses) and isinstance(stage.layer, Layer)]
    arrays = [array for layer in own for array in layer.state.values()]
    context = ExitStack()
    context.callback(write, arrays, [backend_of(array).copy(array) for array in arrays])
    return context


def correct(xp: Namespace, scores: Array, targets: Array) -> Array | None:
    """Return for each sample whether its largest score is at the label: for a loss without its own `correct`.

    None unless the targets are labels: (N,) integers, or one-hot in the shape of the scores.
    """
    if len(scores.shape) != 2 or targets.shape not in (scores.shape, scores.shape[:1]):
        return None
    if len(targets.shape) == 1:
        return xp.argmax(scores, axis=1) == targets if kind(targets) in "iu" else None
    host = to_numpy(targets)
    is_one_hot = ((host == 0) | (host == 1)).all() and (host.sum(axis=1) == 1).all()
    return xp.argmax(scores, axis=1) == xp.argmax(targets, axis=1) if is_one_hot else None
