"""The recognition of a user's layer: its parameters, its updates, the inputs to differentiate."""

from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Any

from backends import backend_of, kind
from backprop.gradient_check.adapter import Adapter
from backprop.gradient_check.cures import one_by_one
from backprop.gradient_check.dependence import same
from backprop.gradient_check.parameters import Parameter
from backprop.gradient_check.places import replaced
from backprop.gradient_check.requirements import advice_on_error, real_inputs, require_real
from backprop.gradient_check.styles import RATES
from backprop.gradient_check.trial import Trial
from backprop.gradient_check.values import is_numbers


@dataclass
class Recognized:
    """A layer with known parameters, its inputs, and the positions of the inputs to differentiate."""

    layer: Adapter
    inputs: list[Any]
    wanted: tuple[int, ...] = (0,)


def recognized(layer: Adapter, inputs: list[Any], given: Any, constants: Sequence[str]) -> Recognized:
    """Return a layer recognized by running a copy of it.

    given: the first input as it was passed in: integers may be indices and must then stay integers.
    constants: names, among them those of inputs that are not to be differentiated.
    """
    layer = copy(layer)
    if layer.runs_formulas:
        layer.found = [_library_parameter(name) for name in layer.layer.params]
        return Recognized(layer, inputs)
    layer.passes = copy(layer.passes)
    integers = backend_of(inputs[0]).asarray(given)
    layer, trial = _built(layer, inputs, integers)
    with advice_on_error(layer.passes.names[1], "dout"):
        dx = trial.backward()
    if isinstance(given, (list, tuple)) and isinstance(dx, tuple) and len(dx) == len(given):
        raise TypeError(one_by_one(layer.passes.names, len(dx)))
    if numbers := trial.numbers():
        layer.layer = replaced(layer.layer, numbers)
        return recognized(layer, inputs, given, constants)
    _learn(layer, trial)
    for name, array in layer.params.items():
        require_real(name, array)
    wanted = [i for i in trial.layer.wanted if layer.input_name(i) not in constants]
    if kind(integers) in "iu" and (dx is None or trial.inputs[0] is integers):  # indices
        wanted = [i for i in wanted if i]
    return Recognized(layer, real_inputs(trial.inputs, wanted), tuple(wanted))


def _library_parameter(name: str) -> Parameter:
    """Return a parameter of a layer of the library."""
    own, gradient = ((("attribute", held), ("item", name)) for held in ("params", "grads"))
    return Parameter(name, own, [gradient])


def _built(layer: Adapter, inputs: list[Any], given: Any) -> tuple[Adapter, Trial]:
    """Return a layer after its first forward, which may create arrays, and a trial of it."""
    trial = _started(layer, inputs, given)
    if trial.is_built():
        return layer, trial
    layer = deepcopy(trial.layer)
    trial = _started(layer, inputs, given)
    trial.is_built()  # again, so that this trial knows its stable arrays
    return layer, trial


def _started(layer: Adapter, inputs: list[Any], given: Any) -> Trial:
    """Return a trial whose forward has run; on integers if the given ones are indices."""
    if kind(given) in "iu" and _are_indices(Trial(layer, inputs)):
        inputs = [given, *inputs[1:]]
    trial = Trial(layer, inputs)
    with advice_on_error(layer.passes.names[0], *inputs):
        trial.forward()
    return trial


def _are_indices(trial: Trial) -> bool:
    """Return whether forward fails on fractions, or rounds them down to whole numbers."""
    (x, *rest), backend = trial.inputs, backend_of(trial.inputs[0])
    try:
        first = trial.out()
        trial.inputs = [backend.asarray(x + 0.25), *rest]  # a sum may be a number, not an array
        if not same(first, trial.out()):
            return False
        trial.inputs = [backend.asarray(x + 1.0), *rest]
        return not same(first, trial.out())
    except Exception:  # forward may raise anything on other values
        return True


def _learn(layer: Adapter, trial: Trial) -> None:
    """Set the parameters of a layer, and the way it updates itself, from a trial."""
    layer.found = trial.named() if layer.given else trial.parameters()
    updates = trial.updates()
    rate = next((name for name in RATES if is_numbers(getattr(layer.layer, name, None))), "")
    if updates and rate:
        layer.passes.rate_attribute = rate
        trial.backward()
        updates = trial.updates()
    if trial.layer.takes_rate and trial.is_descent():
        layer.found = [Parameter(each.name, each.places[0], []) for each in updates]
    else:
        layer.updates = updates
