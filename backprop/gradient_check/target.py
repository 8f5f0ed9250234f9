"""The target of a gradient check: an object as a scalar function of its arrays.

All work is done on copies: the original is never written to, even if an exception is raised.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from backends import Array, Backend, backend_of, to_numpy
from backprop.arrays.copying import mappings
from backprop.gradient_check.adapter import INPUT, Adapter
from backprop.gradient_check.copies import copied_as, root_of
from backprop.gradient_check.host_arrays import random_like
from backprop.gradient_check.randomness import GeneratorStates, NumpyRandom
from backprop.gradient_check.reach import reach
from backprop.gradient_check.report import Verdict
from backprop.gradient_check.requirements import is_array, real_inputs, require_differentiable
from backprop.networks.jacobian import Place


@dataclass
class TargetCopy:
    """A copy of the object and its inputs, whose arrays are moved to evaluate the function."""

    obj: Any
    inputs: list[Any]
    arrays: dict[str, Array]  # parameters and differentiated inputs, by name
    state: list[tuple[Array, Array]] = field(default_factory=list)  # of layers, with initial values
    random: tuple[Any, ...] = ()  # states of random generators

    def restore(self) -> None:
        """Restore the initial state, so that every evaluation starts alike."""
        for array, first in self.state:
            array[...] = first
        for each in self.random:
            each.restore()


@dataclass
class Run:
    """The result of one forward and backward."""

    out: Any  # on the host
    terms: float  # the size of the terms of the value, to which its rounding errors are relative
    gradients: dict[str, Any]  # by name: host arrays, or whatever else was returned
    written: list[str] = field(default_factory=list)  # names of arrays modified in place, "dout" among them
    inputs: tuple[int, ...] = (0,)  # positions of the inputs for which backward returned a gradient


class Target(ABC):
    """An object under check with its inputs; those at the positions `wanted` are differentiated.

    input_names: "x" for the first of these, for others the names of forward's parameters.
    constants: the names of arrays that are not compared.
    """

    is_loss = True  # the output is a single number, a loss
    honours_dout = False  # backward takes a dout and uses it
    factors: Any = 1.0  # dout on the host
    weights: Any = 1.0  # dout on the backend, the weights of the outputs
    remark: Verdict | None = None  # replaces the verdict "ok" of every array

    def __init__(
        self,
        obj: Any,
        inputs: list[Any],
        rng: Any,
        wanted: tuple[int, ...] = (0,),
        constants: tuple[str, ...] = (),
    ) -> None:
        self.obj, self.inputs, self.rng, self.wanted, self.constants = obj, inputs, rng, wanted, constants
        self.name = obj.name if isinstance(obj, Adapter) else type(obj).__name__
        self.random, self.reach = NumpyRandom(), reach(root_of(obj))
        self.backend: Backend = backend_of(inputs[0])
        self.params = {name: array for name, array in self.params_of(obj).items() if name not in constants}
        self.input_names = _input_names(obj, self.params, wanted)

    @abstractmethod
    def value(self, copied: TargetCopy) -> Any:
        """Return the value of the function, a scalar of the object's own array library."""

    @abstractmethod
    def run(self, copied: TargetCopy, dout: Any = 1.0) -> Run:
        """Run forward and backward.  dout: a number or host array that multiplies the usual dout."""

    @abstractmethod
    def places(self, copied: TargetCopy) -> Iterator[Place]:
        """Yield the places in the computation that can be perturbed, if its layers are known."""

    def params_of(self, obj: Any) -> Mapping[str, Any]:
        """Return the parameters of the object, or of a copy, by name."""
        return getattr(obj, "params", {})

    def layers(self, copied: TargetCopy) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
        """Yield the accessible layers of the object: name, layer, inputs."""
        return iter(())

    def copy(self, dtype: str = "float64") -> TargetCopy:
        """Return a copy in that dtype."""
        obj = copied_as(self.obj, dtype, self.reach, self.params.values())
        inputs = [
            self.backend.astype(data, dtype) if i in self.wanted else deepcopy(data)
            for i, data in enumerate(self.inputs)
        ]
        arrays = {name: array for name, array in self.params_of(obj).items() if name in self.params}
        carried = [array for arrays in mappings(root_of(obj), ("state",)) for array in arrays.values()]
        state = [(array, backend_of(array).copy(array)) for array in carried if is_array(array)]
        random = (self.random, GeneratorStates(root_of(obj), self.reach.generators))
        return TargetCopy(obj, inputs, arrays | self._wanted(inputs), state, random)

    def _wanted(self, inputs: Sequence[Any]) -> dict[str, Any]:
        """Return the items of the differentiated inputs by name, given one item per input."""
        return dict(zip(self.input_names, (inputs[i] for i in self.wanted), strict=True))

    def watched_run(self, copied: TargetCopy) -> Run:
        """Run, and record the arrays modified in place. Raise if the output has no derivative."""
        run = self.run(copied)
        require_differentiable(self.name, run.out)
        run.written += self._written(copied)
        return run

    def _written(self, copied: TargetCopy) -> list[str]:
        """Return the names of the arrays of a copy that no longer hold their original values."""
        first = {**self.params, **self._wanted(self.inputs)}
        return [n for n, array in copied.arrays.items() if (to_numpy(array) != to_numpy(first[n])).any()]

    def faults(self) -> list[Verdict]:
        """Return the faults of the object as a whole that are known before anything is compared."""
        return []

    # ----------------------------------------------------------------------------------------------- variants

    def _with(self, **changed: Any) -> "Target":
        now = {name: getattr(self, name) for name in ("obj", "inputs", "rng", "wanted", "constants")}
        return type(self)(*{**now, **changed}.values())

    def with_object(self, obj: Any) -> "Target":
        """Return the target with another object."""
        return self._with(obj=obj)

    def doubled(self, axis: int) -> "Target":
        """Return the target with inputs doubled along an axis: all that are as long there as the first."""
        return self._taken([*range(self.inputs[0].shape[axis])] * 2, axis)

    def with_samples(self, rows: slice) -> "Target":
        """Return the target with these samples only."""
        return self._taken([*range(self.inputs[0].shape[0])][rows], 0)

    def _taken(self, indices: list[int], axis: int) -> "Target":
        """Return the target with these indices along an axis of all inputs as long there as the first."""
        size = self.inputs[0].shape[axis]
        inputs = [to_numpy(data) if isinstance(data, (list, tuple)) else data for data in self.inputs]
        for i, data in enumerate(inputs):
            if getattr(data, "shape", ())[axis : axis + 1] == (size,):
                backend = backend_of(data)
                inputs[i] = backend.xp.take(data, backend.asarray(to_numpy(indices)), axis=axis)
        return self._with(inputs=inputs)

    def elsewhere(self, factor: float) -> "Target":
        """Return the target at inputs multiplied by a factor, with zeros moved a little."""
        inputs = self.inputs[:]
        for i in self.wanted:
            values = to_numpy(inputs[i])
            moved = factor * values + 0.1 * (values == 0.0) * random_like(values, self.rng)
            inputs[i] = self.backend.asarray(moved)
        return self._with(inputs=inputs)

    def with_inputs(self, wanted: tuple[int, ...]) -> "Target":
        """Return the target with the inputs at these positions differentiated."""
        return self._with(inputs=real_inputs(self.inputs, wanted), wanted=wanted)


def _input_names(obj: Any, params: Mapping[str, Any], wanted: tuple[int, ...]) -> list[str]:
    """Return a unique name for each differentiated input."""
    names: list[str] = []
    for i in wanted:
        name = obj.input_name(i) if isinstance(obj, Adapter) else INPUT
        names.append(f"input {i + 1}" if name in params or name in names else name)
    return names
