"""What a gradient check looks at: an object as one number that depends on arrays.

All is done on copies: what was passed in is read and never written, whatever happens in between.
"""

import copy
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backends import Array, Backend, backend_of, to_numpy
from backprop.copying import copy_as
from backprop.gradient_check.host_arrays import random_like
from backprop.gradient_check.requirements import WHERE, real_array, require_differentiable
from backprop.moves import Stage

INPUT = "x"


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


class Subject(ABC):
    """An object under check with its inputs, those at the positions `wanted` to be differentiated.

    input_names: theirs, "x" for the first, for others what forward calls them.
    """

    is_loss = True  # whether the number is the output itself, a loss
    honours_dout = False  # whether its backward is given a dout
    factors: Any = 1.0  # that dout, on the host

    def __init__(self, obj: Any, inputs: list[Any], rng: Any, wanted: tuple[int, ...] = (0,)) -> None:
        self.obj, self.inputs, self.rng, self.wanted = obj, inputs, rng, wanted
        self.name = type(obj).__name__
        self.backend: Backend = backend_of(inputs[0])
        self.params = dict(getattr(obj, "params", {}))
        self.input_names = _input_names(obj, self.params, wanted)

    @abstractmethod
    def value(self, trial: Trial) -> Any:
        """The number, as the object's own array library has it."""

    @abstractmethod
    def run(self, trial: Trial, dout: Any = 1.0) -> Run:
        """One forward and backward; dout: a number, or a host array, times which the usual dout is given."""

    @abstractmethod
    def stages(self, trial: Trial) -> Iterator[Stage]:
        """How the number moves, as far as the object can say it."""

    def layers(self, trial: Trial) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
        """The layers that the object consists of, as far as they can be seen, with their inputs."""
        return iter(())

    def trial(self, dtype: str = "float64") -> Trial:
        """A copy in that dtype."""
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
        require_differentiable(self.name, run.out)
        run.written += self._written(trial)
        return run

    def _written(self, trial: Trial) -> list[str]:
        """The arrays of a trial that hold something else than at first."""
        first = {**self.params, **self._wanted(self.inputs)}
        return [n for n, array in trial.arrays.items() if (to_numpy(array) != to_numpy(first[n])).any()]

    # ---------------------------------------------------------------------------------- the same, but for …

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
            moved = factor * values + 0.1 * (values == 0.0) * random_like(values, self.rng)
            inputs[i] = self.backend.asarray(moved)
        return type(self)(self.obj, inputs, self.rng, self.wanted)

    def of_inputs(self, wanted: tuple[int, ...]) -> "Subject":
        """The same with the inputs at these positions differentiated."""
        inputs = self.inputs[:]
        for i in wanted[1:]:
            inputs[i] = real_array(inputs[i], f"input {i + 1}", self.backend)
        return type(self)(self.obj, inputs, self.rng, wanted)

    def of_attributes(self, trial: Trial) -> "Subject | None":
        """The same with arrays that are attributes, if a trial shows that they have gradients beside them."""
        return None


def _input_names(obj: Any, params: Mapping[str, Any], wanted: tuple[int, ...]) -> list[str]:
    """A name of its own for each differentiated input."""
    theirs = [*inspect.signature(obj.forward).parameters] if len(wanted) > 1 else []
    names: list[str] = []
    for i in wanted:
        name = INPUT if i == 0 else theirs[i] if i < len(theirs) else f"input {i + 1}"
        names.append(f"input {i + 1}" if name in params or name in names else name)
    return names
