"""What a layer is: named arrays and two pure functions, `compute` and `derive`."""

from collections.abc import Callable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any, TypeVar

from backends import Array, Backend, NewArrays, choose, host_array, listed, one_backend, shown
from backprop.arrays.arrays import Arrays
from backprop.arrays.checks import flag, sizes
from backprop.arrays.dtypes import network_dtype
from backprop.arrays.entering import cast, require_alike
from backprop.arrays.initializers import generator
from backprop.layers.requirements import require_initial, require_like
from backprop.layers.stage import Stage, link, write

NEVER = "no forward has run"
EVALUATED = "the last forward ran with training=False"
CONSUMED = "the backward of the last forward has run already"

F = TypeVar("F", bound=Callable[..., Any])


def runs_formulas(function: F) -> F:
    """Mark a forward or backward that does nothing but run its layer's formulas, as a network does, too."""
    function.runs_formulas = True  # type: ignore[attr-defined]
    return function


class Layer:
    """A function of arrays that can be differentiated. A subclass gives its arrays and its formulas:

        compute(self, xp, x, *params, *state)   ->  out, saved        (with state: out, saved, new state)
        derive(self, xp, dout, *saved)          ->  dx                (with parameters: dx, *their gradients)
        evaluate(self, xp, x, *params, *state)  ->  out outside of training;  None: what compute gives

    They are pure functions in the names of the Array API namespace `xp`, and analytic in complex arrays: in
    comparisons they look at xp.real(x).  saved and new state are tuples.

    params, state: arrays by name, in the order in which compute takes them.
    grads: the gradients of the parameters by the same names, new arrays at every `backward`.

    >>> class Scale(Layer):
    ...     def compute(self, xp, x, w):
    ...         return x * w, (x, w)
    ...     def derive(self, xp, dout, x, w):
    ...         return dout * w, xp.sum(dout * x, axis=0)
    >>> from backprop import check_gradients, xp
    >>> check_gradients(Scale(w=xp.ones(3)), xp.ones((2, 3))).ok
    True
    """

    compute: Callable[..., Any]
    derive: Callable[..., Any]
    evaluate: Callable[..., Any] | None = None
    # Of a subclass whose __init__ does not call this one: a layer without arrays, not a broken one.
    state: Mapping[str, Array] = MappingProxyType({})
    grads: Mapping[str, Array] = MappingProxyType({})
    _kept: tuple[Any, ...] | str = NEVER

    def __init__(self, *, state: Mapping[str, Array] | None = None, **params: Array) -> None:
        if not isinstance(state, Mapping | None):
            raise TypeError(f"{type(self).__name__}: state must be arrays by name, got {shown(state)}")
        if params:
            one_backend(type(self).__name__, **params)
        self.params = params
        self.state = Arrays.gather(state) if state else {}
        self.grads = {}

    @property
    def params(self) -> MutableMapping[str, Array]:
        """The parameters; to those of a network, what is assigned is copied into place."""
        found: MutableMapping[str, Array] = self.__dict__.setdefault("params", {})
        return found

    @params.setter
    def params(self, arrays: MutableMapping[str, Array]) -> None:
        there, where = self.params, f"{type(self).__name__}.params"
        if isinstance(arrays, Mapping) and "x" in arrays:
            raise ValueError(f"{where}: none can be called x, which is the input")
        if not isinstance(there, Arrays):
            vars(self)["params"] = arrays
        elif isinstance(arrays, Mapping) and arrays.keys() == there.keys():
            there.update(arrays)
        else:
            raise ValueError(f"{where}: it must be all of {listed(there)} by name, got {shown(arrays)}")

    def initial(self, shape: tuple[int, ...], rng: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the first parameters and state, host arrays by name, for samples of this shape.

        rng: a numpy.random.Generator.  A layer that is always given its arrays need not have this.
        """
        return {}, {}

    def build(self, shape: tuple[int, ...], rng: Any = None, dtype: Any = None, backend: Any = None) -> None:
        """Make the parameters and the state, unless there are any, for samples of this shape.

        rng: a seed or numpy.random.Generator.  dtype: float32 or float64.  backend: a name or Backend.
        """
        if self.params or self.state:
            return
        where = f"{type(self).__name__}.build"
        shape = sizes(where, "shape", shape)
        backend, dtype = choose(backend, where).backend, network_dtype(dtype, where)
        made = self.initial(shape, generator(rng, where))
        require_initial(self, made)
        self.params, state = (
            {
                name: cast(where, name, host_array(where, name, a), dtype, backend)
                for name, a in arrays.items()
            }
            for arrays in made
        )
        if state:
            self.state = Arrays.gather(state)

    def check(self, x: Array) -> None:
        """Raise ValueError for an x of a shape that compute cannot take."""

    @runs_formulas
    def forward(self, x: Array, training: bool = True) -> Array:
        """Return the output; only in training keep what backward needs, and move the state.

        What is kept is not copied: an x, or an output, that is overwritten before `backward` makes its
        gradient that of the new values.
        """
        where = f"{type(self).__name__}.forward"
        if not self.params and type(self).initial is not Layer.initial:
            cure = "a network makes them, or layer.build(shape_of_a_sample)"
            raise RuntimeError(f"{where}: {self!r} has no arrays yet: {cure}")
        training, backend = flag(where, "training", training), require_alike(where, x=x, **self.params)
        self.check(x)
        stage = self._stage(backend, x)
        if not training:
            self._kept = EVALUATED
            return stage.evaluate(x)
        out = stage.forward(x)
        write(self.state.values(), stage.new_state)
        self._kept = stage, out
        return out

    @runs_formulas
    def backward(self, dout: Array) -> Array:
        """Return the gradient of x, and leave those of the parameters in `grads`.

        dout: the gradient of the output, in its shape and dtype.  It consumes what forward has kept.
        Raises RuntimeError without a forward in training before it, ValueError or TypeError for another dout.
        """
        where = f"{type(self).__name__}.backward"
        stage, out = self._recall(where)
        require_like(where, dout, out, out.shape, "the output")
        self._kept = CONSUMED
        if dout.dtype != out.dtype:
            stage.use_formulas()  # for a complex dout, since twins take real numbers only
        dx = stage.backward(dout)
        self.grads = dict(zip(self.params, stage.grads, strict=True))
        return dx

    def _stage(self, backend: Backend, x: Array) -> Stage:
        """Return this layer at work on x."""
        params = tuple(self.params.values())
        state = tuple(map(backend.copy, self.state.values()))  # since a formula may save it for backward
        alike = all(array.dtype == x.dtype for array in params)  # else a complex step is being taken
        found = link(backend, x.dtype if alike else None, self)
        return Stage(found, NewArrays(backend, x.dtype), params, state)

    def _recall(self, where: str) -> tuple[Any, ...]:
        """Return what forward has kept."""
        if isinstance(self._kept, str):
            raise RuntimeError(f"{where}: it needs a forward of its own before it, but {self._kept}")
        return self._kept

    # What was kept belongs to a backward of this very object; a copy starts without.
    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_kept": NEVER}

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def has_own_passes(layer: Any) -> bool:
    """Return whether forward or backward is its author's own: then they are what counts, not formulas."""
    passes = (getattr(layer, name, None) for name in ("forward", "backward"))
    return not all(
        getattr(each, "runs_formulas", False) is True and not hasattr(each, "__wrapped__") for each in passes
    )
