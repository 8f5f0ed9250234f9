"""The two passes of a layer, whatever their names and arguments."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from backends import describe
from backprop.gradient_check import cures, signatures, styles
from backprop.gradient_check.cures import Pass
from backprop.gradient_check.requirements import WHERE, is_array, is_numeric, is_value
from backprop.gradient_check.signatures import DOUT, OUT, PREDICTIONS, RATE, Call


class Passes:
    """The forward and backward of a layer, ready to call.

    forward: a method's name, or a function of the layer and the inputs.  backward: a method's name, or a
    function of the layer and dout. Raises TypeError if the layer has no such method.
    rate_attribute: the attribute with the learning rate of a backward that updates the layer and takes no
    rate.
    """

    def __init__(self, layer: Any, forward: Pass, backward: Pass) -> None:
        cures.require_passes(layer, forward, backward)
        self.names = [_name(layer, one) for one in (forward, backward)]
        self._forward, self._backward = forward, backward
        self.input_names = signatures.names(_method(layer, forward))
        self._clear = styles.method_name(layer, styles.CLEARING)
        self.rate_attribute = ""
        # Calls by the number of inputs, cached because inspecting signatures is slow.
        self._forward_calls: dict[int, Call] = {}
        self._backward_calls: dict[int, Call] = {}

    def forward(self, layer: Any, inputs: Sequence[Any]) -> Any:
        """Clear the gradients, if the layer has a method for that, and return the output.

        If forward returns None, return the output that the layer stores.
        Raise TypeError for anything but an array or a number.
        """
        if self._clear:
            getattr(layer, self._clear)()
        method = _method(layer, self._forward)
        if len(inputs) not in self._forward_calls:
            self._forward_calls[len(inputs)] = signatures.forward_call(method, len(inputs))
        out = self._forward_calls[len(inputs)](method, inputs)
        out = _kept(layer, styles.OUTPUTS) if out is None else out
        if not is_value(out):
            rule = f"{self.names[0]} must return one array, got {describe(out)}"
            cure = cures.choosing(layer, self._forward, self.input_names[: len(inputs)], out)
            raise TypeError(f"{WHERE}: {rule}; pass {cure} instead")
        return out

    def backward(self, layer: Any, inputs: Sequence[Any], out: Any, dout: Any, rate: float = 0.0) -> Any:
        """Return the gradient of an input, or a tuple of the gradients of the first inputs.

        out: forward's output.  rate: the learning rate for a layer that updates itself.
        """
        if self.rate_attribute:
            setattr(layer, self.rate_attribute, rate)
        call = self.call(layer, len(inputs))
        self._require_known(call)
        values = {DOUT: dout, RATE: rate, OUT: out, PREDICTIONS: self._predictions(layer, inputs)}
        dx = call(_method(layer, self._backward), inputs, values)
        dx = _kept(layer, styles.INPUT_GRADIENTS) if dx is None else dx
        if isinstance(dx, list) and all(each is None or is_array(each) for each in dx):
            dx = tuple(dx)
        self._require_of_inputs(layer, inputs, dx)
        if call.is_derivative:
            dx = _times(dout, dx)
        first = self.first(call, len(inputs))
        return dx if isinstance(dx, tuple) or not first else (*[None] * first, dx)

    def _require_known(self, call: Call) -> None:
        """Raise TypeError if backward needs an argument that is not recognized."""
        called = f"layer.{self._backward}({{}})" if isinstance(self._backward, str) else "...(layer, {})"
        cure = f"Adapter(layer, backward=lambda layer, {{}}: {called})"
        signatures.require_known(call, self.names[1], cure)

    def _require_of_inputs(self, layer: Any, inputs: Sequence[Any], dx: Any) -> None:
        """Raise TypeError if backward returns gradients of parameters after those of the inputs."""
        of_a_list = getattr(inputs[0], "shape", ())[:1]  # forward may take several inputs in one array
        if not isinstance(dx, tuple) or len(dx) <= len(inputs) or of_a_list == (len(dx),):
            return
        takes = signatures.names(_method(layer, self._backward))
        has_dout = self.call(layer, len(inputs)).takes(DOUT)
        params, input_count = cures.arrays_with_gradients(layer, inputs, dx)
        cure = cures.keeping(self._forward, self._backward, takes, has_dout, params, input_count)
        rule = f"{self.names[1]} returns {len(dx)} gradients, more than there are inputs"
        raise TypeError(f"{WHERE}: {rule}; name the parameters in order: {cure}")

    def _predictions(self, layer: Any, inputs: Sequence[Any]) -> Any:
        """Return the predictions of a loss: the output that it stores if the shape fits, else its input."""
        given = inputs[signatures.predicted(self.input_names[: len(inputs)])]
        kept = getattr(layer, "output", given)
        return kept if getattr(kept, "shape", None) == getattr(given, "shape", ()) else given

    def call(self, layer: Any, count: int) -> Call:
        """Return how backward is called after a forward with that many inputs."""
        if count not in self._backward_calls:
            name = self._backward if isinstance(self._backward, str) else ""
            call = signatures.backward_call(_method(layer, self._backward), name, self.input_names, count)
            self._backward_calls[count] = call
        return self._backward_calls[count]

    def first(self, call: Call, count: int) -> int:
        """Return the position of the first input with a gradient: 1 for the derivative of loss(t, y)."""
        return signatures.predicted(self.input_names[:count]) if call.is_derivative else 0


def _method(layer: Any, one: Pass) -> Callable[..., Any]:
    """Return a method of a layer, or a function bound to the layer."""
    return getattr(layer, one) if isinstance(one, str) else partial(one, layer)


def _name(layer: Any, one: Pass) -> str:
    """Return the name of a pass for a message."""
    if isinstance(one, str):
        return f"{type(layer).__name__}.{one}"
    return getattr(one, "__name__", describe(one))


def _kept(layer: Any, names: Sequence[str]) -> Any:
    """Return the first of these attributes that is an array, or None."""
    return next((value for name in names if is_array(value := getattr(layer, name, None))), None)


def _times(dout: Any, derivative: Any) -> Any:
    """Return dout times a derivative, which may have more axes; return anything but an array unchanged."""
    if isinstance(derivative, tuple):
        return tuple(_times(dout, each) for each in derivative)
    if not is_array(derivative) or not is_numeric(derivative):
        return derivative
    shape, wanted = getattr(dout, "shape", ()), derivative.shape
    if shape and len(shape) < len(wanted) and shape == wanted[: len(shape)]:
        dout = dout.reshape(*shape, *[1] * (len(wanted) - len(shape)))
    return dout * derivative
