"""A layer or a loss under check: its number is the sum of its outputs, each times a random factor.

Those factors are its `dout` then.
"""

from collections.abc import Iterator
from math import prod
from typing import Any

from backends import Array, describe, owner_of, to_numpy
from backprop.gradient_check.attribute_layer import AttributeLayer, names_of_parameters
from backprop.gradient_check.host_arrays import on_host, random_like
from backprop.gradient_check.requirements import WHERE, is_real
from backprop.gradient_check.subject import INPUT, Run, Subject, Trial
from backprop.moves import Stage


class LayerSubject(Subject):
    """A layer or a loss: the inner product of forward's output with a random dout, and `backward`."""

    honours_dout = True
    _spare: Trial | None = None  # to be used once more: copies are dear

    def __init__(self, obj: Any, inputs: list[Any], rng: Any, wanted: tuple[int, ...] = (0,)) -> None:
        super().__init__(obj, inputs, rng, wanted)
        if isinstance(obj, AttributeLayer):
            self.name = type(obj.layer).__name__
        trial = self.trial()
        out = self._forward(trial)
        self._spare = None if self._written(trial) else trial
        self._gives_arrays = hasattr(out, "shape")
        self.is_loss = not getattr(out, "shape", ())
        self.factors = self._factors(to_numpy(out))
        self.weights = self.backend.asarray(self.factors)

    def _factors(self, out: Any) -> Any:
        return random_like(out, self.rng)

    def trial(self, dtype: str = "float64") -> Trial:
        if self._spare is None or dtype != "float64":
            return super().trial(dtype)
        trial, self._spare = self._spare, None
        return trial

    def value(self, trial: Trial) -> Any:
        out = self._forward(trial)
        return (
            self.backend.inner(out, self.weights) if getattr(out, "shape", ()) else out * float(self.factors)
        )

    def run(self, trial: Trial, dout: Any = 1.0) -> Run:
        out = to_numpy(self._forward(trial)).copy()
        given, expected = self._dout(dout), self.factors * dout
        dx = trial.obj.backward(given)
        grads = getattr(trial.obj, "grads", {})
        gradients = {name: on_host(grads.get(name)) for name in self.params}
        given_back = dx if isinstance(dx, tuple) else (dx,)
        given_back += (None,) * (len(self.inputs) - len(given_back))
        gradients |= {name: on_host(gradient) for name, gradient in self._wanted(given_back).items()}
        written = ["dout"] if (to_numpy(given) != expected).any() else []
        others = [
            i for i, data in enumerate(self.inputs) if i and given_back[i] is not None and is_real(data)
        ]
        return Run(out, float(abs(out * self.factors).sum()), gradients, written, (0, *others))

    def _forward(self, trial: Trial) -> Any:
        out = trial.obj.forward(*trial.inputs)
        if not isinstance(out, (float, complex)) and owner_of(out) is not self.backend:
            raise TypeError(f"{WHERE}: {self.name}.forward must return one array, got {describe(out)}")
        return out

    def _dout(self, factor: Any) -> Any:
        """A dout of its own for every backward, which may write into it."""
        dout = self.factors * factor
        return self.backend.asarray(dout) if self._gives_arrays else float(dout)

    def stages(self, trial: Trial) -> Iterator[Stage]:
        layer, x, weights = trial.obj, trial.inputs[0], self.weights
        if not getattr(layer, "samplewise", False) or not x.shape:
            return

        def value(out: Array) -> Array:
            rows = self.backend.arange(0, out.shape[0]) % weights.shape[0]
            return self.backend.row_sums(out * self.backend.gather(weights, rows))

        def value_at(x: Array) -> Array:
            return value(layer.forward(x, training=False))

        width = prod(weights.shape[1:])
        yield Stage(None, {INPUT: self.input_names[0]}, x, value_at, width)
        if hasattr(layer, "moves"):
            yield Stage(layer, {name: name for name in self.params}, x, value, width)

    def of_attributes(self, trial: Trial) -> Subject | None:
        names = [] if hasattr(self.obj, "params") else names_of_parameters(self.obj, trial.obj)
        if not names:
            return None
        return type(self)(AttributeLayer(self.obj, names), self.inputs, self.rng, self.wanted)


class LastLayerSubject(LayerSubject):
    """The loss of a network, which asks it for the gradient of the loss itself: its dout is always 1."""

    honours_dout = False

    def _factors(self, out: Any) -> Any:
        return to_numpy(1.0)
