"""The base class of layers: named arrays and two pure functions, `compute` and `derive`."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from math import prod
from types import MappingProxyType
from typing import Any, TypeVar

from backends import AnyArray, Array, Backend, NewArrays, choose, host_array, kind, listed, one_backend, shown
from backprop.arrays.arrays import Arrays
from backprop.arrays.checks import flag, sizes
from backprop.arrays.dtypes import network_dtype
from backprop.arrays.entering import cast, require_alike
from backprop.arrays.initial_weights import Rule, initial_weights
from backprop.arrays.initializers import generator
from backprop.layers.requirements import require_initial, require_like
from backprop.layers.stage import Stage, link, write

NEVER = "no forward has run; call forward first"
EVALUATED = "the last forward ran with training=False, which keeps nothing; call forward without it first"
CONSUMED = "an earlier backward has used up the last forward; call forward again first"

F = TypeVar("F", bound=Callable[..., Any])


def runs_formulas(function: F) -> F:
    """Mark a forward or backward that only runs its layer's formulas, which a network may run itself."""
    function.runs_formulas = True  # type: ignore[attr-defined]
    return function


class Layer:
    """A differentiable function of arrays, given by formulas in a subclass.

    The formulas are methods::

        compute(self, xp, x, *params, *state)   ->  out, saved        (with state: out, saved, new state)
        derive(self, xp, dout, *saved)          ->  dx                (with parameters: dx, *their gradients)
        evaluate(self, xp, x, *params, *state)  ->  out in evaluation; by default (None) that of compute

    They are pure functions, written with the Array API namespace `xp`. They must be analytic in complex
    arrays: comparisons look at xp.real(x). saved and new state are tuples.

    `params` and `state` hold arrays by name, in the order in which compute takes them. `grads` holds the
    gradients of the parameters by the same names, new arrays after every `backward`.

    A layer with weights sets `weight_init_std` to their rule, or to None, which leaves the choice to the
    network, and draws them in `initial` by `draw_weights`. An activation may set `init_before` to "he" or
    "xavier", the rule that a network chooses for the layer in front.

    Parameters
    ----------
    state : dict of array, optional
        Arrays that a pass in training changes, such as running statistics. They are copied.
    **params : array
        Parameters by name, used without a copy.

    Examples
    --------
    >>> from backprop import check_gradients, xp
    >>> from backprop.layers import Layer
    >>> class Scale(Layer):
    ...     def compute(self, xp, x, w):
    ...         return x * w, (x, w)
    ...     def derive(self, xp, dout, x, w):
    ...         return dout * w, xp.sum(dout * x, axis=0)
    ...
    >>> check_gradients(Scale(w=xp.ones(3)), xp.ones((2, 3))).ok
    True
    """

    compute: Callable[..., Any]
    derive: Callable[..., Any]
    evaluate: Callable[..., Any] | None = None
    weight_init_std: Rule | None = 0.0  # that of a layer without weights
    init_before: str | None = None
    # Defaults, so that a subclass whose __init__ skips this one is a layer without arrays.
    state: Mapping[str, Array] = MappingProxyType({})
    grads: Mapping[str, Array] = MappingProxyType({})
    _kept: tuple[Any, ...] | str = NEVER

    def __init__(self, *, state: Mapping[str, Array] | None = None, **params: Array) -> None:
        if not isinstance(state, Mapping | None):
            raise TypeError(f"{type(self).__name__}: state must be arrays by name, got {shown(state)}")
        if params:
            one_backend(type(self).__name__, **params)
        self.params = params
        self.state = Arrays.gather(state, type(self).__name__) if state else {}
        self.grads = {}

    @property
    def params(self) -> MutableMapping[str, Array]:
        """The parameters by name. In a network, assigning copies into place."""
        found: MutableMapping[str, Array] = self.__dict__.setdefault("params", {})
        return found

    @params.setter
    def params(self, arrays: MutableMapping[str, Array]) -> None:
        there, where = self.params, f"{type(self).__name__}.params"
        if isinstance(arrays, Mapping) and "x" in arrays:
            raise ValueError(f"{where}: no parameter may be called x, which is the input")
        if not isinstance(there, Arrays):
            vars(self)["params"] = arrays
        elif isinstance(arrays, Mapping) and arrays.keys() == there.keys():
            there.update(arrays)
        else:
            raise ValueError(f"{where}: assign all of {listed(there)} by name, got {shown(arrays)}")

    def initial(self, shape: tuple[int, ...], rng: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the initial parameters and state, two dicts of host arrays, for samples of this shape.

        rng: a numpy.random.Generator. Integers in the state keep their dtype, if all of it has the same;
        everything else gets that of the network. A layer that is always constructed with its arrays need
        not define this.
        """
        return {}, {}

    def draw_weights(self, shape: tuple[int, ...], inputs: int, rng: Any) -> Any:
        """Return random weights by the rule in `weight_init_std`, a host array for `initial` to return.

        Parameters
        ----------
        shape : tuple of int
            Of the weights.
        inputs : int
            The number of values that each unit of the layer sums over.
        rng : numpy.random.Generator
        """
        rule = self.weight_init_std
        return initial_weights(type(self).__name__, "xavier" if rule is None else rule, shape, inputs, rng)

    def build(self, shape: tuple[int, ...], rng: Any = None, dtype: Any = None, backend: Any = None) -> None:
        """Create the parameters and the state for samples of this shape, unless the layer has some.

        Parameters
        ----------
        shape : tuple of int
            Shape of one sample.
        rng : int or numpy.random.Generator, optional
        dtype : str or dtype, optional
            float32 or float64.
        backend : str or Backend, optional
        """
        if self.params or self.state:
            return
        where = f"{type(self).__name__}.build"
        shape = sizes(where, "shape", shape)
        backend, dtype = choose(backend, where).backend, network_dtype(dtype, where)
        made = self.initial(shape, generator(rng, where))
        require_initial(self, made)
        params, state = ({name: host_array(where, name, a) for name, a in arrays.items()} for arrays in made)
        self.params = {name: cast(where, name, a, dtype, backend) for name, a in params.items()}
        if state:
            dtypes = {name: a.dtype if kind(a) in "iu" else dtype for name, a in state.items()}
            self.state = Arrays.gather(
                {name: cast(where, name, a, dtypes[name], backend) for name, a in state.items()}, where
            )

    def check(self, x: Array) -> None:
        """Raise ValueError if compute cannot take an x of this shape."""

    def check_training(self, x: Array) -> None:
        """Raise ValueError if an x of this shape, which compute can take, must not be trained on.

        A pass in training calls it, before compute and once for a shape; evaluation does not.
        """

    def multiply_adds(self, out_shape: tuple[int, ...]) -> int:
        """Return the multiplications with weights that one sample takes, for `net.summary()`.

        out_shape: shape of the output of one sample. By default the number of values in parameters with two
        or more axes, each used once. A layer that uses its weights several times overrides this.
        """
        return products(self.params.values())

    @runs_formulas
    def forward(self, x: AnyArray, training: bool = True) -> AnyArray:
        """Return the output. In training also keep what backward needs, and update the state.

        Arrays are kept without a copy: if x or the output is overwritten before `backward`, the gradient
        is that of the new values.
        """
        where = f"{type(self).__name__}.forward"
        if is_unbuilt(self):
            cure = "add it to a network, or call layer.build(shape_of_a_sample)"
            raise RuntimeError(f"{where}: {self!r} has no arrays yet: {cure}")
        training, backend = flag(where, "training", training), require_alike(where, x=x, **self.params)
        one_backend(where, **{**self.state, "x": x})
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
    def backward(self, dout: AnyArray) -> AnyArray:
        """Return the gradient with respect to x, and leave those of the parameters in `grads`.

        dout: the gradient with respect to the output, in its shape and dtype. Consumes what forward kept.
        Raises RuntimeError unless a forward in training came before, ValueError or TypeError for a wrong
        dout.
        """
        where = f"{type(self).__name__}.backward"
        stage, out = self._recall(where)
        require_like(where, dout, out, out.shape, "the output")
        self._kept = CONSUMED
        if dout.dtype != out.dtype:
            stage.use_formulas()  # for a complex dout, since twins take real numbers only
        dx: AnyArray = stage.backward(dout)
        self.grads = dict(zip(self.params, stage.grads, strict=True))
        return dx

    def _stage(self, backend: Backend, x: Array) -> Stage:
        """Return a Stage that runs this layer on x."""
        params = tuple(self.params.values())
        state = tuple(map(backend.copy, self.state.values()))  # a formula may save it for backward
        alike = all(array.dtype == x.dtype for array in params)  # not during a complex step
        found = link(backend, x.dtype if alike else None, self)
        return Stage(found, NewArrays(backend, x.dtype), params, state)

    def _recall(self, where: str) -> tuple[Any, ...]:
        """Return what forward kept; raise RuntimeError if there is nothing."""
        if isinstance(self._kept, str):
            raise RuntimeError(f"{where}: {self._kept}")
        return self._kept

    # A forward belongs to the backward of this very object, so copies and pickles leave it out. They also
    # leave out a function that has drawn the weights: a lambda cannot be pickled.
    def __getstate__(self) -> dict[str, Any]:
        state = {**vars(self), "_kept": NEVER}
        if self.params and callable(self.weight_init_std):
            state["weight_init_std"] = None
        return state

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def is_unbuilt(layer: Any) -> bool:
    """Return whether an object is a Layer that still waits for a network to create its arrays."""
    waits = isinstance(layer, Layer) and type(layer).initial is not Layer.initial
    return waits and not layer.params and not layer.state


def products(arrays: Iterable[Array]) -> int:
    """Return the number of values in arrays with two or more axes."""
    return sum(prod(array.shape) for array in arrays if len(array.shape) > 1)


def has_own_passes(layer: Any) -> bool:
    """Return whether forward or backward is user-defined, so that it is run instead of the formulas."""
    passes = (getattr(layer, name, None) for name in ("forward", "backward"))
    return not all(
        getattr(each, "runs_formulas", False) is True and not hasattr(each, "__wrapped__") for each in passes
    )
