"""The base class of optimizers: flat state, and one formula for the update."""

from collections.abc import Callable, Mapping
from math import prod
from types import MethodType
from typing import Any

from backends import Array, Workspace, backend_of, find
from backprop.arrays.arrays import Arrays
from backprop.arrays.checks import positive_number
from backprop.optimizers.fitting import gathered, rate_in, require_fitting

# Attributes tied to one set of parameters, which a copy leaves out.
BOUND = ("_bound", "_checked", "_backend", "_shape", "_rate", "_state", "_run", "_memory", "_context")


class Optimizer:
    """A rule that moves parameters along their gradients, given by one formula in a subclass.

    The formula is a method::

        compute(self, xp, w, g, rate, *state)  ->  new w, new state (a tuple)

    w and g are all parameters and all gradients, flat; rate is the learning rate, a 0-d array. Two class
    attributes name the state: `zeros`, arrays like w, and `numbers`, 0-d arrays, all of them 0 at first.
    `state` holds them by name from the first update on.

    The rate and the state are arrays beside the parameters, so that a recorded step sees their changes.
    Settings that never change are Python numbers. An optimizer stays with the parameters of its first
    update.

    Parameters
    ----------
    learning_rate : float
        Above 0. It may be changed between updates.

    Raises
    ------
    ValueError, TypeError
        If the learning rate is out of range or not a number.
    """

    compute: Callable[..., Any]
    zeros: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    state: Arrays | None = None
    _learning_rate: Any = None  # before __init__, which refuses None
    _bound: Array | None = None  # the parameters it is bound to
    _checked: Array | None = None  # flat gradients already checked against them
    _context: Any  # the namespace, or the memory of a twin

    def __init__(self, learning_rate: float) -> None:
        self._learning_rate = positive_number(type(self).__name__, "learning_rate", learning_rate)

    @property
    def learning_rate(self) -> float:
        """The learning rate. It may be changed between updates, even during training."""
        rate: float = self._learning_rate
        return rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        name = type(self).__name__
        rate = positive_number(name, "learning_rate", value)
        if self._bound is not None:
            array = self._backend.asarray(rate_in(self._rate.dtype, name, rate), self._rate.dtype)
            self._backend.write(self._rate, array)
        self._learning_rate = rate

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays besides the parameters that an update changes."""
        return () if self.state is None else (self.state.flat,)

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Move every parameter along its gradient, in place.

        params, grads: arrays by the same names, such as `net.params` and the result of `net.gradient`.
        Raises ValueError for a gradient that is missing or has the wrong shape and for another network's
        parameters, TypeError for mixed libraries or values that are not real arrays. Nothing has changed
        then.
        """
        if type(params) is Arrays and type(grads) is Arrays:
            if params.flat is not self._bound or grads.flat is not self._checked:
                require_fitting(f"{type(self).__name__}.update", params, grads)
                self.bind(params.flat)
                self._checked = grads.flat
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
        """Tie the optimizer to flat parameters, and create its state.

        Parameters
        ----------
        w : array (P,)
            All parameters, flat.
        scratch : array (P,), optional
            Memory that a twin may overwrite, such as a loop's gradients, which are not read again.
        of : array, optional
            The object that identifies the parameters, if w is only a copy of them.
        """
        of = w if of is None else of
        if self._bound is None:
            self._prepare(w, of)
        if self._bound is not of or w.shape != self._shape:
            rule = "an optimizer stays with the parameters of its first update; create one for each network"
            raise ValueError(f"{type(self).__name__}: {rule}")
        if scratch is not None:
            self._memory["step", scratch.shape] = scratch

    def _prepare(self, w: Array, of: Array) -> None:
        """Create what the first update needs. Raises for mistakes of a subclass's author."""
        name = type(self).__name__
        rate_in(w.dtype, name, self._learning_rate)
        if type(self).learning_rate is not Optimizer.learning_rate:
            cure = "assign optimizer.learning_rate between updates"
            raise TypeError(f"{name}: a subclass cannot define learning_rate; {cure}")
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
            raise ValueError(f"{name}: its state, {self.state}, belongs to other parameters")
        self._bound, self._backend, self._shape = of, backend, w.shape
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
            raise TypeError(f"{name}.compute must return new w and a tuple of new state, ({state})")
        new, state = result
        if new is not w:  # a twin may have written in place
            for target, value in zip((w, *self._state), (new, *state), strict=True):
                if getattr(value, "shape", ()) != target.shape:
                    rule = "must return arrays with the shapes of w and the state"
                    got = f"got {getattr(value, 'shape', ())} for {target.shape}"
                    raise ValueError(f"{name}.compute {rule}, {got}")
            w[...] = new
        for target, value in zip(self._state, state, strict=True):
            if value is not target:
                target[...] = value

    # A copy keeps the state, and is bound to the parameters of its own first update.
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in BOUND}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, learning_rate {self.learning_rate:g}>"
