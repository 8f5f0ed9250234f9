"""Assembling a network: layers are checked, given arrays, and tried on two samples of zeros."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import prod
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from backends import Array, Backend, choose, cut, describe, dtype_name, kind, owner_of, shown
from backprop.arrays.arrays import Arrays
from backprop.arrays.checks import sizes
from backprop.arrays.dtypes import network_dtype
from backprop.arrays.initial_weights import Rule, WrongInitialWeights, rule_of
from backprop.arrays.initializers import generator, same_random_numbers
from backprop.layers.layer import Layer, has_own_passes
from backprop.losses import Loss
from backprop.networks.counting import counted, states_of
from backprop.networks.own_passes import OwnPasses, attach, parameters_of

OWNERS: WeakValueDictionary[int, Any] = WeakValueDictionary()  # the network of each layer, by id(layer)
LONGEST = 200  # characters of an error


class Assembly(NamedTuple):
    """The parts of a network.

    layers: by name.  names: for each layer, a dict from its parameter names to the network's.
    params: the network's.  input_shape: of one sample.  output_shapes: of one sample, by layer.
    """

    layers: dict[str, Any]
    names: dict[str, dict[str, str]]
    params: Arrays
    input_shape: tuple[int, ...]
    output_shapes: dict[str, tuple[int, ...]]


def assemble(
    where: str,
    layers: Any,
    loss: Any,
    sample: tuple[str, Any],
    output_size: Any,
    rng: Any,
    dtype: Any,
    backend: Any,
) -> Assembly:
    """Return the parts of a network. Raises as Network does, and then has changed nothing.

    where: the class of the network, for errors about its settings.
    sample: the size or shape of a sample, behind its name for errors.
    """
    named = _named(layers)
    for name, layer in named.items():
        require_passes(f"layer {name}", layer)
    require_passes("loss", loss)
    _require_free(named)
    input_shape, rng = sizes(where, *sample), generator(rng, where)
    given = _given_parameters(named)
    first = next(iter(given.values()), None)
    backend = owner_of(first) if given and backend is None else choose(backend, where).backend
    dtype = network_dtype(dtype_name(first.dtype) if first is not None and dtype is None else dtype, where)
    _require_alike(given, dtype, backend)
    owned: dict[str, Mapping[str, Array]] = {}
    output_shapes: dict[str, tuple[int, ...]] = {}
    x, before = backend.zeros((2, *input_shape), dtype), "the input"
    with _unchanged_if_refused(named, rng):
        _decide_initial_weights([*named.values()])
        for name, layer in named.items():
            x, owned[name] = _trial_run(name, layer, x, before, (rng, dtype, backend))
            before, output_shapes[name] = name, tuple(x.shape[1:])
        names, _ = counted("parameters", owned), counted("arrays of state", states_of(named))
        arrays = {outer: owned[name][own] for name in named for own, outer in names[name].items()}
        if not arrays:
            raise ValueError("Network: no layer has parameters, so there is nothing to train")
        output_shape = output_shapes[before]
        if output_size is not None and prod(sizes(where, "output_size", output_size)) != prod(output_shape):
            got = f"{before} returns {prod(output_shape)} values per sample"
            raise ValueError(f"{where}: output_size is {output_size}, but {got}")
        if isinstance(loss, Layer):
            loss.check(x)
        return Assembly(named, names, Arrays.gather(arrays), input_shape, output_shapes)


def _named(layers: Any) -> dict[str, Any]:
    """Return the layers by name; those of a list are named ReLU1, ReLU2, …"""
    if not isinstance(layers, (Mapping, Sequence)) or isinstance(layers, str):
        cure = "; pass list(layers)" if hasattr(layers, "__iter__") and not isinstance(layers, str) else ""
        rule = f"layers must be a dict by name or a list, got {type(layers).__name__}"
        raise TypeError(f"Network: {rule}{cure}")
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


def _called(name: str, layer: Any) -> str:
    return f"{cut(name, 30)}, {shown(layer, 120)}"


def require_passes(what: str, obj: Any) -> None:
    """Raise TypeError unless obj is an instance with forward and backward, and not a loss for a layer."""
    if isinstance(obj, type):
        raise TypeError(f"Network: {what} must be an object, not its class: {obj.__name__}()")
    if getattr(obj, "only_for_checks", None) is True:
        raise TypeError(f"Network: {what} must not be an Adapter, which is only for checks; pass its layer")
    missing = [name for name in ("forward", "backward") if not callable(getattr(obj, name, None))]
    if missing and isinstance(getattr(obj, "layers", None), Mapping) and hasattr(obj, "loss_layer"):
        cure = "add copies of its layers instead: *copy.deepcopy(net).layers.values()"
        raise TypeError(f"Network: {what} must not be a network itself, a {type(obj).__name__}; {cure}")
    if missing:
        like = "SoftmaxCrossEntropy()" if what == "loss" else "ReLU()"
        rule = f"{what} must have forward and backward, as {like} has"
        raise TypeError(f"Network: {rule}, got {shown(obj)} without {' and '.join(missing)}")
    if what == "loss" and isinstance(obj, Layer) and not (isinstance(obj, Loss) or has_own_passes(obj)):
        rule = "loss must be a loss, such as SoftmaxCrossEntropy()"
        raise TypeError(f"Network: {rule}, got {shown(obj)}, a layer")
    if what != "loss" and isinstance(obj, Loss):
        raise TypeError(f"Network: {what} is a loss, {shown(obj)}; pass it as loss=")


def _require_free(named: dict[str, Any]) -> None:
    """Raise ValueError for a layer used twice, here or in another network."""
    places: dict[int, str] = {}
    for name, layer in named.items():
        if id(layer) in places:
            both = f"{cut(places[id(layer)], 30)} and {cut(name, 30)} are one object, {shown(layer, 120)}"
            raise ValueError(f"Network: {both}; create a layer for each place")
        if id(layer) in OWNERS:
            cure = "give each network its own layers, for example copy.deepcopy(layer)"
            raise ValueError(f"Network: {_called(name, layer)}, already belongs to a network; {cure}")
        places[id(layer)] = name


def _given_parameters(named: dict[str, Any]) -> dict[str, Array]:
    """Return the parameters that layers already hold, by place: "W of Affine1"."""
    given: dict[str, Array] = {}
    for name, layer in named.items():
        try:
            given |= {f"{own} of {name}": array for own, array in parameters_of(layer).items()}
        except TypeError as error:
            raise TypeError(f"Network: {_called(name, layer)}: {error}") from None
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


def _decide_initial_weights(layers: Sequence[Any]) -> None:
    """Choose the rule for layers that leave it to the network: that of the first activation behind them."""
    rule: Rule = "xavier"
    for layer in reversed(layers):
        own = getattr(layer, "init_before", None)
        rule = rule if own is None else rule_of(f"Network: {type(layer).__name__}", own, "init_before")
        if isinstance(layer, Layer) and layer.weight_init_std is None:
            layer.weight_init_std = rule


@contextmanager
def _unchanged_if_refused(named: dict[str, Any], rng: Any) -> Iterator[None]:
    """Preserve np.random's state; on an error also restore the layers and rng."""
    layers = [layer for layer in named.values() if isinstance(layer, Layer)]
    before = [(layer, layer.params, layer.state) for layer in layers]
    undecided = [layer for layer in layers if layer.weight_init_std is None]
    drawn = rng.bit_generator.state
    try:
        with same_random_numbers():
            yield
    except BaseException:
        for layer, params, state in before:
            layer.params, layer.state = params, state
        for layer in undecided:
            layer.weight_init_std = None
        rng.bit_generator.state = drawn
        raise


def _trial_run(
    name: str, layer: Any, x: Array, before: str, settings: Any
) -> tuple[Array, Mapping[str, Array]]:
    """Return a layer's output for two samples, and its parameters. Raises if it does not fit there."""
    own = has_own_passes(layer)
    try:
        if isinstance(layer, Layer):
            _build(layer, x, settings)
        out, params = _run_own_passes(layer, x, settings[-1]) if own else _run_layer(layer, x)
        if out.shape[:1] != (2,):
            raise ValueError(f"{name} must return a row for each sample, got {out.shape} for 2 samples")
    except WrongInitialWeights as error:
        raise ValueError(f"Network: {name}: {error}") from error
    except Exception as error:
        if isinstance(error, MemoryError) or not (own or isinstance(error, ValueError)):
            raise
        if own and isinstance(error, TypeError) and (unseen := _unseen_parameters(layer, x)):
            have, lack = " and ".join(unseen), " and ".join(f"d{each}" for each in unseen)
            cure = "set them to None in __init__, so that the network takes its dtype from the parameters"
            raise TypeError(f"Network: {name} has {have}, but no {lack}: {cure}") from error
        as_error = ValueError if isinstance(error, ValueError) else TypeError
        said = "" if isinstance(error, (ValueError, TypeError)) else f"{type(error).__name__}: "
        gives = f"{cut(before, 30)}, which returns {tuple(x.shape[1:])} per sample"
        rule = f"{_called(name, layer)}, does not fit after {gives}"
        text = f"Network: {rule}: {said}{error}"
        if len(text) > LONGEST:  # the layer is named before
            text = text.replace(f": {type(layer).__name__}.forward: ", ": ")
        raise as_error(text) from error
    return out, params


def _unseen_parameters(layer: Any, x: Array) -> list[str]:
    """Return the parameters of another dtype that only a backward shows, since it makes their gradients."""
    copied, before = copy.deepcopy(layer), parameters_of(layer)
    with suppress(Exception):
        copied.backward(copied.forward(x) * 0)
    after = parameters_of(layer, copied)
    return [name for name, array in after.items() if name not in before and array.dtype != x.dtype]


def _build(layer: Layer, x: Array, settings: Any) -> None:
    """Create a layer's arrays unless it has some, with its state in the dtype of the network."""
    layer.build(tuple(x.shape[1:]), *settings)
    if any(kind(array) == "f" and array.dtype != x.dtype for array in layer.state.values()):
        backend = settings[-1]
        layer.state = Arrays.gather({name: backend.asarray(a, x.dtype) for name, a in layer.state.items()})


def _run_layer(layer: Layer, x: Array) -> tuple[Array, Mapping[str, Array]]:
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
