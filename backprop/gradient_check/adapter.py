"""An adapter: any object as a layer with `forward`, `backward`, `params` and `grads`."""

from copy import copy, deepcopy
from types import MethodType
from typing import Any

from backends import shown
from backprop.gradient_check import signatures, styles
from backprop.gradient_check.cures import Pass
from backprop.gradient_check.given import Arrays, Given
from backprop.gradient_check.host_arrays import quiet
from backprop.gradient_check.parameters import Parameter
from backprop.gradient_check.passes import Passes
from backprop.gradient_check.places import Place, Reached, at
from backprop.gradient_check.requirements import require_no_class
from backprop.gradient_check.signatures import Call
from backprop.gradient_check.snapshot import Snapshot
from backprop.layers.layer import Layer, has_own_passes

RATE = 2.0**40  # so large that even a small gradient changes a weight by more than rounding
INPUT = "x"  # the name of the first input in a report


class Adapter:
    """An adapter that presents any object as a layer to `check_gradients`.

    ::

        check_gradients(Adapter(layer, forward="run", backward="run_back"), x)

    Whatever is left out is recognized by the usual names. Functions take the layer as their first argument,
    because the check works on copies of it.

    Parameters
    ----------
    layer : object
        The object to check; not its class.
    forward : str or callable
        A method's name, or a function of the layer and the inputs that returns the output.
    backward : str or callable
        A method's name, or a function of the layer and dout that returns the gradient of the first input, or
        a tuple of the gradients of the first inputs.
    params : str, sequence of str or callable
        An attribute's name, a list of attribute names, or a function of the layer that returns arrays by
        name or in a list.
    grads : str, sequence of str or callable
        The gradients in the same form: under the names of the parameters, or in a list in their order.

    Raises
    ------
    TypeError
        If forward or backward is neither given nor recognized, or an argument has another type.

    Examples
    --------
    >>> import numpy as np
    >>> from backprop import Adapter, check_gradients
    >>> class Scale:
    ...     def __init__(self):
    ...         self.factor = np.ones(3)
    ...     def run(self, x):
    ...         self.x = x
    ...         return x * self.factor
    ...     def run_back(self, upstream):
    ...         self.slope = (upstream * self.x).sum(axis=0)
    ...         return upstream * self.factor
    ...
    >>> layer = Adapter(Scale(), forward="run", backward="run_back", params=["factor"], grads=["slope"])
    >>> report = check_gradients(layer, np.ones((2, 3)))
    >>> report.ok, [array.name for array in report.arrays]
    (True, ['factor', 'x'])

    >>> layer = Adapter(
    ...     Scale(),
    ...     forward=lambda layer, x: layer.run(x),
    ...     backward=lambda layer, dout: layer.run_back(dout),
    ...     params=lambda layer: {"w": layer.factor},
    ...     grads=lambda layer: {"w": 2.0 * layer.slope},
    ... )
    >>> [(array.name, array.ok) for array in check_gradients(layer, np.ones((2, 3))).arrays]
    [('w', False), ('x', True)]
    """

    only_for_checks = True  # a network refuses it and takes the layer itself

    def __init__(
        self,
        layer: Any,
        forward: Pass | None = None,
        backward: Pass | None = None,
        params: Arrays | None = None,
        grads: Arrays | None = None,
    ) -> None:
        require_no_class(layer)
        for name, given in (("forward", forward), ("backward", backward)):
            is_function = callable(given) and not isinstance(given, type)
            if not (given is None or isinstance(given, str) or is_function):
                raise TypeError(f"Adapter: {name} must be a method's name or a function, got {shown(given)}")
            if isinstance(given, MethodType) and given.__self__ is layer:
                rule = f"{name} must take the layer, because the check works on copies of it"
                raise TypeError(f"Adapter: {rule}; pass the method's name, {name}={given.__name__!r}")
        known_forward, known_backward = styles.passes(layer)
        self.layer = layer
        self.passes = Passes(layer, forward or known_forward, backward or known_backward)
        self.input_names = [INPUT, *self.passes.input_names[1:]]
        # A layer of the library needs no recognition.
        self.is_explicit = any(each is not None for each in (forward, backward, params, grads))
        self.runs_formulas = isinstance(layer, Layer) and not has_own_passes(layer) and not self.is_explicit
        self.given = Given(
            styles.property_name(layer, styles.PARAMETERS) if params is None else params,
            styles.property_name(layer, styles.GRADIENT_CONTAINERS) if grads is None else grads,
        )
        self.found: list[Parameter] = []  # the recognized parameters
        self.inputs: tuple[Any, ...] = ()  # those of the last forward
        self.output: Any = None  # that of the last forward
        self.steps: dict[Place, Any] = {}  # what an update subtracts at a rate of 1
        self.updates: list[Reached] = []  # arrays that backward updates at a rate that the check cannot set

    def __deepcopy__(self, memo: dict[int, Any]) -> "Adapter":
        return self.around(deepcopy(self.layer, memo))

    def around(self, layer: Any) -> "Adapter":
        """Return the same adapter around another layer of its kind."""
        copied = copy(self)
        copied.layer, copied.inputs, copied.output = layer, (), None
        return copied

    @property
    def name(self) -> str:
        """The layer's name in a report."""
        return type(self.layer).__name__

    def input_name(self, i: int) -> str:
        """Return an input's name in a report, "input 2" if forward takes `*args`."""
        return self.input_names[i] if i < len(self.input_names) else f"input {i + 1}"

    # ---------------------------------------------------------------------------------------- its passes

    def forward(self, *inputs: Any) -> Any:
        """Return the output."""
        self.inputs = inputs
        self.output = self.passes.forward(self.layer, inputs)
        return self.output

    def backward(self, dout: Any) -> Any:
        """Return the gradient of the first input, or a tuple of the gradients of the first inputs.

        A layer that updates itself is restored. If it takes a learning rate, its gradients are what it has
        subtracted, divided by the rate. The rate is huge, so a dx computed from updated weights is far off.
        """
        if not self.takes_rate and not self.updates:
            return self.passes.backward(self.layer, self.inputs, self.output, dout)
        before = Snapshot(self.layer)
        if self.updates:
            dx = self.passes.backward(self.layer, self.inputs, self.output, dout)
            before.restore([place for each in self.updates for place in each.places])
            return dx
        with quiet():  # the updated weights are huge
            dx = self.passes.backward(self.layer, self.inputs, self.output, dout, rate=RATE)
        self.steps = {place: step / RATE for place, step in before.steps().items()}
        before.restore()
        return dx

    @property
    def _call(self) -> Call:
        return self.passes.call(self.layer, len(self.inputs))

    @property
    def takes_rate(self) -> bool:
        """True if backward updates the layer at a learning rate that the check can set."""
        return bool(self.passes.rate_attribute) or self._call.takes(signatures.RATE)

    @property
    def takes_dout(self) -> bool:
        """True unless backward takes nothing at all."""
        return self._call.is_derivative or self._call.takes(signatures.DOUT)

    @property
    def wanted(self) -> tuple[int, ...]:
        """The positions of the inputs that have a gradient, as far as is known before a run."""
        return (self.passes.first(self._call, len(self.inputs)),)

    # ---------------------------------------------------------------------------------------- its arrays

    @property
    def params(self) -> dict[str, Any]:
        """The parameters by name."""
        if self.given.as_params is not None:
            return self.given.params(self.layer)
        return {each.name: at(self.layer, each.place) for each in self.found}

    @property
    def grads(self) -> dict[str, Any]:
        """The gradients that the last backward left, by parameter name."""
        if self.given.as_grads is not None:
            return self.given.grads(self.layer, self.params)
        if self.takes_rate:
            return {each.name: self.steps.get(each.place) for each in self.found}
        return {each.name: each.gradient(self.layer) for each in self.found}
