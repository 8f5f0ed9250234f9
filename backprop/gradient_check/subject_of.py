"""Which subject an object is: a network where it has a loss and a gradient, else a layer."""

from typing import Any

from backends import backend_of
from backprop.gradient_check.layer_subject import LayerSubject
from backprop.gradient_check.network_subject import NetworkSubject
from backprop.gradient_check.requirements import is_network, real_array, require_object
from backprop.gradient_check.subject import Subject


def subject_of(
    obj: Any, inputs: tuple[Any, ...], rng: Any, kind_of_layer: type[LayerSubject] = LayerSubject
) -> Subject:
    """What to look at, of an object and its inputs.  Raises TypeError, ValueError where it cannot be."""
    require_object(obj, inputs)
    params = getattr(obj, "params", {})
    first = real_array(inputs[0], "the input", backend_of(*params.values()) if params else None)
    kind = NetworkSubject if is_network(obj) else kind_of_layer
    return kind(obj, [first, *inputs[1:]], rng)
