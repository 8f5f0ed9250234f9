"""A network as a scalar function: `loss`, with `gradient` as its derivative."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from backends import backend_of, describe, kind, owner_of, to_numpy
from backprop.gradient_check.cures import keeping
from backprop.gradient_check.host_arrays import on_host
from backprop.gradient_check.parts import called_layers
from backprop.gradient_check.places import Place, Reached, at, replaced
from backprop.gradient_check.reach import as_floats, reach
from backprop.gradient_check.requirements import WHERE, advice_on_error, require_numbers
from backprop.gradient_check.signatures import names
from backprop.gradient_check.styles import TRAINING, network_methods, plain
from backprop.gradient_check.target import Run, Target, TargetCopy
from backprop.networks import jacobian

INPUT_FLAG = "input_gradient"


class NetworkTarget(Target):
    """A network with its loss as the value; if `gradient` has a flag input_gradient, the input is compared.

    The parameters are those in `params` or, without it, the arrays with the same names as gradients.
    Raises TypeError for a network with neither parameters nor a gradient of its input.
    """

    def __init__(self, obj: Any, *given: Any) -> None:
        self.found: dict[str, Place] = {}
        if not hasattr(obj, "params"):
            named = _named(obj, given[0])
            obj = replaced(obj, named)
            self.found = {each.name: each.places[0] for each in named}
        super().__init__(obj, *given)
        self.names = network_methods(obj)
        loss, gradient = (getattr(obj, name) for name in self.names)
        self.of_loss, self.of_gradient = _flags(loss, TRAINING), _flags(gradient, (*TRAINING, INPUT_FLAG))
        if not self.params and INPUT_FLAG not in self.of_gradient:
            params = [each.name for each in self.reach.arrays.values()]
            cure = keeping(*self.names, names(gradient)[: len(self.inputs)], False, params)
            rule = f"there is nothing to compare: {self.name} has no params"
            raise TypeError(f"{WHERE}: {rule}; name its arrays in order, and constants=['x']: {cure}")
        with advice_on_error(f"{self.name}.{self.names[0]}", *self.inputs):
            require_numbers(f"{self.name}.{self.names[0]}", self.value(self.copy()))
        self.random.watch()

    def params_of(self, obj: Any) -> Mapping[str, Any]:
        params = getattr(obj, "params", None) or {name: at(obj, place) for name, place in self.found.items()}
        return (
            params if isinstance(params, Mapping) else {f"params[{i}]": each for i, each in enumerate(params)}
        )

    def copy(self, dtype: str = "float64") -> TargetCopy:
        copied = super().copy(dtype)
        if self.wanted and INPUT_FLAG not in self.of_gradient:
            del copied.arrays[self.input_names[0]]
        return copied

    def value(self, copied: TargetCopy) -> Any:
        copied.restore()
        return self._returned(copied, 0, self.of_loss)

    def _returned(self, copied: TargetCopy, i: int, flags: dict[str, bool]) -> Any:
        """Return the loss, i = 0, or its gradient, i = 1; take item i of one method that returns both."""
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
            rule = "must return gradients by name, or a list with one for each array in params"
            raise TypeError(f"{WHERE}: {self.name}.{self.names[1]} {rule}, got {describe(gradients)}")
        by_name = {name: on_host(gradients.get(name)) for name in copied.arrays}
        return Run(out, float(abs(out)) + self._largest_logit(copied), by_name, inputs=self.wanted)

    def _largest_logit(self, copied: TargetCopy) -> float:
        """Return the size of the logits: their rounding passes into a loss, however small it is."""
        try:
            return float(abs(to_numpy(copied.obj.predict(copied.inputs[0]))).max())
        except Exception:  # not every network has such a predict
            return 0.0

    def places(self, copied: TargetCopy) -> Iterator[jacobian.Place]:
        return jacobian.places(copied.obj, *copied.inputs)

    def layers(self, copied: TargetCopy) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
        return iter(called_layers(copied.obj, lambda: self.run(copied)))


def _flags(method: Any, known: Sequence[str]) -> dict[str, bool]:
    """Return the flags with these names that a method or the one it wraps takes, set to True."""
    return {name: True for name in inspect.signature(method).parameters if {name, plain(name)} & {*known}}


def is_loss_layer(obj: Any, inputs: Sequence[Any]) -> bool:
    """Return whether an object with `loss` and `gradient` is a loss, not a network: it returns an array."""
    return not hasattr(obj, "params") and owner_of(_gradients(obj, inputs)) is not None


def network_inputs(obj: Any, inputs: list[Any], given: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Return a network's inputs and the positions to differentiate; indices stay integers and have none."""
    given = backend_of(inputs[0]).asarray(given)
    if kind(given) in "iu":
        try:
            getattr(deepcopy(obj), network_methods(obj)[0])(*deepcopy(inputs))
        except Exception:  # float indices may raise anything
            return [given, *inputs[1:]], ()
    return inputs, (0,)


def _gradients(obj: Any, inputs: Sequence[Any]) -> Any:
    """Return the gradients that a copy of a network returns."""
    name = network_methods(obj)[1]
    with advice_on_error(f"{type(obj).__name__}.{name}", *inputs):
        return getattr(deepcopy(obj), name)(*deepcopy(inputs))


def _named(obj: Any, inputs: Sequence[Any]) -> list[Reached]:
    """Return the arrays named like a gradient, and, as arrays, the numbers named so."""
    gradients, reached = _gradients(obj, inputs), reach(obj)
    known = gradients if isinstance(gradients, Mapping) else ()
    arrays = [each for each in reached.arrays.values() if each.name in known]
    numbers = [each for each in (*reached.others.values(), *reached.numbers) if each.name in known]
    return arrays + [as_floats(each) for each in numbers]
