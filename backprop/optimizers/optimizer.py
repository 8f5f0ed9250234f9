"""The base class of optimizers: flat state, and one formula for the update."""

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Self

from backends import Array, backend_of
from backprop.arrays.arrays import Arrays
from backprop.optimizers.binding import Binding
from backprop.optimizers.decay import group
from backprop.optimizers.fitting import gathered, number_in, require_fitting
from backprop.optimizers.setting import Setting


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
    _binding: Binding | None = None  # to the parameters of the first update; a copy has none

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
        if self._binding is not None:
            number_in(self._binding.memory.dtype, type(self).__name__, name, number)
            self._binding.follow(name, number, self.settings)

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
        bound = self._binding
        if type(params) is Arrays and type(grads) is Arrays:
            if bound is None or params.flat is not bound.owner or grads.flat is not bound.checked:
                require_fitting(f"{type(self).__name__}.update", params, grads)
                bound = self.bind(params)
                bound.checked = grads.flat
            self.move(params, grads, bound.settings)
            return
        g = gathered(f"{type(self).__name__}.update", params, grads)
        w = params if type(params) is Arrays else Arrays.gather(params)
        bound = self.bind(w, of=w.flat if w is params else next(iter(params.values())))
        self.move(w, g, bound.settings)
        if w is not params:
            for name, parameter in params.items():
                parameter[...] = w[name]

    def reset(self) -> None:
        """Set the state to 0, as it was before the first update, in place.

        Settings stay as they are, and so do the parameters that the optimizer belongs to.
        """
        if self.state is not None:
            flat, backend = self.state.flat, backend_of(self.state.flat)
            backend.write(flat, backend.zeros(flat.shape, flat.dtype))

    def bind(self, params: Arrays, scratch: Array | None = None, of: Array | None = None) -> Binding:
        """Tie the optimizer to parameters, create its state, and return what ties it.

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
        if self._binding is None:
            bound = Binding(self, params, of)
            self._binding, self.state = bound, bound.arrays
        bound = self._binding
        if bound.owner is not of or params.flat.shape != bound.shape:
            rule = "an optimizer stays with the parameters of its first update; create one for each network"
            raise ValueError(f"{type(self).__name__}: {rule}")
        if scratch is not None:
            bound.memory["step", scratch.shape] = scratch
        return bound

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
        bound: Any = self._binding
        start, g = bound.prepare(w, grads.flat, settings[0])
        result = bound.run(bound.context, start, g, *settings, *bound.state)
        name = type(self).__name__
        if not isinstance(result, tuple) or len(result) != 2 or len(result[1]) != len(bound.state):
            state = ", ".join((*self.zeros, *self.numbers))
            raise TypeError(f"{name}.compute must return new w and a tuple of new state, ({state})")
        new, state = result
        if new is not w:  # a twin may have written in place
            for target, value in zip((w, *bound.state), (new, *state), strict=True):
                if getattr(value, "shape", ()) != target.shape:
                    rule = "must return arrays with the shapes of w and the state"
                    got = f"got {getattr(value, 'shape', ())} for {target.shape}"
                    raise ValueError(f"{name}.compute {rule}, {got}")
            w[...] = new
        for target, value in zip(bound.state, state, strict=True):
            if value is not target:
                target[...] = value

    # A copy keeps the state, in arrays of its own, and is bound to the parameters of its own first update.
    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_binding"}

    def __repr__(self) -> str:
        names = [*self.settings, *(name for name in ("weight_decay", "clip") if getattr(self, name))]
        return f"<{type(self).__name__}, {', '.join(f'{name} {getattr(self, name):g}' for name in names)}>"
