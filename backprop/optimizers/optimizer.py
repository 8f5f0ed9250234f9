"""What an optimizer is: flat state, and one formula from parameters and gradients to new parameters."""

from collections.abc import Callable, Mapping
from math import prod
from types import MethodType
from typing import Any

from backends import Array, Workspace, backend_of, find
from backprop.arrays.arrays import Arrays
from backprop.arrays.checks import positive_number
from backprop.optimizers.fitting import gathered, rate_in, require_fitting

# Made for the parameters that it met.
BOUND = ("_met", "_alike", "_backend", "_shape", "_rate", "_state", "_run", "_memory", "_context")


class Optimizer:
    """How parameters follow their gradients. A subclass gives its formula, and names its state:

        compute(self, xp, w, g, rate, *state)  ->  new w, new state (a tuple)

    w, g: all parameters and gradients, flat.  rate: the learning rate, a 0-d array.
    zeros: names of state arrays that are like w, and 0 at first.  numbers: names of 0-d ones, likewise.
    state: Arrays by these names, from the first update on.

    The rate and the state lie in arrays beside the parameters, so that a recorded step finds them changed;
    settings that never change are Python numbers. An optimizer belongs to the parameters that it met first.
    """

    compute: Callable[..., Any]
    zeros: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    state: Arrays | None = None
    _learning_rate: Any = None  # until __init__, which refuses None
    _met: Array | None = None  # the parameters that it belongs to
    _alike: Array | None = None  # flat gradients that were found to fit them

    def __init__(self, learning_rate: float) -> None:
        self._learning_rate = positive_number(type(self).__name__, "learning_rate", learning_rate)

    @property
    def learning_rate(self) -> float:
        """The learning rate; it may be assigned between two updates, also while a network trains."""
        rate: float = self._learning_rate
        return rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        name = type(self).__name__
        rate = positive_number(name, "learning_rate", value)
        if self._met is not None:
            array = self._backend.asarray(rate_in(self._rate.dtype, name, rate), self._rate.dtype)
            self._backend.write(self._rate, array)
        self._learning_rate = rate

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays that an update changes, besides the parameters."""
        return () if self.state is None else (self.state.flat,)

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Move every parameter along its gradient, in place.

        params, grads: arrays by the same names, such as `net.params` and what `net.gradient` returns.
        Raises ValueError for a missing gradient, one of another shape, or the parameters of another network,
        TypeError for a mixture of libraries, or what is no real array; then nothing has changed.
        """
        if type(params) is Arrays and type(grads) is Arrays:
            if params.flat is not self._met or grads.flat is not self._alike:
                require_fitting(f"{type(self).__name__}.update", params, grads)
                self.bind(params.flat)
                self._alike = grads.flat
            self._move(params.flat, grads.flat)
            return
        g = gathered(f"{type(self).__name__}.update", params, grads)
        w = params if type(params) is Arrays else Arrays.gather(params)
        self.bind(w.flat, of=w.flat if w is params else next(iter(params.values())))
        self._move(w.flat, g.flat)
        if w is not params:
            for name, parameter in params.items():
                parameter[...] = w[name]

    def bind(self, w: Array, scratch: Array | None = None, of: Array | None = None) -> None:
        """Belong to flat parameters, and make the state for them.

        scratch: memory like w that a twin may write over, such as the gradients of a loop that nobody else
        sees.  of: what tells these parameters from others, where w is but a copy of them.
        """
        of = w if of is None else of
        if self._met is None:
            self._meet(w, of)
        if self._met is not of or w.shape != self._shape:
            rule = "it belongs to the parameters that it met first, not to these; make one for each network"
            raise ValueError(f"{type(self).__name__}: {rule}")
        if scratch is not None:
            self._memory["step", scratch.shape] = scratch

    def _meet(self, w: Array, of: Array) -> None:
        """Make all that the first update needs.  Raises for what the author of a subclass got wrong."""
        name = type(self).__name__
        rate_in(w.dtype, name, self._learning_rate)
        if type(self).learning_rate is not Optimizer.learning_rate:
            cure = "assign optimizer.learning_rate between updates"
            raise TypeError(f"{name}: a class cannot have a learning_rate of its own; {cure}")
        if isinstance(self.zeros, str) or isinstance(self.numbers, str):
            got = f"{self.zeros!r} and {self.numbers!r}"
            raise TypeError(f"{name}: zeros and numbers must be tuples of names, got {got}")
        shapes = dict.fromkeys(self.zeros, w.shape) | dict.fromkeys(self.numbers, ())
        if not hasattr(self, "compute"):
            raise TypeError(f"{name}: an optimizer needs compute(self, xp, w, g, rate, *state)")
        backend, twin = backend_of(w), find(backend_of(w).name, w.dtype, self.compute)
        if self.state is None and shapes:
            self.state = Arrays(shapes, backend.zeros((sum(map(prod, shapes.values())),), w.dtype))
        if self.state is not None and self.state.shapes != shapes:
            raise ValueError(f"{name}: its state, {self.state}, is that of other parameters")
        self._met, self._backend, self._shape = of, backend, w.shape
        self._rate = backend.asarray(self._learning_rate, w.dtype)
        self._state = () if self.state is None else tuple(self.state.views.values())
        self._memory = Workspace(backend, w.dtype)
        self._run, self._context = self.compute, backend.xp
        if twin is not None:
            self._run, self._context = MethodType(twin, self), self._memory

    def _move(self, w: Array, g: Array) -> None:
        result = self._run(self._context, w, g, self._rate, *self._state)
        name = type(self).__name__
        if not isinstance(result, tuple) or len(result) != 2 or len(result[1]) != len(self._state):
            state = ", ".join((*self.zeros, *self.numbers))
            raise TypeError(f"{name}.compute must return new w and a tuple of the new state, ({state})")
        new, state = result
        if new is not w:  # else a twin wrote in place
            for target, value in zip((w, *self._state), (new, *state), strict=True):
                if getattr(value, "shape", ()) != target.shape:
                    rule = "must return arrays in the shapes of w and of the state"
                    got = f"got {getattr(value, 'shape', ())} for {target.shape}"
                    raise ValueError(f"{name}.compute {rule}, {got}")
            w[...] = new
        for target, value in zip(self._state, state, strict=True):
            if value is not target:
                target[...] = value

    # A copy has the state, and belongs to the parameters that it meets first.
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in BOUND}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, learning_rate {self.learning_rate:g}>"
