"""The gradient check of functions: forward(x, w) -> (out, cache) and backward(dout, cache) -> (dx, dw)."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

from backends import describe
from backprop.gradient_check import signatures
from backprop.gradient_check.adapter import Adapter
from backprop.gradient_check.check import check_gradients
from backprop.gradient_check.report import GradientReport
from backprop.gradient_check.requirements import WHERE, is_array, is_numeric, is_real


def check_function(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    *arrays: Any,
    method: str = "complex",
    mode: str = "fast",
    rng: Any = 0,
    constants: Sequence[str] = (),
) -> GradientReport:
    """Compare the gradients that a function returns with its numerical derivatives, by every float array.

    forward: takes the arrays and returns (out, cache), out alone, or, without a backward, (loss, gradients).
    backward: takes dout and the cache, or dout and those of the arrays that it names; returns the gradients
    of the float arrays in their order.  None: forward returns them, as one array, in order or by name.
    arrays: what is no array, a dict of options, say, is passed on; each evaluation is given a copy.
    constants: the names of float arrays that have no gradient, such as targets.
    method, mode, rng: as for `check_gradients`, which also says what is raised.

    >>> import numpy as np
    >>> def affine(x, w, b):
    ...     return x @ w + b, (x, w)
    >>> def affine_back(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout, dout.sum(axis=0)
    >>> x, w, b = np.ones((5, 4)), np.ones((4, 3)), np.zeros(3)
    >>> report = check_function(affine, affine_back, x, w, b)
    >>> report.ok, [array.name for array in report.arrays]
    (True, ['x', 'w', 'b'])

    >>> def half_square(x):
    ...     return 0.5 * (x * x).sum(), 2.0 * x
    >>> check_function(half_square, None, x).ok
    False
    """
    if not callable(forward) or not (backward is None or callable(backward)):
        rule = "it takes a function, and its backward or None"
        raise TypeError(f"check_function: {rule}, got {describe(forward)} and {describe(backward)}")
    return check_gradients(
        Function(forward, backward), *arrays, method=method, mode=mode, rng=rng, constants=constants
    )


class Function(Adapter):
    """A function and its derivative as a layer, which keeps the cache between them."""

    _call = signatures.OF_DOUT

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any] | None) -> None:
        functions = SimpleNamespace(forward=forward, backward=backward, cache=None)
        super().__init__(functions, forward, backward or forward, lambda _: {}, lambda _: {})
        self.input_names = signatures.names(forward)

    @property
    def name(self) -> str:
        return self.passes.names[0]

    @property
    def wanted(self) -> tuple[int, ...]:
        return tuple(i for i, each in enumerate(self.inputs) if is_array(each) and is_real(each))

    def forward(self, *inputs: Any) -> Any:
        self.inputs = tuple(each if is_array(each) else deepcopy(each) for each in inputs)
        out, self.layer.cache = self.layer.forward(*self.inputs), None
        if self.layer.backward is None or isinstance(out, tuple):
            out, self.layer.cache = self._pair(out)
        self.output = out
        return out

    def _pair(self, returned: Any) -> tuple[Any, Any]:
        """Return output and cache, or loss and gradients.  Raises TypeError for anything but two."""
        if isinstance(returned, tuple) and len(returned) == 2:
            return returned
        rule = "(loss, gradients)" if self.layer.backward is None else "(out, cache)"
        got = f"{len(returned)} values" if isinstance(returned, tuple) else describe(returned)
        cure = f"wrap it in a function of the same arrays that returns {rule}"
        raise TypeError(f"{WHERE}: {self.name} must return {rule}, got {got}; {cure}")

    def backward(self, dout: Any) -> tuple[Any, ...]:
        backward, cache = self.layer.backward, self.layer.cache
        if backward is None:
            return self._in_order(cache, dout)
        if cache is not None:
            return self._in_order(backward(dout, cache))
        call = signatures.of_backward(backward, "backward", self.input_names, len(self.inputs))
        cure = f"check_function({self.name}, lambda {{}}: {self.passes.names[1]}({{}}), ...)"
        signatures.require_known(call, self.passes.names[1], cure)
        values = {signatures.DOUT: dout, signatures.OUT: self.output}
        return self._in_order(call(backward, self.inputs, values))

    def _in_order(self, gradients: Any, times: Any = 1.0) -> tuple[Any, ...]:
        """Return a gradient for each input, None for those that have none.

        Raises TypeError for a gradient of what is no array of floats.
        """
        if isinstance(gradients, Mapping):
            found = {i: gradients[name] for i, name in enumerate(self.input_names) if name in gradients}
        else:
            given = gradients if isinstance(gradients, (tuple, list)) else [gradients]
            owners = range(len(self.inputs)) if len(given) > len(self.wanted) else self.wanted
            found = dict(zip(owners, given, strict=False))
        for i in (i for i, each in found.items() if each is not None and i not in self.wanted):
            rule = f"{self.input_name(i)} is {describe(self.inputs[i])}, of which there is a gradient"
            raise TypeError(f"{WHERE}: {self.name}: {rule}; give an array of floats")
        scaled = {i: each * times if is_numeric(each) or is_real(each) else each for i, each in found.items()}
        return tuple(scaled.get(i) for i in range(len(self.inputs)))
