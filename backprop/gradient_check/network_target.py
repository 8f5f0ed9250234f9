"""A network as a scalar function: its `loss`, and its `gradient`."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from backends import describe, to_numpy
from backprop.gradient_check.host_arrays import on_host
from backprop.gradient_check.requirements import WHERE
from backprop.gradient_check.target import Run, Target, TargetCopy
from backprop.networks import jacobian


class NetworkTarget(Target):
    """A network: its value is the loss; `gradient` is called with `input_gradient=True` if it takes that.

    Raises TypeError for a network with neither parameters nor a gradient of its input.
    """

    def __init__(self, obj: Any, inputs: list[Any], rng: Any, wanted: tuple[int, ...] = (0,)) -> None:
        super().__init__(obj, inputs, rng, wanted)
        takes = inspect.signature(obj.gradient).parameters
        self.options = {"input_gradient": True} if "input_gradient" in takes else {}
        self.training = {"training": True} if "training" in inspect.signature(obj.loss).parameters else {}
        if not self.params and not self.options:
            cure = "params, a mapping of arrays by name, or a gradient that takes input_gradient=True"
            raise TypeError(f"{WHERE}: there is nothing to compare: {self.name} needs {cure}")

    def copy(self, dtype: str = "float64") -> TargetCopy:
        copied = super().copy(dtype)
        if not self.options:
            del copied.arrays[self.input_names[0]]
        return copied

    def value(self, copied: TargetCopy) -> Any:
        copied.restore()
        return copied.obj.loss(*copied.inputs, **self.training)

    def run(self, copied: TargetCopy, dout: Any = 1.0) -> Run:
        out = to_numpy(self.value(copied))
        copied.restore()
        gradients = copied.obj.gradient(*copied.inputs, **self.options)
        if not isinstance(gradients, Mapping):
            rule = f"{self.name}.gradient must return a mapping by name"
            raise TypeError(f"{WHERE}: {rule}, got {describe(gradients)}")
        by_name = {name: on_host(gradients.get(name)) for name in copied.arrays}
        return Run(out, float(abs(out)) + self._largest_logit(copied), by_name)

    def _largest_logit(self, copied: TargetCopy) -> float:
        """Return the size of the logits: a loss may be smaller than they are and yet as inexact."""
        try:
            return float(abs(to_numpy(copied.obj.predict(copied.inputs[0]))).max())
        except Exception:  # not every network has such a predict
            return 0.0

    def places(self, copied: TargetCopy) -> Iterator[jacobian.Place]:
        return jacobian.places(copied.obj, *copied.inputs)

    def layers(self, copied: TargetCopy) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
        obj, (x, *rest) = copied.obj, copied.inputs
        layers = getattr(obj, "layers", None)
        if not isinstance(layers, Mapping):
            return
        for name, layer in layers.items():
            yield name, layer, (x,)
            x = layer.forward(x)
        last = getattr(obj, "loss_layer", None) or getattr(obj, "lastLayer", None)  # the book's name for it
        if last is not None:
            yield type(last).__name__, last, (x, *rest)  # the only one with labels
