"""A layer or a loss as a scalar function: the sum of its outputs times random factors, backward's `dout`."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from backends import Array, describe, owner_of, to_numpy
from backprop.gradient_check.host_arrays import on_host, random_like
from backprop.gradient_check.requirements import WHERE, is_array, is_real
from backprop.gradient_check.target import INPUT, Run, Target, TargetCopy
from backprop.networks.jacobian import COLUMNS, Place, acts_per_sample
from backprop.networks.own_passes import parameters_of


class LayerTarget(Target):
    """A layer or a loss: the inner product of forward's output with a random dout, and `backward`."""

    honours_dout = True
    _spare: TargetCopy | None = None  # reused once, since copying is expensive

    def __init__(self, obj: Any, inputs: list[Any], rng: Any, wanted: tuple[int, ...] = (0,)) -> None:
        super().__init__(obj, inputs, rng, wanted)
        if isinstance(obj, AttributeLayer):
            self.name = type(obj.layer).__name__
        copied = self.copy()
        out = self._forward(copied)
        self._spare = None if self._written(copied) else copied
        self._gives_arrays = hasattr(out, "shape")
        self.is_loss = not getattr(out, "shape", ())
        self.factors = random_like(to_numpy(out), rng) if self.honours_dout else to_numpy(1.0)
        self.weights = self.backend.asarray(self.factors)

    def copy(self, dtype: str = "float64") -> TargetCopy:
        if self._spare is None or dtype != "float64":
            return super().copy(dtype)
        copied, self._spare = self._spare, None
        return copied

    def value(self, copied: TargetCopy) -> Any:
        out = self._forward(copied)
        is_array = bool(getattr(out, "shape", ()))
        return self.backend.xp.sum(out * self.weights) if is_array else out * float(self.factors)

    def run(self, copied: TargetCopy, dout: Any = 1.0) -> Run:
        out = to_numpy(self._forward(copied)).copy()
        expected = self.factors * dout
        given = self.backend.asarray(expected.copy()) if self._gives_arrays else float(expected)
        dx = copied.obj.backward(given)
        grads = getattr(copied.obj, "grads", {})
        gradients = {name: on_host(grads.get(name)) for name in self.params}
        given_back = dx if isinstance(dx, tuple) else (dx,)
        given_back += (None,) * (len(self.inputs) - len(given_back))
        gradients |= {name: on_host(gradient) for name, gradient in self._wanted(given_back).items()}
        written = ["dout"] if (to_numpy(given) != expected).any() else []
        inputs = [i for i, x in enumerate(self.inputs) if not i or given_back[i] is not None and is_real(x)]
        return Run(out, float(abs(out * self.factors).sum()), gradients, written, tuple(inputs))

    def _forward(self, copied: TargetCopy) -> Any:
        copied.restore()
        out = copied.obj.forward(*copied.inputs)
        if not isinstance(out, (float, complex)) and owner_of(out) is not self.backend:
            raise TypeError(f"{WHERE}: {self.name}.forward must return one array, got {describe(out)}")
        return out

    def places(self, copied: TargetCopy) -> Iterator[Place]:
        layer, x, weights = copied.obj, copied.inputs[0], self.weights
        if not acts_per_sample(layer) or not x.shape:
            return
        xp = self.backend.xp

        def value(out: Array) -> Array:
            rows = self.backend.arange(0, out.shape[0]) % weights.shape[0]
            terms = out * xp.take(weights, rows, axis=0)
            return xp.sum(self.backend.reshape(terms, (out.shape[0], -1)), axis=1)

        def value_at(x: Array) -> Array:
            return value(layer.forward(x, training=False))

        width = prod(weights.shape[1:])
        yield Place(None, {INPUT: self.input_names[0]}, x, value_at, width)
        if type(layer) in COLUMNS:
            yield Place(layer, {name: name for name in self.params}, x, value, width)

    def of_attributes(self, copied: TargetCopy) -> Target | None:
        found = {} if hasattr(self.obj, "params") else parameters_of(self.obj, copied.obj)
        params = {name: array for name, array in found.items() if is_array(array)}
        if not params:
            return None
        return type(self)(AttributeLayer(self.obj, params), self.inputs, self.rng, self.wanted)


class AttributeLayer:
    """A layer as the book writes it, with attributes W, b and dW, db, as one with `params` and `grads`."""

    def __init__(self, layer: Any, params: Mapping[str, Array]) -> None:
        self.layer, self.params = layer, params
        self.forward, self.backward = layer.forward, layer.backward

    @property
    def grads(self) -> dict[str, Any]:
        """The gradients that the last backward left."""
        return {name: getattr(self.layer, f"d{name}", None) for name in self.params}


class LastLayerTarget(LayerTarget):
    """The last layer of a network, its loss: backward is always given a dout of 1."""

    honours_dout = False
