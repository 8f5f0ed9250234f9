"""The ties of an optimizer to one set of parameters: made at its first update, and left out of its copies."""

from collections.abc import Callable
from math import prod
from types import MethodType
from typing import Any

from backends import Array, Workspace, backend_of, find, to_numpy
from backprop.arrays.arrays import Arrays
from backprop.optimizers.decay import members
from backprop.optimizers.declaration import require_declared
from backprop.optimizers.preparation import Preparation


class Binding:
    """The arrays beside the parameters, and the functions that an update calls.

    Parameters
    ----------
    optimizer : Optimizer
    params : Arrays
        All parameters.
    owner : array
        The object that identifies the parameters, if params is only a copy of them.

    Attributes
    ----------
    arrays : Arrays or None
        The optimizer's state by name.
    state : tuple of array
        The same, in the order in which `compute` takes them.
    settings : tuple of array
        The optimizer's settings on the device, 0-d.
    memory : Workspace
        Memory of twins.
    prepare : Preparation
        Clipping and decay.
    run, context
        The formula, or a twin of it, and its first argument.
    checked : array or None
        Flat gradients already checked against the parameters.
    """

    def __init__(self, optimizer: Any, params: Arrays, owner: Array) -> None:
        name, w, backend = type(optimizer).__name__, params.flat, backend_of(params.flat)
        require_declared(optimizer, w.dtype)
        names = members(name, optimizer.decayed, params.shapes)
        self.arrays = state_beside(optimizer, w)
        self.owner, self.shape, self.memory = owner, w.shape, Workspace(backend, w.dtype)
        self.checked: Array | None = None
        numbers = (getattr(optimizer, setting) for setting in optimizer.settings)
        self.settings = tuple(backend.asarray(number, w.dtype) for number in numbers)
        self.state = () if self.arrays is None else tuple(self.arrays.views.values())
        twin = find(backend.name, w.dtype, optimizer.compute)
        self.prepare = Preparation(self.memory, params, names, optimizer.decoupled, twin is not None)
        self.prepare.set_clip(optimizer.clip)
        self.prepare.set_decay(optimizer.weight_decay)
        self.run: Callable[..., Any] = optimizer.compute
        self.context: Any = backend.xp
        if twin is not None:
            self.run, self.context = MethodType(twin, optimizer), self.memory

    def follow(self, name: str, number: float | None, settings: tuple[str, ...]) -> None:
        """Write a checked number, newly assigned to the optimizer, into the array that holds it."""
        if name in settings:
            backend = self.memory.backend
            backend.write(self.settings[settings.index(name)], backend.asarray(number, self.memory.dtype))
        elif name == "clip":
            self.prepare.set_clip(number)
        elif name == "weight_decay":
            self.prepare.set_decay(number or 0.0)


def state_beside(optimizer: Any, w: Array) -> Arrays | None:
    """Return new state, or that of the optimizer of which this one is a copy, beside the parameters."""
    backend = backend_of(w)
    state: Arrays | None = optimizer.state
    shapes = dict.fromkeys(optimizer.zeros, w.shape) | dict.fromkeys(optimizer.numbers, ())
    if state is None:
        size = sum(map(prod, shapes.values()))
        return Arrays(shapes, backend.zeros((size,), w.dtype)) if shapes else None
    if state.shapes != shapes:
        raise ValueError(f"{type(optimizer).__name__}: its state, {state}, belongs to other parameters")
    if backend_of(state.flat) is backend and state.flat.dtype == w.dtype:
        return state
    return state.like(backend.asarray(to_numpy(state.flat), w.dtype))
