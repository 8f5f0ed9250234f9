"""Assembling a network: layers are checked, given arrays, and tried on two samples of zeros."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import prod
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from backends import Array, Backend, choose, describe, dtype_name, kind, owner_of, shown
from backprop.arrays.arrays import Arrays
from backprop.arrays.checks import sizes
from backprop.arrays.dtypes import network_dtype
from backprop.arrays.initializers import generator, same_random_numbers
from backprop.layers.layer import Layer, has_own_passes
from backprop.networks.counting import counted, states_of
from backprop.networks.own_passes import OwnPasses, attach, parameters_of

OWNERS: WeakValueDictionary[int, Any] = WeakValueDictionary()  # the network of each layer, by id(layer)


class Assembly(NamedTuple):
    """The parts of a network.

    layers: by name.  names: for each layer, a dict from its parameter names to the network's.
    params: the network's.  input_shape, output_shape: of one sample.
    """

    layers: dict[str, Any]
    names: dict[str, dict[str, str]]
    params: Arrays
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


def assemble(
    where: str, layers: Any, loss: Any, input_size: Any, output_size: Any, rng: Any, dtype: Any, backend: Any
) -> Assembly:
    """Return the parts of a network. Raises as Network does, and then has changed nothing.

    where: the class of the network, for errors about its settings.
    """
    named = _named(layers)
    for name, layer in named.items():
        require_passes(f"layer {name}", layer)
    require_passes("loss", loss)
    _require_free(named)
    input_shape, rng = sizes(where, "input_size", input_size), generator(rng, where)
    given = _given_parameters(named)
    first = next(iter(given.values()), None)
    backend = owner_of(first) if given and backend is None else choose(backend, where).backend
    dtype = network_dtype(dtype_name(first.dtype) if first is not None and dtype is None else dtype, where)
    _require_alike(given, dtype, backend)
    owned: dict[str, Mapping[str, Array]] = {}
    x, before = backend.zeros((2, *input_shape), dtype), "the input"
    with _unchanged_if_refused(named, rng):
        for name, layer in named.items():
            x, owned[name] = _trial_run(name, layer, x, before, (rng, dtype, backend))
            before = name
        names, _ = counted("parameters", owned), counted("arrays of state", states_of(named))
        arrays = {outer: owned[name][own] for name in named for own, outer in names[name].items()}
        if not arrays:
            raise ValueError("Network: no layer has parameters, so there is nothing to train")
        output_shape = tuple(x.shape[1:])
        if output_size is not None and prod(sizes(where, "output_size", output_size)) != prod(output_shape):
            got = f"{before} returns {prod(output_shape)} values per sample"
            raise ValueError(f"{where}: output_size is {output_size}, but {got}")
        if isinstance(loss, Layer):
            loss.check(x)
        return Assembly(named, names, Arrays.gather(arrays), input_shape, output_shape)


def _named(layers: Any) -> dict[str, Any]:
    """Return the layers by name; those of a list are named ReLU1, ReLU2, …"""
    if not isinstance(layers, (Mapping, Sequence)) or isinstance(layers, str):
        raise TypeError(f"Network: layers must be a dict by name or a list, got {type(layers).__name__}")
    if not layers:
        raise ValueError("Network: layers must hold at least one layer, got none")
    if isinstance(layers, Mapping):
        for name in layers:
            if not isinstance(name, str):
                raise TypeError(f"Network: the names of layers must be strings, got {shown(name)}")
        return dict(layers)
    classes = {
        f"layer {i}": [getattr(layer, "__name__", type(layer).__name__)] for i, layer in enumerate(layers)
    }
    names = (name for names in counted("layers", classes).values() for name in names.values())
    return dict(zip(names, layers, strict=True))


def require_passes(what: str, obj: Any) -> None:
    """Raise TypeError unless obj is an instance with forward and backward."""
    if isinstance(obj, type):
        raise TypeError(f"Network: {what} must be an object, not its class: {obj.__name__}()")
    if getattr(obj, "only_for_checks", None) is True:
        raise TypeError(f"Network: {what} must not be an Adapter, which is only for checks; pass its layer")
    missing = [name for name in ("forward", "backward") if not callable(getattr(obj, name, None))]
    if missing:
        like = "SoftmaxCrossEntropy()" if what == "loss" else "ReLU()"
        rule = f"{what} must have forward and backward, as {like} has"
        raise TypeError(f"Network: {rule}, got {shown(obj)} without {' and '.join(missing)}")


def _require_free(named: dict[str, Any]) -> None:
    """Raise ValueError for a layer used twice, here or in another network."""
    places: dict[int, str] = {}
    for name, layer in named.items():
        if id(layer) in places:
            both = f"{places[id(layer)]} and {name} are one object, {layer!r}"
            raise ValueError(f"Network: {both}; create a layer for each place")
        if id(layer) in OWNERS:
            cure = "give each network its own layers, for example copy.deepcopy(layer)"
            raise ValueError(f"Network: {name}, {layer!r}, already belongs to a network; {cure}")
        places[id(layer)] = name


def _given_parameters(named: dict[str, Any]) -> dict[str, Array]:
    """Return the parameters that layers already hold, by place: "W of Affine1"."""
    given: dict[str, Array] = {}
    for name, layer in named.items():
        try:
            given |= {f"{own} of {name}": array for own, array in parameters_of(layer).items()}
        except TypeError as error:
            raise TypeError(f"Network: {name}, {layer!r}: {error}") from None
    return given


def _require_alike(given: dict[str, Array], dtype: str, backend: Backend) -> None:
    """Raise for a parameter of another library or dtype than the network's, or one used in two places."""
    places: dict[int, str] = {}
    for place, array in given.items():
        if owner_of(array) is not backend:
            where = f"{place} is {describe(array)}, but the network is on {backend.name}"
            raise TypeError(f"Network: {where}; move it: asarray(array, backend={backend.name!r})")
        got = dtype_name(array.dtype)
        if got != dtype:
            rule = f"parameters must have one dtype, {dtype}, but {place} is {got}"
            raise TypeError(f"Network: {rule}; cast it with asarray(array, {dtype!r})")
        before = places.setdefault(id(array), place)
        if before != place:
            raise ValueError(f"Network: {before} and {place} are the same array; copy it for one of them")


@contextmanager
def _unchanged_if_refused(named: dict[str, Any], rng: Any) -> Iterator[None]:
    """Preserve np.random's state; on an error also restore the layers and rng."""
    layers = [layer for layer in named.values() if isinstance(layer, Layer)]
    before = [(layer, layer.params, layer.state) for layer in layers]
    drawn = rng.bit_generator.state
    try:
        with same_random_numbers():
            yield
    except BaseException:
        for layer, params, state in before:
            layer.params, layer.state = params, state
        rng.bit_generator.state = drawn
        raise


def _trial_run(
    name: str, layer: Any, x: Array, before: str, settings: Any
) -> tuple[Array, Mapping[str, Array]]:
    """Return a layer's output for two samples, and its parameters. Raises if it does not fit there."""
    own = has_own_passes(layer)
    try:
        out, params = _run_own_passes(layer, x, settings[-1]) if own else _run_layer(layer, x, settings)
        if out.shape[:1] != (2,):
            raise ValueError(f"{name} must return a row for each sample, got {out.shape} for 2 samples")
    except Exception as error:
        if isinstance(error, MemoryError) or not (own or isinstance(error, ValueError)):
            raise
        if own and isinstance(error, TypeError) and (unseen := _unseen_parameters(layer, x)):
            have, lack = " and ".join(unseen), " and ".join(f"d{each}" for each in unseen)
            cure = "set them to None in __init__, so that the network takes its dtype from the parameters"
            raise TypeError(f"Network: {name} has {have}, but no {lack}: {cure}") from error
        as_error = ValueError if isinstance(error, ValueError) else TypeError
        said = "" if isinstance(error, (ValueError, TypeError)) else f"{type(error).__name__}: "
        gives = f"{before}, which returns {tuple(x.shape[1:])} per sample"
        raise as_error(f"Network: {name}, {layer!r}, does not fit after {gives}: {said}{error}") from error
    return out, params


def _unseen_parameters(layer: Any, x: Array) -> list[str]:
    """Return the parameters of another dtype that only a backward shows, since it makes their gradients."""
    copied, before = copy.deepcopy(layer), parameters_of(layer)
    with suppress(Exception):
        copied.backward(copied.forward(x) * 0)
    after = parameters_of(layer, copied)
    return [name for name, array in after.items() if name not in before and array.dtype != x.dtype]


def _run_layer(layer: Layer, x: Array, settings: Any) -> tuple[Array, Mapping[str, Array]]:
    layer.build(tuple(x.shape[1:]), *settings)
    if any(kind(array) == "f" and array.dtype != x.dtype for array in layer.state.values()):
        backend = settings[-1]
        layer.state = Arrays.gather({name: backend.asarray(a, x.dtype) for name, a in layer.state.items()})
    return copy.copy(layer).forward(x, training=False), layer.params  # a copy, since layer may hold a forward


def _run_own_passes(layer: Any, x: Array, backend: Backend) -> tuple[Array, Mapping[str, Array]]:
    """Return the same for an object with its own passes, by running a deep copy of it."""
    copied = copy.deepcopy(layer)
    out, known = OwnPasses(copied, backend, x.dtype, {}).forward(x), parameters_of(layer)
    with suppress(Exception):  # the book's layers may have their gradients only after a backward
        copied.backward(out * 0)
    params = parameters_of(layer, copied)
    late = [name for name in parameters_of(copied, copied) if name not in params]
    if late:
        made = f"its first forward creates the parameters {', '.join(late)}"
        raise ValueError(f"{made}: run it once before building the network")
    views = {name: backend.copy(array) for name, array in params.items()}
    attach(copied, views)
    if any(parameters_of(copied, copied).get(name) is not view for name, view in views.items()):
        rule = "params must be a dict that its passes read, or its arrays must be attributes"
        raise ValueError(f"{rule}, so that the network can insert its own arrays ({', '.join(known)})")
    return out, params
