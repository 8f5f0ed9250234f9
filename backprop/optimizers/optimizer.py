"""The base class of optimizers: flat state, and one formula for the update."""

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from math import prod
from types import MethodType
from typing import Any, Self

from backends import Array, Workspace, backend_of, find, to_numpy
from backprop.arrays.arrays import Arrays
from backprop.optimizers.decay import group, members
from backprop.optimizers.declaration import require_declared
from backprop.optimizers.fitting import gathered, number_in, require_fitting
from backprop.optimizers.preparation import Preparation
from backprop.optimizers.setting import Setting

# Attributes tied to one set of parameters, which a copy leaves out.
BOUND = (
    *("_bound", "_checked", "_shape", "_numbers", "_state"),
    *("_memory", "_preparation", "_run", "_context"),
)


class Optimizer:
    """A rule that moves parameters along their gradients, given by one formula in a subclass.

    The formula is a method::

        compute(self, xp, w, g, *settings, *state)  ->  new w, new state (a tuple)

    w and g are all parameters and all gradients, flat. Three class attributes name the rest: `settings`, the
    numbers that may change from step to step, such as the learning rate; `zeros`, state that is an array
    like w; `numbers`, state that is a number. compute gets settings and numbers as 0-d arrays. All state is
    0 at first. `state` holds it by name from the first update on.

    Settings and state are arrays beside the parameters, so that a recorded step sees their changes. What
    never changes is a Python number. An optimizer stays with the parameters of its first update.

    Before the formula, every optimizer can clip the gradient, and then let parameters decay::

        g ← g · min(1, clip / ‖g‖)        g ← g + weight_decay · w

    ‖g‖ is the norm over all parameters. With `decoupled = True` in the class, the decay moves the parameters
    instead: w ← w - learning_rate · weight_decay · w.

    Parameters
    ----------
    learning_rate : float
        Above 0. It may be changed between updates.
    weight_decay : float
        At least 0. In the gradient, it is that of a penalty weight_decay · Σ w² / 2.
    decayed : str or list of str
        The parameters that decay: "weights", which are those with two axes or more, so no biases, without
        those called gamma or beta, gamma1, beta1, …; "all"; or a list of names, such as ["W1"].
    clip : float, optional
        The largest norm of the gradient, above 0. A gradient whose norm overflows, in float32 from 1.8e19 on,
        is scaled to 0.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range or not a number. At the first update, if `decayed` names a parameter
        that does not exist.

    Notes
    -----
    Source of clipping: Pascanu, Mikolov and Bengio, arXiv 1211.5063, 2013. Source of weight decay: book
    section 6.4.2; decoupled: Loshchilov and Hutter, arXiv 1711.05101, 2019. The order is that of PyTorch with
    `clip_grad_norm_` before the step.
    """

    compute: Callable[..., Any]
    settings: tuple[str, ...] = ("learning_rate",)
    zeros: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    decoupled = False
    state: Arrays | None = None
    learning_rate = Setting("The learning rate. It may be changed at any time, even during training.")
    weight_decay = Setting(
        "The weight decay. It may be changed between training runs.", or_zero=True, default=0.0
    )
    clip = Setting(
        "The largest norm of the gradient, or None. It may be changed between training runs.", or_none=True
    )
    _chosen: str | tuple[str, ...] = "weights"
    _bound: Array | None = None  # the parameters it is bound to
    _checked: Array | None = None  # flat gradients already checked against them
    _numbers: tuple[Array, ...]  # the settings on the device
    _memory: Workspace
    _preparation: Preparation  # clipping and decay
    _context: Any  # the namespace, or the memory of a twin

    def __init__(
        self,
        learning_rate: float,
        *,
        weight_decay: float = 0.0,
        decayed: str | Collection[str] = "weights",
        clip: float | None = None,
    ) -> None:
        self.learning_rate, self.weight_decay, self.clip = learning_rate, weight_decay, clip
        self._chosen = group(type(self).__name__, decayed)

    @property
    def decayed(self) -> str | tuple[str, ...]:
        """The parameters that decay: "weights", "all" or their names."""
        return self._chosen

    def follow(self, name: str, number: float | None) -> None:
        """Bring the arrays in line with a setting that is being assigned.

        Parameters
        ----------
        name : str
        number : float or None
            Its new value, checked.

        Raises
        ------
        ValueError
            If the number does not fit the dtype of the parameters.
        """
        if self._bound is None:
            return
        backend, dtype = self._memory.backend, self._memory.dtype
        number_in(dtype, type(self).__name__, name, number)
        if name in self.settings:
            backend.write(self._numbers[self.settings.index(name)], backend.asarray(number, dtype))
        elif name == "clip":
            self._preparation.set_clip(number)
        elif name == "weight_decay":
            self._preparation.set_decay(number or 0.0)

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
                self.bind(params)
                self._checked = grads.flat
            self.move(params, grads, self._numbers)
            return
        g = gathered(f"{type(self).__name__}.update", params, grads)
        w = params if type(params) is Arrays else Arrays.gather(params)
        self.bind(w, of=w.flat if w is params else next(iter(params.values())))
        self.move(w, g, self._numbers)
        if w is not params:
            for name, parameter in params.items():
                parameter[...] = w[name]

    def bind(self, params: Arrays, scratch: Array | None = None, of: Array | None = None) -> None:
        """Tie the optimizer to parameters, and create its state.

        Parameters
        ----------
        params : Arrays
            All parameters.
        scratch : array (P,), optional
            Memory that a twin may overwrite, such as a loop's gradients, which are not read again.
        of : array, optional
            The object that identifies the parameters, if params is only a copy of them.
        """
        of = params.flat if of is None else of
        if self._bound is None:
            self._prepare(params, of)
        if self._bound is not of or params.flat.shape != self._shape:
            rule = "an optimizer stays with the parameters of its first update; create one for each network"
            raise ValueError(f"{type(self).__name__}: {rule}")
        if scratch is not None:
            self._memory["step", scratch.shape] = scratch

    def _prepare(self, params: Arrays, of: Array) -> None:
        """Create what the first update needs. Raises for mistakes of a subclass's author."""
        name, w, backend = type(self).__name__, params.flat, backend_of(params.flat)
        require_declared(self, w.dtype)
        names = members(name, self.decayed, params.shapes)
        self.state = self._state_for(w)
        twin = find(backend.name, w.dtype, self.compute)
        self._bound, self._shape, self._memory = of, w.shape, Workspace(backend, w.dtype)
        self._numbers = tuple(backend.asarray(getattr(self, each), w.dtype) for each in self.settings)
        self._state = () if self.state is None else tuple(self.state.views.values())
        in_place = twin is not None
        self._preparation = Preparation(self._memory, params, names, self.decoupled, in_place)
        self._preparation.set_clip(self.clip)
        self._preparation.set_decay(self.weight_decay)
        self._run, self._context = self.compute, backend.xp
        if twin is not None:
            self._run, self._context = MethodType(twin, self), self._memory

    def _state_for(self, w: Array) -> Arrays | None:
        """Return new state, or that of the optimizer of which this one is a copy, beside the parameters."""
        backend = backend_of(w)
        shapes = dict.fromkeys(self.zeros, w.shape) | dict.fromkeys(self.numbers, ())
        if self.state is None:
            size = sum(map(prod, shapes.values()))
            return Arrays(shapes, backend.zeros((size,), w.dtype)) if shapes else None
        if self.state.shapes != shapes:
            raise ValueError(f"{type(self).__name__}: its state, {self.state}, belongs to other parameters")
        flat = self.state.flat
        if backend_of(flat) is backend and flat.dtype == w.dtype:
            return self.state
        return self.state.like(backend.asarray(to_numpy(flat), w.dtype))

    def move(self, params: Arrays, grads: Arrays, settings: Sequence[Array]) -> None:
        """Move the parameters, in place and without checks, for a loop that has called `bind`.

        Parameters
        ----------
        params, grads : Arrays
        settings : sequence of array
            0-d arrays, in the order of `settings`, in place of the optimizer's own. The loop may write into
            them between steps.
        """
        w = params.flat
        start, g = self._preparation(w, grads.flat, settings[0])
        result = self._run(self._context, start, g, *settings, *self._state)
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

    # A copy keeps the state, in arrays of its own, and is bound to the parameters of its own first update.
    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in BOUND}

    def __repr__(self) -> str:
        names = [*self.settings, *(name for name in ("weight_decay", "clip") if getattr(self, name))]
        return f"<{type(self).__name__}, {', '.join(f'{name} {getattr(self, name):g}' for name in names)}>"
