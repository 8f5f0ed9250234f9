"""A network under check: its `loss` and its `gradient`."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from backends import describe, to_numpy
from backprop.gradient_check.host_arrays import on_host
from backprop.gradient_check.requirements import WHERE
from backprop.gradient_check.subject import Run, Subject, Trial
from backprop.moves import Stage


class NetworkSubject(Subject):
    """A network: its loss is the number, and its `gradient` takes `input_gradient=True` where it can.

    Raises TypeError for one that has neither parameters nor a gradient of its input.
    """

    def __init__(self, obj: Any, inputs: list[Any], rng: Any, wanted: tuple[int, ...] = (0,)) -> None:
        super().__init__(obj, inputs, rng, wanted)
        takes = inspect.signature(obj.gradient).parameters
        self.options = {"input_gradient": True} if "input_gradient" in takes else {}
        if not self.params and not self.options:
            raise TypeError(
                f"{WHERE}: there is nothing to compare: {self.name} needs params, a mapping of arrays by "
                "name, or a gradient that takes input_gradient=True"
            )

    def trial(self, dtype: str = "float64") -> Trial:
        trial = super().trial(dtype)
        if not self.options:
            del trial.arrays[self.input_names[0]]
        return trial

    def value(self, trial: Trial) -> Any:
        return trial.obj.loss(*trial.inputs)

    def run(self, trial: Trial, dout: Any = 1.0) -> Run:
        out = to_numpy(self.value(trial))
        gradients = trial.obj.gradient(*trial.inputs, **self.options)
        if not isinstance(gradients, Mapping):
            raise TypeError(
                f"{WHERE}: {self.name}.gradient must return a mapping by name, got {describe(gradients)}"
            )
        by_name = {name: on_host(gradients.get(name)) for name in trial.arrays}
        return Run(out, float(abs(out)) + self._largest_logit(trial), by_name)

    def _largest_logit(self, trial: Trial) -> float:
        """The size of what a loss is summed from: it may be small itself, and as inexact as they are."""
        try:
            return float(abs(to_numpy(trial.obj.predict(trial.inputs[0]))).max())
        except Exception:  # a network of another kind
            return 0.0

    def stages(self, trial: Trial) -> Iterator[Stage]:
        return trial.obj.stages(*trial.inputs) if hasattr(trial.obj, "stages") else iter(())

    def layers(self, trial: Trial) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
        obj, (x, *rest) = trial.obj, trial.inputs
        layers = getattr(obj, "layers", None)
        if not isinstance(layers, Mapping):
            return
        for name, layer in layers.items():
            yield name, layer, (x,)
            x = layer.forward(x)
        last = getattr(obj, "loss_layer", None) or getattr(obj, "lastLayer", None)  # the book's name for it
        if last is not None:
            yield type(last).__name__, last, (x, *rest)  # the only one with labels
