"""The target of a gradient check: an object as a scalar function of its arrays.

All work is done on copies: what was passed in is never written to, even if an exception is raised.
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
from backprop.gradient_check.randomness import HeldGenerators, NumpyRandom
from backprop.gradient_check.reach import reach
from backprop.gradient_check.report import Verdict
from backprop.gradient_check.requirements import is_array, real_inputs, require_differentiable
from backprop.networks.jacobian import Place


@dataclass
class TargetCopy:
    """A copy of the object and its inputs, on which arrays are moved and the function is evaluated."""

    obj: Any
    inputs: list[Any]
    arrays: dict[str, Array]  # what the function depends on, by name: parameters and differentiated inputs
    state: list[tuple[Array, Array]] = field(default_factory=list)  # of the layers, with its first values
    random: tuple[Any, ...] = ()  # states of random generators

    def restore(self) -> None:
        """Put the state back to its first values, since every evaluation is to start alike."""
        for array, first in self.state:
            array[...] = first
        for each in self.random:
            each.restore()


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
    constants: the names of arrays that are not to be compared.
    """

    is_loss = True  # the output is a single number, a loss
    honours_dout = False  # backward is given a dout
    factors: Any = 1.0  # that dout, on the host
    weights: Any = 1.0  # and on the backend, where it weighs the outputs
    remark: Verdict | None = None  # on every array that is right

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
        """Return the value of the function, as the object's own array library has it."""

    @abstractmethod
    def run(self, copied: TargetCopy, dout: Any = 1.0) -> Run:
        """Run forward and backward.  dout: a number or host array by which the usual dout is multiplied."""

    @abstractmethod
    def places(self, copied: TargetCopy) -> Iterator[Place]:
        """Yield where what is computed can be perturbed, as far as its layers are known."""

    def params_of(self, obj: Any) -> Mapping[str, Any]:
        """Return the parameters of the object, or of a copy of it, by name."""
        return getattr(obj, "params", {})

    def layers(self, copied: TargetCopy) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
        """Yield the layers of the object, as far as they are accessible: name, layer, inputs."""
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
        random = (self.random, HeldGenerators(root_of(obj), self.reach.generators))
        return TargetCopy(obj, inputs, arrays | self._wanted(inputs), state, random)

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

    def faults(self) -> list[Verdict]:
        """Return what is wrong with the object as a whole, known before anything is compared."""
        return []

    # ----------------------------------------------------------------------------------------------- variants

    def _with(self, **changed: Any) -> "Target":
        now = {name: getattr(self, name) for name in ("obj", "inputs", "rng", "wanted", "constants")}
        return type(self)(*{**now, **changed}.values())

    def of_object(self, obj: Any) -> "Target":
        """Return the target with another object in place of its own."""
        return self._with(obj=obj)

    def doubled(self, axis: int) -> "Target":
        """Return the target with all of its inputs that are as long along an axis twice there."""
        return self._taken([*range(self.inputs[0].shape[axis])] * 2, axis)

    def of_samples(self, rows: slice) -> "Target":
        """Return the target with these samples only."""
        return self._taken([*range(self.inputs[0].shape[0])][rows], 0)

    def _taken(self, indices: list[int], axis: int) -> "Target":
        """Return the target with these indices along an axis of all inputs that are as long there."""
        size = self.inputs[0].shape[axis]
        inputs = [to_numpy(data) if isinstance(data, (list, tuple)) else data for data in self.inputs]
        for i, data in enumerate(inputs):
            if getattr(data, "shape", ())[axis : axis + 1] == (size,):
                backend = backend_of(data)
                inputs[i] = backend.xp.take(data, backend.asarray(to_numpy(indices)), axis=axis)
        return self._with(inputs=inputs)

    def elsewhere(self, factor: float) -> "Target":
        """Return the target at inputs that are multiplied by a factor, and moved where they are 0."""
        inputs = self.inputs[:]
        for i in self.wanted:
            values = to_numpy(inputs[i])
            moved = factor * values + 0.1 * (values == 0.0) * random_like(values, self.rng)
            inputs[i] = self.backend.asarray(moved)
        return self._with(inputs=inputs)

    def of_inputs(self, wanted: tuple[int, ...]) -> "Target":
        """Return the target with the inputs at these positions differentiated."""
        return self._with(inputs=real_inputs(self.inputs, wanted), wanted=wanted)


def _input_names(obj: Any, params: Mapping[str, Any], wanted: tuple[int, ...]) -> list[str]:
    """Return a unique name for each differentiated input."""
    names: list[str] = []
    for i in wanted:
        name = obj.input_name(i) if isinstance(obj, Adapter) else INPUT
        names.append(f"input {i + 1}" if name in params or name in names else name)
    return names
