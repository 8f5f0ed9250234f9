"""Diagnoses for a wrong gradient. Each test returns a one-line explanation, or "" if its hypothesis fails."""

from collections.abc import Callable

from backends import to_numpy
from backprop.gradient_check.causes.axes import wrong_axis
from backprop.gradient_check.causes.decay import weight_decay
from backprop.gradient_check.causes.diagonal import diagonal_alone
from backprop.gradient_check.causes.epsilon import epsilon
from backprop.gradient_check.causes.factors import constant_factor
from backprop.gradient_check.causes.logits import gradient_of_logits
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import differ, random_like

SMALL = 1e-4  # relative: faults such as ignoring dout make a larger difference


def _ignores_dout(comparison: Comparison, name: str) -> str:
    """Test whether backward returns the same gradient for a different dout."""
    target, gradient = comparison.target, comparison.gradients[name]
    if not target.honours_dout or not gradient.any():
        return ""
    other = target.run(comparison.copy_for("central"), dout=-0.7).gradients[name]
    return "" if differ(gradient, other) else "backward returns the same gradient for a different dout"


def _no_response(comparison: Comparison, name: str) -> str:
    """Test whether forward stays the same whatever the array holds."""
    target, copied, gradient = comparison.target, comparison.target.copy(), comparison.gradients[name]
    if comparison.method == "complex" and comparison.slopes[name][1] != 0.0:
        return ""
    values = to_numpy(copied.arrays[name]).copy()
    before = to_numpy(target.value(copied))
    for size in (1.0, 1.0 + 10.0 * float(abs(values).max())):
        for moved in (size * random_like(values, target.rng), -size * abs(values), size * abs(values)):
            copied.arrays[name][...] = target.backend.asarray(values + moved)
            if differ(before, to_numpy(target.value(copied))):
                return ""
    return f"forward does not change with {name}: does it use a copy?" if gradient.any() else ""


TESTS_OF_SMALL_GAPS: dict[str, Callable[[Comparison, str], str]] = {
    "epsilon in the loss": epsilon,
    "constant factor": constant_factor,
    "weight decay": weight_decay,
}
TESTS = {
    "gradient of the logits": gradient_of_logits,
    "ignores dout": _ignores_dout,
    "no response": _no_response,
    **TESTS_OF_SMALL_GAPS,
    "diagonal only": diagonal_alone,
    "wrong axis": wrong_axis,
}
