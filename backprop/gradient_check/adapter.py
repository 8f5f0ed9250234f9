"""Any object as a layer with `forward`, `backward`, `params` and `grads`, which the check can then run."""

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

RATE = 2.0**40  # so large that even a small gradient changes more than a weight's last digits
INPUT = "x"  # what the first input is called in a report


class Adapter:
    """Any object as a layer that `check_gradients` can check.

        check_gradients(Adapter(layer, forward="run", backward="run_back"), x)

    forward: a method's name, or a function of the layer and the inputs that returns the output.
    backward: a method's name, or a function of the layer and dout that returns the gradient of the first
    input, or a tuple of those of the first inputs.
    params, grads: an attribute's name, a list of such names, or a function of the layer that returns arrays
    by name; the gradients by the same names, or in a list in the same order.
    What is not given is recognized by the names that most people use. Functions take the layer, since the
    check works on copies of it.
    Raises TypeError where forward or backward is neither given nor known, and for what is none of these.

    >>> import numpy as np
    >>> from backprop import check_gradients
    >>> class Scale:
    ...     def __init__(self):
    ...         self.factor = np.ones(3)
    ...     def run(self, x):
    ...         self.x = x
    ...         return x * self.factor
    ...     def run_back(self, upstream):
    ...         self.slope = (upstream * self.x).sum(axis=0)
    ...         return upstream * self.factor
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

    only_for_checks = True  # a network takes the layer itself

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
                rule = f"{name} must take the layer, since the check works on copies of it"
                raise TypeError(f"Adapter: {rule}; give the method's name, {name}={given.__name__!r}")
        known_forward, known_backward = styles.passes(layer)
        self.layer = layer
        self.passes = Passes(layer, forward or known_forward, backward or known_backward)
        self.input_names = [INPUT, *self.passes.input_names[1:]]
        # Of a layer of the library all is known.
        self.is_told = any(each is not None for each in (forward, backward, params, grads))
        self.runs_formulas = isinstance(layer, Layer) and not has_own_passes(layer) and not self.is_told
        self.given = Given(
            styles.property_name(layer, styles.PARAMETERS) if params is None else params,
            styles.property_name(layer, styles.OF_GRADIENTS) if grads is None else grads,
        )
        self.found: list[Parameter] = []  # the parameters, where they are recognized
        self.inputs: tuple[Any, ...] = ()  # of the last forward
        self.output: Any = None  # of the same
        self.steps: dict[Place, Any] = {}  # what an update has subtracted, for a rate of 1
        self.updates: list[Reached] = []  # what backward changes at a rate that it is not told

    def __deepcopy__(self, memo: dict[int, Any]) -> "Adapter":
        return self.around(deepcopy(self.layer, memo))

    def around(self, layer: Any) -> "Adapter":
        """Return the same adapter around another layer of its kind."""
        copied = copy(self)
        copied.layer, copied.inputs, copied.output = layer, (), None
        return copied

    @property
    def name(self) -> str:
        """What it is called in a report."""
        return type(self.layer).__name__

    def input_name(self, i: int) -> str:
        """Return what an input is called in a report: *args have no names of their own."""
        return self.input_names[i] if i < len(self.input_names) else f"input {i + 1}"

    # ---------------------------------------------------------------------------------------- its passes

    def forward(self, *inputs: Any) -> Any:
        """Return the output."""
        self.inputs = inputs
        self.output = self.passes.forward(self.layer, inputs)
        return self.output

    def backward(self, dout: Any) -> Any:
        """Return the gradient of the first input, or a tuple of those of the first inputs.

        A layer that updates itself is put back. Where it is told a rate, its gradients are what it has
        subtracted, divided by the rate; a dx that it computes from the updated weights is then far off.
        """
        if not self.takes_rate and not self.updates:
            return self.passes.backward(self.layer, self.inputs, self.output, dout)
        before = Snapshot(self.layer)
        if self.updates:
            dx = self.passes.backward(self.layer, self.inputs, self.output, dout)
            before.restore([place for each in self.updates for place in each.places])
            return dx
        with quiet():  # for weights that far away
            dx = self.passes.backward(self.layer, self.inputs, self.output, dout, rate=RATE)
        self.steps = {place: step / RATE for place, step in before.steps().items()}
        before.restore()
        return dx

    @property
    def _call(self) -> Call:
        return self.passes.call(self.layer, len(self.inputs))

    @property
    def takes_rate(self) -> bool:
        """True if backward updates the layer at a rate that it is told."""
        return bool(self.passes.rate_attribute) or self._call.takes(signatures.RATE)

    @property
    def takes_dout(self) -> bool:
        """True unless backward takes nothing at all."""
        return self._call.is_derivative or self._call.takes(signatures.DOUT)

    @property
    def wanted(self) -> tuple[int, ...]:
        """The positions of the inputs that backward gives gradients of, as far as it is known beforehand."""
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
        """What the last backward left of their gradients, by name."""
        if self.given.as_grads is not None:
            return self.given.grads(self.layer, self.params)
        if self.takes_rate:
            return {each.name: self.steps.get(each.place) for each in self.found}
        return {each.name: each.gradient(self.layer) for each in self.found}
