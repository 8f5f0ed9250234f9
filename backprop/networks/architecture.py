"""The description of a network as plain data: classes, names and settings, from which it is made again."""

from collections.abc import Mapping
from math import prod
from typing import Any

from backends import Array, Backend, dtype_name
from backprop import layers as own_layers
from backprop import losses as own_losses
from backprop.arrays.arrays import Arrays
from backprop.arrays.checked_number import numbers_of
from backprop.arrays.checks import sizes
from backprop.arrays.dtypes import ACCEPTED
from backprop.networks.assembly import Assembly
from backprop.networks.counting import counted, states_of
from backprop.networks.known_links import FORMULAS

METHODS = ("loss", "gradient", "predict", "accuracy")  # of a network, which a user may replace on the object
LOSSES = {name: getattr(own_losses, name) for name in own_losses.__all__ if name != "Loss"}
LAYERS = {name: getattr(own_layers, name) for name in own_layers.__all__ if name not in ("Layer", *LOSSES)}
Forms = Mapping[str, tuple[str, tuple[int, ...]]]  # dtype and shape of arrays by name


class ForeignClass(TypeError):
    """The error for a class that is not the library's own."""


def described(base: type, net: Any) -> dict[str, Any]:
    """Return what a network is made of, for JSON.

    A layer is [class, its parameters, its state, its settings]. Classes that are not the library's are named
    with their modules.

    base: the class Network.
    """
    parts, states = [], states_of(net.layers)
    for name, layer in net.layers.items():
        arrays = " ".join(net.names[name]), " ".join(states[name])
        part = [_name(LAYERS, layer), *arrays, numbers_of(layer)]
        while not part[-1]:
            part.pop()
        parts.append(part)
    automatic = [*net.layers] == _automatic(parts)
    return {
        "class": _name(networks(base), net),
        **({"settings": settings} if (settings := numbers_of(net)) else {}),
        "layers": parts,
        **({} if automatic else {"names": [*net.layers]}),
        "loss": [_name(LOSSES, net.loss_layer), numbers_of(net.loss_layer)],
        "input": [*net.input_shape],
    }


def rebuilt(base: type, facts: Mapping[str, Any], forms: Forms, backend: Backend) -> Any:
    """Return the network of a description, with arrays whose numbers are still to be read.

    Parameters
    ----------
    base : type
        The class Network.
    facts : dict
        As `described` returned it. It is not trusted.
    forms : dict
        The arrays that there are. Memory is allocated for no others.
    backend : Backend

    Raises
    ------
    ForeignClass
        If it names a class that is not the library's own.
    Exception
        Of many kinds, if it is wrong.
    """
    kind = _class(networks(base), facts["class"], "network")
    layers = [_class(LAYERS, part[0], "layer") for part in facts["layers"]]
    loss = _class(LOSSES, facts["loss"][0], "loss")(**_numbers(facts["loss"][1]))
    parts = [[*part, *["", "", {}][len(part) - 1 :]] for part in facts["layers"]]
    names = facts.get("names") or _automatic(parts)
    if not all(isinstance(name, str) for name in names):
        raise TypeError("the names of layers must be strings")
    params = counted("parameters", {name: part[1].split() for name, part in zip(names, parts, strict=True)})
    state = counted("state", {name: part[2].split() for name, part in zip(names, parts, strict=True)})
    flat = _flat([outer for own in params.values() for outer in own.values()], forms, backend)
    if len(params) != len(parts) or dtype_name(flat.flat.dtype) not in ACCEPTED:
        raise ValueError(f"parameters must be {' or '.join(ACCEPTED)}, got {flat}")
    made: dict[str, Any] = {}
    for (name, own), layer, part in zip(params.items(), layers, parts, strict=True):
        arrays = {each: flat[outer] for each, outer in own.items()}
        made[name] = layer(**arrays, **_numbers(part[3]))
        if state[name]:
            there = _flat([*state[name].values()], forms, backend)
            made[name].state = Arrays(dict(zip(state[name], there.shapes.values(), strict=True)), there.flat)
    shape = sizes("input", "input", facts["input"])
    outputs = _output_shapes(made, shape, backend, flat.flat.dtype)
    loss.check(_of_shape([*outputs.values()][-1], backend, flat.flat.dtype))
    net = kind.__new__(kind)
    net._take(Assembly(made, params, flat, shape, outputs), loss)
    for name, value in facts.get("settings", {}).items():
        if name not in numbers_of(net):
            raise ValueError(f"{kind.__name__} has no setting {name}")
        setattr(net, name, value)
    return net


def networks(base: Any) -> dict[str, Any]:
    """Return the library's classes of networks by name: this one and those that inherit from it."""
    home = __name__.rpartition(".")[0]
    found = {base.__name__: base} if base.__module__.startswith(f"{home}.") else {}
    for each in base.__subclasses__():
        found |= networks(each)
    return found


def state_name(name: str, params: Mapping[str, Any]) -> str:
    """Return what a file calls an array of state: its own name, unless a parameter has the same."""
    return f"state.{name}" if name in params else name


def _automatic(parts: Any) -> list[str]:
    """Return the names that a network gives to the layers of a list."""
    classes = {str(at): [part[0].rpartition(".")[2]] for at, part in enumerate(parts)}
    return [name for names in counted("layers", classes).values() for name in names.values()]


def _name(known: Mapping[str, Any], obj: Any) -> str:
    """Return the name of a class; with its module if it is not among these, or if this object differs."""
    kind = type(obj)
    if kind in known.values() and not vars(obj).keys() & {*FORMULAS, *METHODS}:
        return kind.__name__
    return f"{kind.__module__}.{kind.__name__}"


def _class(known: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in known:
        raise ForeignClass(f"the {what} {name}")
    return known[name]


def _numbers(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return settings for a constructor; raise TypeError unless all of them are numbers."""
    wrong = [name for name, value in settings.items() if not isinstance(value, float | int)]
    if wrong:
        raise TypeError(f"{wrong[0]} must be a number")
    return settings


def _flat(names: list[str], forms: Forms, backend: Backend) -> Arrays:
    """Return arrays of these forms in one buffer of zeros."""
    shapes = {name: forms[name][1] for name in names}
    dtypes = {forms[name][0] for name in names}
    if len(dtypes) > 1:
        raise ValueError(f"{' '.join(names)} must have one dtype, got {' and '.join(sorted(dtypes))}")
    (dtype,) = dtypes
    return Arrays(shapes, backend.zeros((sum(map(prod, shapes.values())),), dtype))


def _output_shapes(
    made: Mapping[str, Any], shape: tuple[int, ...], backend: Backend, dtype: Any
) -> dict[str, tuple[int, ...]]:
    """Return the output shapes of layers, from passes without samples, which take no memory."""
    found: dict[str, tuple[int, ...]] = {}
    x = backend.zeros((0, *shape), dtype)
    for name, layer in made.items():
        layer.check(_of_shape(tuple(x.shape[1:]), backend, dtype))
        arrays = *layer.params.values(), *layer.state.values()
        x = layer.evaluate(backend.xp, x, *arrays) if layer.evaluate else _out(layer, backend, x, arrays)
        found[name] = tuple(x.shape[1:])
    return found


def _out(layer: Any, backend: Backend, x: Array, arrays: tuple[Array, ...]) -> Array:
    out: Array = layer.compute(backend.xp, x, *arrays)[0]
    return out


def _of_shape(shape: tuple[int, ...], backend: Backend, dtype: Any) -> Array:
    """Return zeros for two samples of this shape, which all lie in the place of one number."""
    found: Array = backend.xp.broadcast_to(backend.zeros((), dtype), (2, *shape))
    return found
