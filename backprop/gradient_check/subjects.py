"""What a gradient check looks at: a layer, a loss or a network as one number that depends on arrays.

Of a layer, that number is the sum of its outputs, each times a random factor, which is its `dout` then.
All is done on copies: what was passed in is read and never written, whatever happens in between.
"""

import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from backends import Array, Backend, asarray, backend_of, describe, kind, owner_of, to_numpy
from backprop.checks import entering
from backprop.copying import copy_as
from backprop.moves import Stage

WHERE = "check_gradients"
INPUT = "x"
INFINITY = float("inf")


@dataclass
class Trial:
    """A copy of the object and of its inputs: a place to move arrays and to evaluate."""

    obj: Any
    inputs: list[Any]
    arrays: dict[str, Array]  # what the number depends on, by name: parameters and differentiated inputs


@dataclass
class Run:
    """What one forward and backward gave."""

    out: Any  # on the host
    terms: float  # the size of what the number is summed from, to which its rounding errors are relative
    gradients: dict[str, Any]  # by name: arrays on the host, or whatever else the object gave
    written: list[str] = field(default_factory=list)  # what it has changed of what it was given
    inputs: tuple[int, ...] = (0,)  # for which inputs backward returned a gradient: several in a tuple


class AttributeLayer:
    """A layer as the book writes it: its arrays W, b and their gradients dW, db are attributes of its own."""

    def __init__(self, layer: Any, names: list[str]) -> None:
        self.layer, self.names = layer, names
        self.params = {name: getattr(layer, name) for name in names}
        self.forward, self.backward = layer.forward, layer.backward

    @property
    def grads(self) -> dict[str, Any]:
        """The gradients that the last backward left."""
        return {name: getattr(self.layer, f"d{name}", None) for name in self.names}


class Subject:
    """An object under check with its inputs, those at the positions `wanted` to be differentiated.

    input_names: theirs, "x" for the first, for others what forward calls them.
    """

    is_loss = True  # whether the number is the output itself, a loss
    honours_dout = False  # whether its backward is given a dout
    factors: Any = 1.0  # that dout, on the host

    def __init__(self, obj: Any, inputs: list[Any], rng: Any, wanted: tuple[int, ...] = (0,)) -> None:
        self.obj, self.inputs, self.rng, self.wanted = obj, inputs, rng, wanted
        self.name = type(obj.layer if isinstance(obj, AttributeLayer) else obj).__name__
        self.backend: Backend = backend_of(inputs[0])
        self.params = dict(getattr(obj, "params", {}))
        self.input_names = _input_names(obj, self.params, wanted)
        self._spare: Trial | None = None

    def trial(self, dtype: str = "float64") -> Trial:
        """A copy in that dtype."""
        if self._spare is not None and dtype == "float64":
            trial, self._spare = self._spare, None
            return trial
        try:
            converted = ("params", "grads") if dtype == "float64" else ("params",)
            obj = copy_as(self.obj, dtype=dtype, of=converted)
        except Exception as error:
            cannot = f"{WHERE} works on a deep copy, and {self.name} cannot be copied: {error}"
            raise TypeError(cannot) from error
        for attribute in ("params", "grads"):  # those of a class are copied with no object
            shared = getattr(self.obj, attribute, None)
            if shared is not None and getattr(obj, attribute) is shared:
                setattr(obj, attribute, {n: backend_of(a).astype(a, dtype) for n, a in shared.items()})
        inputs = [
            self.backend.astype(data, dtype) if i in self.wanted else copy.deepcopy(data)
            for i, data in enumerate(self.inputs)
        ]
        arrays = {name: obj.params[name] for name in self.params}
        return Trial(obj, inputs, arrays | self._wanted(inputs))

    def _wanted(self, inputs: Sequence[Any]) -> dict[str, Any]:
        """Of something for each input, what belongs to the differentiated ones, by their names."""
        return dict(zip(self.input_names, (inputs[i] for i in self.wanted), strict=True))

    def watched_run(self, trial: Trial) -> Run:
        """A run that also tells what was written into.  Raises for an output without a derivative."""
        run = self.run(trial)
        if run.out.dtype.kind != "f":
            raise TypeError(
                f"{WHERE}: {self.name} must return real floating-point numbers, got {run.out.dtype}"
            )
        at = first_not_finite(run.out)
        if at is not None:
            raise ValueError(
                f"{WHERE}: {self.name} returns {float(run.out[tuple(at)])} at {at} for this input, where no "
                "derivative can be taken"
            )
        run.written += self._written(trial)
        return run

    def _written(self, trial: Trial) -> list[str]:
        """The arrays of a trial that hold something else than at first."""
        first = {**self.params, **self._wanted(self.inputs)}
        return [n for n, array in trial.arrays.items() if (to_numpy(array) != to_numpy(first[n])).any()]

    def run(self, trial: Trial, dout: Any = 1.0) -> Run:
        """One forward and backward; dout: a number, or a host array, times which the usual dout is given."""
        raise NotImplementedError

    def of_samples(self, rows: slice) -> "Subject":
        """The same with fewer samples."""
        samples = self.inputs[0].shape[0]
        inputs = [to_numpy(data) if isinstance(data, (list, tuple)) else data for data in self.inputs]
        inputs = [
            data[rows, ...] if getattr(data, "shape", ())[:1] == (samples,) else data for data in inputs
        ]
        return type(self)(self.obj, inputs, self.rng, self.wanted)

    def elsewhere(self, factor: float) -> "Subject":
        """The same at inputs that are multiplied by a factor, and moved where they are 0."""
        inputs = self.inputs[:]
        for i in self.wanted:
            values = to_numpy(inputs[i])
            zeros = values == 0.0
            moved = factor * values + 0.1 * zeros * random_like(values, self.rng)
            inputs[i] = self.backend.asarray(moved)
        return type(self)(self.obj, inputs, self.rng, self.wanted)

    def of_inputs(self, wanted: tuple[int, ...]) -> "Subject":
        """The same with the inputs at these positions differentiated."""
        inputs = self.inputs[:]
        for i in wanted[1:]:
            inputs[i] = _real_array(inputs[i], f"input {i + 1}", self.backend)
        return type(self)(self.obj, inputs, self.rng, wanted)

    def of_attributes(self, trial: Trial) -> "Subject | None":
        """The same with arrays that are attributes, if a trial shows that they have gradients beside them."""
        if hasattr(self.obj, "params"):
            return None
        own, after = getattr(self.obj, "__dict__", {}), getattr(trial.obj, "__dict__", {})
        kept = ("x", "y", "out")  # what a forward keeps rather than what it has
        names = [
            name
            for name, array in own.items()
            if f"d{name}" in after and name not in kept and _is_parameter(array)
        ]
        return (
            type(self)(AttributeLayer(self.obj, names), self.inputs, self.rng, self.wanted) if names else None
        )

    def value(self, trial: Trial) -> Any:
        """The number, as the object's own array library has it."""
        raise NotImplementedError

    def stages(self, trial: Trial) -> Iterator[Stage]:
        """How the number moves, as far as the object can say it."""
        raise NotImplementedError

    def layers(self, trial: Trial) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
        """The layers that the object consists of, as far as they can be seen, with their inputs."""
        return iter(())


class NetworkSubject(Subject):
    """A network: its `loss` and its `gradient`."""

    def __init__(self, obj: Any, inputs: list[Any], rng: Any, wanted: tuple[int, ...] = (0,)) -> None:
        super().__init__(obj, inputs, rng, wanted)
        takes = inspect.signature(obj.gradient).parameters
        self.options = {"input_gradient": True} if "input_gradient" in takes else {}

    def trial(self, dtype: str = "float64") -> Trial:
        trial = super().trial(dtype)
        if not self.options:
            del trial.arrays[self.input_names[0]]
        return trial

    def value(self, trial: Trial) -> Any:
        return trial.obj.loss(*trial.inputs)

    def stages(self, trial: Trial) -> Iterator[Stage]:
        return trial.obj.stages(*trial.inputs) if hasattr(trial.obj, "stages") else iter(())

    def layers(self, trial: Trial) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
        obj, (x, *rest) = trial.obj, trial.inputs
        layers = getattr(obj, "layers", None)
        if not isinstance(layers, Mapping):
            return
        for name, layer in layers.items():
            yield name, layer, (x,)
            x = layer.forward(x)
        last = getattr(obj, "loss_layer", None) or getattr(obj, "lastLayer", None)  # the book's name for it
        if last is not None:
            yield type(last).__name__, last, (x, *rest)  # the only one with labels

    def run(self, trial: Trial, dout: Any = 1.0) -> Run:
        out = to_numpy(self.value(trial))
        gradients = trial.obj.gradient(*trial.inputs, **self.options)
        if not isinstance(gradients, Mapping):
            raise TypeError(
                f"{WHERE}: {self.name}.gradient must return a mapping by name, got {describe(gradients)}"
            )
        by_name = {name: _on_host(gradients.get(name)) for name in trial.arrays}
        return Run(out, float(abs(out)) + self._largest_logit(trial), by_name)

    def _largest_logit(self, trial: Trial) -> float:
        """The size of what a loss is summed from: it may be small itself, and as inexact as they are."""
        try:
            return float(abs(to_numpy(trial.obj.predict(trial.inputs[0]))).max())
        except Exception:  # a network of another kind
            return 0.0


class LayerSubject(Subject):
    """A layer or a loss: the inner product of forward's output with a random dout, and `backward`."""

    honours_dout = True

    def __init__(self, obj: Any, inputs: list[Any], rng: Any, wanted: tuple[int, ...] = (0,)) -> None:
        super().__init__(obj, inputs, rng, wanted)
        trial = self.trial()
        out = self._forward(trial)
        self._spare = None if self._written(trial) else trial  # to be used once more: copies are dear
        self._gives_arrays = hasattr(out, "shape")
        self.is_loss = not getattr(out, "shape", ())
        self.factors = self._factors(to_numpy(out))
        self.weights = self.backend.asarray(self.factors)

    def _factors(self, out: Any) -> Any:
        return random_like(out, self.rng)

    def value(self, trial: Trial) -> Any:
        out = self._forward(trial)
        return (
            self.backend.inner(out, self.weights) if getattr(out, "shape", ()) else out * float(self.factors)
        )

    def stages(self, trial: Trial) -> Iterator[Stage]:
        layer, x, weights = trial.obj, trial.inputs[0], self.weights
        if not getattr(layer, "samplewise", False) or not x.shape:
            return

        def value(out: Array) -> Array:
            rows = self.backend.arange(0, out.shape[0]) % weights.shape[0]
            return self.backend.row_sums(out * self.backend.gather(weights, rows))

        width = prod(weights.shape[1:])
        whole = Stage(
            None, {INPUT: self.input_names[0]}, x, lambda x: value(layer.forward(x, training=False)), width
        )
        yield whole
        if hasattr(layer, "moves"):
            yield Stage(layer, {name: name for name in self.params}, x, value, width)

    def run(self, trial: Trial, dout: Any = 1.0) -> Run:
        out = to_numpy(self._forward(trial)).copy()
        given, expected = self._dout(dout), self.factors * dout
        dx = trial.obj.backward(given)
        grads = getattr(trial.obj, "grads", {})
        gradients = {name: _on_host(grads.get(name)) for name in self.params}
        given_back = dx if isinstance(dx, tuple) else (dx,)
        given_back += (None,) * (len(self.inputs) - len(given_back))
        gradients |= {name: _on_host(gradient) for name, gradient in self._wanted(given_back).items()}
        written = ["dout"] if (to_numpy(given) != expected).any() else []
        others = [
            i for i, data in enumerate(self.inputs) if i and given_back[i] is not None and _is_real(data)
        ]
        return Run(out, float(abs(out * self.factors).sum()), gradients, written, (0, *others))

    def _forward(self, trial: Trial) -> Any:
        out = trial.obj.forward(*trial.inputs)
        if not isinstance(out, (float, complex)) and owner_of(out) is not self.backend:
            raise TypeError(f"{WHERE}: {self.name}.forward must return one array, got {describe(out)}")
        return out

    def _dout(self, factor: Any) -> Any:
        """A dout of its own for every backward, which may write into it."""
        dout = self.factors * factor
        return self.backend.asarray(dout) if self._gives_arrays else float(dout)


class LastLayerSubject(LayerSubject):
    """The loss of a network, which asks it for the gradient of the loss itself: its dout is always 1."""

    honours_dout = False

    def _factors(self, out: Any) -> Any:
        return to_numpy(1.0)


def subject_of(
    obj: Any, inputs: tuple[Any, ...], rng: Any, kind_of_layer: type[LayerSubject] = LayerSubject
) -> Subject:
    """What to look at, of an object and its inputs.  Raises TypeError, ValueError where it cannot be."""
    name = type(obj).__name__
    if isinstance(obj, type):
        raise TypeError(f"{WHERE}: give an object, not its class: {obj.__name__}(...)")
    network = hasattr(obj, "gradient") and hasattr(obj, "loss")
    missing = [method for method in ("forward", "backward") if not callable(getattr(obj, method, None))]
    if missing and not network:
        raise TypeError(
            f"{WHERE}: {name} has no {' and no '.join(missing)}: a layer needs forward(x) and "
            f"backward(dout), a network loss(x, t) and gradient(x, t)"
        )
    if not inputs:
        raise TypeError(f"{WHERE}: give {name}'s inputs, the first of which is differentiated")
    params = getattr(obj, "params", {})
    if not isinstance(params, Mapping):
        raise TypeError(f"{WHERE}: {name}.params must be a mapping of arrays by name, got {describe(params)}")
    for param_name, param in params.items():
        _require_real(f"params[{param_name!r}]", param)
    backend = backend_of(*params.values()) if params else None
    first = _real_array(inputs[0], "the input", backend)
    if network and not params and "input_gradient" not in inspect.signature(obj.gradient).parameters:
        raise TypeError(
            f"{WHERE}: there is nothing to compare: {name} needs params, a mapping of arrays by name, or a "
            "gradient that takes input_gradient=True"
        )
    if network:
        return NetworkSubject(obj, [first, *inputs[1:]], rng)
    return kind_of_layer(obj, [first, *inputs[1:]], rng)


def _input_names(obj: Any, params: Mapping[str, Any], wanted: tuple[int, ...]) -> list[str]:
    """A name of its own for each differentiated input."""
    theirs = [*inspect.signature(obj.forward).parameters] if len(wanted) > 1 else []
    names: list[str] = []
    for i in wanted:
        name = INPUT if i == 0 else theirs[i] if i < len(theirs) else f"input {i + 1}"
        names.append(f"input {i + 1}" if name in params or name in names else name)
    return names


def _is_parameter(array: Any) -> bool:
    return owner_of(array) is not None and hasattr(array, "shape") and kind(array) == "f"


def _is_real(data: Any) -> bool:
    """Whether data is of floating-point numbers, which alone can be differentiated by."""
    if isinstance(data, (int, float)):
        return not isinstance(data, bool)
    return hasattr(data, "dtype") and kind(data) == "f"


def random_like(array: Any, rng: Any) -> Any:
    """Random signs times random sizes near 1: errors in two entries would have to be in ratio to cancel."""
    factors = to_numpy(rng.uniform(-1.0, 1.0, array.shape))
    factors += factors > 0
    factors -= 0.5
    return factors


def _real_array(data: Any, what: str, backend: Backend | None) -> Array:
    """Data as a float64 array of the backend, a new one; its own backend where None."""
    if backend is not None:
        data = entering(WHERE, what, data, backend)
    data = asarray(data, backend=backend or owner_of(data))
    if kind(data) not in "iuf":
        raise TypeError(f"{WHERE}: {what} must hold real numbers, got {data.dtype}")
    data = backend_of(data).astype(data, "float64")
    _require_real(what, data)
    return data


def _require_real(what: str, array: Any) -> None:
    """Raise unless array holds at least one real, finite floating-point number, and nothing else."""
    owner = owner_of(array)
    expected: Any = owner and owner.array_type  # not a number that a library has a type for
    if not expected or not issubclass(type(array), expected):
        raise TypeError(f"{WHERE}: {what} must be an array, got {describe(array)}")
    if kind(array) != "f":
        raise TypeError(f"{WHERE}: {what} must hold real floating-point numbers, got {array.dtype}; cast it")
    if 0 in array.shape:
        raise ValueError(f"{WHERE}: {what} must hold at least one number, got shape {array.shape}")
    at = first_not_finite(to_numpy(array))
    if at is not None:
        raise ValueError(f"{WHERE}: {what} must be finite, got {float(array[tuple(at)])} at {at}")


def first_not_finite(values: Any) -> list[int] | None:
    """Where a host array first holds NaN or an infinity; None where it is finite."""
    smallest, largest = values.min(), values.max()  # NaN where any is
    if abs(smallest) < INFINITY and abs(largest) < INFINITY:
        return None
    return index_of(int((abs(values) < INFINITY).argmin()), values.shape)


def index_of(position: int, shape: tuple[int, ...]) -> list[int]:
    """Where an entry of a flattened array lies in its shape."""
    index: list[int] = []
    for size in reversed(shape):
        position, i = divmod(position, size)
        index.insert(0, i)
    return index


def _on_host(gradient: Any) -> Any:
    """A gradient as an array of its own on the host; what is no array as it is."""
    if not isinstance(gradient, (int, float)) and owner_of(gradient) is None:
        return gradient
    host = to_numpy(gradient).copy()
    return host.astype("float64") if host.dtype.kind in "biu" else host
