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
    """Compare the gradients that a function returns with its numerical derivatives, for every float array.

    Parameters
    ----------
    forward : callable
        Takes the arrays and returns (out, cache) or out alone; without a backward, (loss, gradients).
    backward : callable or None
        Takes dout and the cache, or dout and the arrays that its parameters name; returns the gradients of
        the float arrays in order. None if forward returns them: as one array, in order, or by name.
    *arrays : array
        Arguments of forward. Anything that is not an array, such as a dict of options, is passed on as a
        copy.
    method, mode, rng
        As for `check_gradients`.
    constants : sequence of str
        Names of float arrays that have no gradient, such as targets.

    Returns
    -------
    GradientReport

    Raises
    ------
    TypeError, ValueError
        As for `check_gradients`, and if forward or backward is not a function.

    Examples
    --------
    >>> import numpy as np
    >>> from backprop import check_function
    >>> def affine(x, w, b):
    ...     return x @ w + b, (x, w)
    ...
    >>> def affine_back(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout, dout.sum(axis=0)
    ...
    >>> x, w, b = np.ones((5, 4)), np.ones((4, 3)), np.zeros(3)
    >>> report = check_function(affine, affine_back, x, w, b)
    >>> report.ok, [array.name for array in report.arrays]
    (True, ['x', 'w', 'b'])

    >>> def half_square(x):
    ...     return 0.5 * (x * x).sum(), 2.0 * x
    ...
    >>> check_function(half_square, None, x).ok
    False
    """
    if not callable(forward) or not (backward is None or callable(backward)):
        rule = "forward must be a function, and backward a function or None"
        raise TypeError(f"check_function: {rule}, got {describe(forward)} and {describe(backward)}")
    return check_gradients(
        Function(forward, backward), *arrays, method=method, mode=mode, rng=rng, constants=constants
    )


class Function(Adapter):
    """A function and its derivative as a layer that keeps the cache between the two."""

    _call = signatures.DOUT_ALONE

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
        """Return output and cache, or loss and gradients. Raise TypeError unless there are two."""
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
        call = signatures.backward_call(backward, "backward", self.input_names, len(self.inputs))
        cure = f"check_function({self.name}, lambda {{}}: {self.passes.names[1]}({{}}), ...)"
        signatures.require_known(call, self.passes.names[1], cure)
        values = {signatures.DOUT: dout, signatures.OUT: self.output}
        return self._in_order(call(backward, self.inputs, values))

    def _in_order(self, gradients: Any, times: Any = 1.0) -> tuple[Any, ...]:
        """Return a gradient for each input, None for an input without one.

        Raise TypeError for a gradient of an input that is not an array of floats.
        """
        if isinstance(gradients, Mapping):
            found = {i: gradients[name] for i, name in enumerate(self.input_names) if name in gradients}
        else:
            given = gradients if isinstance(gradients, (tuple, list)) else [gradients]
            owners = range(len(self.inputs)) if len(given) > len(self.wanted) else self.wanted
            found = dict(zip(owners, given, strict=False))
        for i in (i for i, each in found.items() if each is not None and i not in self.wanted):
            rule = f"there is a gradient for {self.input_name(i)}, which is {describe(self.inputs[i])}"
            raise TypeError(f"{WHERE}: {self.name}: {rule}; pass an array of floats")
        scaled = {i: each * times if is_numeric(each) or is_real(each) else each for i, each in found.items()}
        return tuple(scaled.get(i) for i in range(len(self.inputs)))
