"""A layer or a loss as a scalar function: the sum of its outputs times random factors, which are dout."""

from collections.abc import Iterator
from typing import Any

from backends import Array, describe, owner_of, to_numpy
from backprop.gradient_check.adapter import INPUT, Adapter
from backprop.gradient_check.dependence import same
from backprop.gradient_check.host_arrays import dout_like, on_host, quiet, random_like
from backprop.gradient_check.report import Verdict
from backprop.gradient_check.requirements import WHERE, is_array, is_real
from backprop.gradient_check.target import Run, Target, TargetCopy
from backprop.networks.columns import COLUMNS
from backprop.networks.jacobian import Place, acts_per_sample, width_of

ASSUMES_1 = Verdict("ok, ignores dout", "right for dout = 1, which it assumes: it can only end a chain")
OTHER_DOUT = -3.0
NOT_LINEAR = Verdict(
    "not linear in dout", "for -3 times the dout, backward does not return -3 times the gradient"
)


class LayerTarget(Target):
    """A layer or a loss with the inner product of forward's output and a random dout as the value."""

    honours_dout = True
    _spare: TargetCopy | None = None  # reused once, since copying is expensive

    def __init__(self, obj: Adapter, *given: Any) -> None:
        super().__init__(obj, *given)
        copied = self.copy()
        out = self._forward(copied)
        self.random.watch()
        self._spare = None if self._written(copied) else copied
        self.is_loss = not getattr(out, "shape", ())
        self.honours_dout = self.honours_dout and copied.obj.takes_dout
        self._weigh(random_like(to_numpy(out), self.rng) if self.honours_dout else to_numpy(1.0))
        self._dout_faults: list[Verdict] = []
        if self.is_loss and self.honours_dout:
            self._try_another_dout()

    def _weigh(self, factors: Any) -> None:
        self.factors, self.weights = factors, self.backend.asarray(factors)

    def _try_another_dout(self) -> None:
        """Record whether the gradients of a loss scale with dout; at the end of a chain it may assume 1."""
        first, other = (self.run(self.copy(), dout).gradients for dout in (1.0, OTHER_DOUT))
        pairs = [(first[n], other[n]) for n in first if is_array(first[n]) and is_array(other[n])]
        if pairs and all(same(a, b) for a, b in pairs):
            self.honours_dout, self.remark = False, ASSUMES_1
            self._weigh(to_numpy(1.0))
        elif not all(same(a, b) or same(OTHER_DOUT * a, b) for a, b in pairs):
            self._dout_faults = [NOT_LINEAR]

    def copy(self, dtype: str = "float64") -> TargetCopy:
        if self._spare is None or dtype != "float64":
            return super().copy(dtype)
        copied, self._spare = self._spare, None
        return copied

    def value(self, copied: TargetCopy) -> Any:
        out = self._forward(copied)
        if not getattr(out, "shape", ()):
            return out * float(self.factors)
        return self.backend.xp.sum(out * self.weights)

    def run(self, copied: TargetCopy, dout: Any = 1.0) -> Run:
        given_out = self._forward(copied)
        out = to_numpy(given_out).copy()
        expected = self.factors * dout
        given = dout_like(given_out, expected)
        dx = copied.obj.backward(given)
        grads = copied.obj.grads
        gradients = {name: on_host(grads.get(name)) for name in self.params}
        given_back = dx if isinstance(dx, tuple) else (dx,)
        given_back += (None,) * (len(self.inputs) - len(given_back))
        gradients |= {name: on_host(gradient) for name, gradient in self._wanted(given_back).items()}
        written = ["dout"] if (to_numpy(given) != expected).any() else []
        inputs = tuple(i for i in range(len(self.inputs)) if self._has_gradient(i, given_back[i]))
        with quiet():
            terms = float(abs(out * self.factors).sum())
        return Run(out, terms, gradients, written, inputs)

    def _has_gradient(self, i: int, gradient: Any) -> bool:
        """Return whether to compare an input: it is wanted, or backward returned a gradient for it."""
        is_constant = self.obj.input_name(i) in self.constants
        return i in self.wanted or not (gradient is None or is_constant) and is_real(self.inputs[i])

    def faults(self) -> list[Verdict]:
        if not self.obj.updates:
            return self._dout_faults
        changed = ", ".join(each.name for each in self.obj.updates)
        cure = "store the gradient, as self.dW, and update elsewhere; or take an argument learning_rate"
        return [*self._dout_faults, Verdict("updates itself", f"backward updates {changed} itself; {cure}")]

    def _forward(self, copied: TargetCopy) -> Any:
        copied.restore()
        out = copied.obj.forward(*copied.inputs)
        if not isinstance(out, (float, complex)) and owner_of(out) is not self.backend:
            raise TypeError(f"{WHERE}: {self.name}.forward must return one array, got {describe(out)}")
        return out

    def places(self, copied: TargetCopy) -> Iterator[Place]:
        layer, x, weights = copied.obj.layer, copied.inputs[0], self.weights
        if not acts_per_sample(layer) or not x.shape:
            return
        xp = self.backend.xp

        def value(out: Array) -> Array:
            rows = self.backend.arange(0, out.shape[0]) % weights.shape[0]
            terms = out * xp.take(weights, rows, axis=0)
            return xp.sum(self.backend.reshape(terms, (out.shape[0], -1)), axis=1)

        def value_at(x: Array) -> Array:
            return value(layer.forward(x, training=False))

        width = width_of(layer, x, weights)
        yield Place(None, {INPUT: self.input_names[0]}, x, value_at, width)
        if type(layer) in COLUMNS:
            yield Place(layer, {name: name for name in self.params}, x, value, width)


class LastLayerTarget(LayerTarget):
    """The last layer of a network, its loss, whose backward always gets a dout of 1."""

    honours_dout = False
