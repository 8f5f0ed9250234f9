"""The target of a gradient check: an object as a scalar function of its arrays.

All work is done on copies: what was passed in is never written to, even if an exception is raised.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from backends import Array, Backend, backend_of, to_numpy
from backprop.arrays.copying import copy_as, mappings
from backprop.gradient_check.host_arrays import random_like
from backprop.gradient_check.requirements import WHERE, is_array, real_array, require_differentiable
from backprop.networks.jacobian import Place

INPUT = "x"


@dataclass
class TargetCopy:
    """A copy of the object and its inputs, on which arrays are moved and the function is evaluated."""

    obj: Any
    inputs: list[Any]
    arrays: dict[str, Array]  # what the function depends on, by name: parameters and differentiated inputs
    state: list[tuple[Array, Array]] = field(default_factory=list)  # of the layers, with its first values

    def restore(self) -> None:
        """Put the state back to its first values, since every evaluation is to start alike."""
        for array, first in self.state:
            array[...] = first


@dataclass
class Run:
    """The result of one forward and backward."""

    out: Any  # on the host
    terms: float  # the size of the terms of the value, to which its rounding errors are relative
    gradients: dict[str, Any]  # by name: arrays on the host, or whatever else the object returned
    written: list[str] = field(default_factory=list)  # names of arrays modified in place, "dout" among them
    inputs: tuple[int, ...] = (0,)  # positions of the inputs for which backward returned a gradient


class Target(ABC):
    """An object under check with its inputs; those at the positions `wanted` are differentiated.

    input_names: the names of those, "x" for the first, for others the names of forward's parameters.
    """

    is_loss = True  # the output is a single number, a loss
    honours_dout = False  # backward is given a dout
    factors: Any = 1.0  # that dout, on the host

    def __init__(self, obj: Any, inputs: list[Any], rng: Any, wanted: tuple[int, ...] = (0,)) -> None:
        self.obj, self.inputs, self.rng, self.wanted = obj, inputs, rng, wanted
        self.name = type(obj).__name__
        self.backend: Backend = backend_of(inputs[0])
        self.params = dict(getattr(obj, "params", {}))
        self.input_names = _input_names(obj, self.params, wanted)

    @abstractmethod
    def value(self, copied: TargetCopy) -> Any:
        """Return the value of the function, as the object's own array library has it."""

    @abstractmethod
    def run(self, copied: TargetCopy, dout: Any = 1.0) -> Run:
        """Run forward and backward.  dout: a number or host array by which the usual dout is multiplied."""

    @abstractmethod
    def places(self, copied: TargetCopy) -> Iterator[Place]:
        """Yield where what is computed can be perturbed, as far as its layers are known."""

    def layers(self, copied: TargetCopy) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
        """Yield the layers of the object, as far as they are accessible: name, layer, inputs."""
        return iter(())

    def copy(self, dtype: str = "float64") -> TargetCopy:
        """Return a copy in that dtype."""
        of = ("params", "grads") if dtype == "float64" else ("params",)
        try:
            obj = copy_as(self.obj, dtype=dtype, of=of)
        except Exception as error:
            cannot = f"{WHERE} works on a deep copy, and {self.name} cannot be copied: {error}"
            raise TypeError(cannot) from error
        for attribute in ("params", "grads"):  # attributes of a class are not copied with an object
            shared = getattr(self.obj, attribute, None)
            if shared is not None and getattr(obj, attribute) is shared:
                setattr(obj, attribute, {n: backend_of(a).astype(a, dtype) for n, a in shared.items()})
        inputs = [
            self.backend.astype(data, dtype) if i in self.wanted else deepcopy(data)
            for i, data in enumerate(self.inputs)
        ]
        arrays = {name: obj.params[name] for name in self.params}
        carried = [array for arrays in mappings(obj, ("state",)) for array in arrays.values()]
        state = [(array, backend_of(array).copy(array)) for array in carried if is_array(array)]
        return TargetCopy(obj, inputs, arrays | self._wanted(inputs), state)

    def _wanted(self, inputs: Sequence[Any]) -> dict[str, Any]:
        """Return, of one item per input, those of the differentiated inputs, by name."""
        return dict(zip(self.input_names, (inputs[i] for i in self.wanted), strict=True))

    def watched_run(self, copied: TargetCopy) -> Run:
        """Run, and record which arrays were modified in place.  Raises for an output without a derivative."""
        run = self.run(copied)
        require_differentiable(self.name, run.out)
        run.written += self._written(copied)
        return run

    def _written(self, copied: TargetCopy) -> list[str]:
        """Return the names of the arrays of a copy that no longer hold their original values."""
        first = {**self.params, **self._wanted(self.inputs)}
        return [n for n, array in copied.arrays.items() if (to_numpy(array) != to_numpy(first[n])).any()]

    # ----------------------------------------------------------------------------------------------- variants

    def of_samples(self, rows: slice) -> "Target":
        """Return the target with these samples only."""
        samples = self.inputs[0].shape[0]
        inputs = [to_numpy(data) if isinstance(data, (list, tuple)) else data for data in self.inputs]
        per_sample = [getattr(data, "shape", ())[:1] == (samples,) for data in inputs]
        inputs = [x[rows, ...] if has_rows else x for x, has_rows in zip(inputs, per_sample, strict=True)]
        return type(self)(self.obj, inputs, self.rng, self.wanted)

    def elsewhere(self, factor: float) -> "Target":
        """Return the target at inputs that are multiplied by a factor, and moved where they are 0."""
        inputs = self.inputs[:]
        for i in self.wanted:
            values = to_numpy(inputs[i])
            moved = factor * values + 0.1 * (values == 0.0) * random_like(values, self.rng)
            inputs[i] = self.backend.asarray(moved)
        return type(self)(self.obj, inputs, self.rng, self.wanted)

    def of_inputs(self, wanted: tuple[int, ...]) -> "Target":
        """Return the target with the inputs at these positions differentiated."""
        inputs = self.inputs[:]
        for i in wanted[1:]:
            inputs[i] = real_array(inputs[i], f"input {i + 1}", self.backend)
        return type(self)(self.obj, inputs, self.rng, wanted)

    def of_attributes(self, copied: TargetCopy) -> "Target | None":
        """Return the target with attributes as parameters, if backward set their gradients in the copy."""
        return None


def _input_names(obj: Any, params: Mapping[str, Any], wanted: tuple[int, ...]) -> list[str]:
    """Return a unique name for each differentiated input."""
    theirs = [*inspect.signature(obj.forward).parameters] if len(wanted) > 1 else []
    names: list[str] = []
    for i in wanted:
        name = INPUT if i == 0 else theirs[i] if i < len(theirs) else f"input {i + 1}"
        names.append(f"input {i + 1}" if name in params or name in names else name)
    return names
