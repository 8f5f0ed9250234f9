"""A network as a scalar function: its `loss`, and its `gradient`."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from backends import backend_of, describe, kind, owner_of, to_numpy
from backprop.gradient_check.cures import keeping
from backprop.gradient_check.host_arrays import on_host
from backprop.gradient_check.parts import layers_at_work
from backprop.gradient_check.places import Place, Reached, at, replaced
from backprop.gradient_check.reach import as_floats, reach
from backprop.gradient_check.requirements import WHERE, require_numbers, what_to_do
from backprop.gradient_check.signatures import names
from backprop.gradient_check.styles import TRAINING, of_network, plain
from backprop.gradient_check.target import Run, Target, TargetCopy
from backprop.networks import jacobian

OF_INPUT = "input_gradient"


class NetworkTarget(Target):
    """A network: its value is the loss; its `gradient` is asked for that of the input if it can give it.

    Its parameters are those in `params`, or else the arrays that have the names of its gradients.
    Raises TypeError for a network with neither parameters nor a gradient of its input.
    """

    def __init__(self, obj: Any, *given: Any) -> None:
        self.found: dict[str, Place] = {}
        if not hasattr(obj, "params"):
            named = _named(obj, given[0])
            obj = replaced(obj, named)
            self.found = {each.name: each.places[0] for each in named}
        super().__init__(obj, *given)
        self.names = of_network(obj)
        loss, gradient = (getattr(obj, name) for name in self.names)
        self.of_loss, self.of_gradient = _flags(loss, TRAINING), _flags(gradient, (*TRAINING, OF_INPUT))
        if not self.params and OF_INPUT not in self.of_gradient:
            params = [each.name for each in self.reach.arrays.values()]
            cure = keeping(*self.names, names(gradient)[: len(self.inputs)], False, params)
            rule = f"there is nothing to compare: {self.name} has no params"
            raise TypeError(f"{WHERE}: {rule}; name its arrays in order, and constants=['x']: {cure}")
        with what_to_do(f"{self.name}.{self.names[0]}", *self.inputs):
            require_numbers(f"{self.name}.{self.names[0]}", self.value(self.copy()))
        self.random.watch()

    def params_of(self, obj: Any) -> Mapping[str, Any]:
        held = getattr(obj, "params", None) or {name: at(obj, place) for name, place in self.found.items()}
        return held if isinstance(held, Mapping) else {f"params[{i}]": each for i, each in enumerate(held)}

    def copy(self, dtype: str = "float64") -> TargetCopy:
        copied = super().copy(dtype)
        if self.wanted and OF_INPUT not in self.of_gradient:
            del copied.arrays[self.input_names[0]]
        return copied

    def value(self, copied: TargetCopy) -> Any:
        copied.restore()
        return self._returned(copied, 0, self.of_loss)

    def _returned(self, copied: TargetCopy, i: int, flags: dict[str, bool]) -> Any:
        """Return what the loss, 0, or its gradient, 1, gives; one that gives both has that item of it."""
        out = getattr(copied.obj, self.names[i])(*copied.inputs, **flags)
        if self.names[0] != self.names[1]:
            return out
        if not isinstance(out, tuple):
            rule = f"{self.name} has no gradient, so {self.names[0]} must return (loss, gradients)"
            raise TypeError(f"{WHERE}: {rule}, got {describe(out)}")
        return out[i]

    def run(self, copied: TargetCopy, dout: Any = 1.0) -> Run:
        out = to_numpy(self.value(copied))
        copied.restore()
        gradients, params = self._returned(copied, 1, self.of_gradient), self.params_of(copied.obj)
        if isinstance(gradients, (list, tuple)) and len(gradients) == len(params):
            gradients = dict(zip(params, gradients, strict=True))
        if not isinstance(gradients, Mapping):
            rule = f"{self.name}.{self.names[1]} must return a mapping by name, or a gradient for each array"
            raise TypeError(f"{WHERE}: {rule} of params, got {describe(gradients)}")
        by_name = {name: on_host(gradients.get(name)) for name in copied.arrays}
        return Run(out, float(abs(out)) + self._largest_logit(copied), by_name, inputs=self.wanted)

    def _largest_logit(self, copied: TargetCopy) -> float:
        """Return the size of the logits: a loss may be smaller than they are and yet as inexact."""
        try:
            return float(abs(to_numpy(copied.obj.predict(copied.inputs[0]))).max())
        except Exception:  # not every network has such a predict
            return 0.0

    def places(self, copied: TargetCopy) -> Iterator[jacobian.Place]:
        return jacobian.places(copied.obj, *copied.inputs)

    def layers(self, copied: TargetCopy) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
        return iter(layers_at_work(copied.obj, lambda: self.run(copied)))


def _flags(method: Any, known: Sequence[str]) -> dict[str, bool]:
    """Return the flags of these names that a method takes, or what it wraps, set."""
    return {name: True for name in inspect.signature(method).parameters if {name, plain(name)} & {*known}}


def is_loss_layer(obj: Any, inputs: Sequence[Any]) -> bool:
    """Return whether an object with `loss` and `gradient` is no network: its gradient is an array."""
    return not hasattr(obj, "params") and owner_of(_gradients(obj, inputs)) is not None


def network_inputs(obj: Any, inputs: list[Any], given: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Return a network's inputs, and which are differentiated: integers that must be such stay as given."""
    given = backend_of(inputs[0]).asarray(given)
    if kind(given) in "iu":
        try:
            getattr(deepcopy(obj), of_network(obj)[0])(*deepcopy(inputs))
        except Exception:  # indices that are no integers may raise anything
            return [given, *inputs[1:]], ()
    return inputs, (0,)


def _gradients(obj: Any, inputs: Sequence[Any]) -> Any:
    """Return what the gradient of a copy gives."""
    name = of_network(obj)[1]
    with what_to_do(f"{type(obj).__name__}.{name}", *inputs):
        return getattr(deepcopy(obj), name)(*deepcopy(inputs))


def _named(obj: Any, inputs: Sequence[Any]) -> list[Reached]:
    """Return the arrays that have the names of gradients, and as arrays the numbers that have."""
    gradients, held = _gradients(obj, inputs), reach(obj)
    known = gradients if isinstance(gradients, Mapping) else ()
    arrays = [each for each in held.arrays.values() if each.name in known]
    numbers = [each for each in (*held.others.values(), *held.numbers) if each.name in known]
    return arrays + [as_floats(each) for each in numbers]
