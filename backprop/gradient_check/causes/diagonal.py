"""The diagonal of a Jacobian in place of the whole, as in a softmax with backward dout · y · (1 - y)."""

from copy import copy

from backprop.arrays.entering import index_of
from backprop.gradient_check.causes.quotients import same
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import differ, random_like

ENTRIES = 8  # about how many are examined one by one


def diagonal_alone(comparison: Comparison, name: str) -> str:
    """Test whether backward multiplies dout by the diagonal of the Jacobian though forward mixes entries."""
    target, gradient, out = comparison.target, comparison.gradients[name], comparison.run.out
    if not target.honours_dout or target.is_loss or gradient.shape != out.shape or not gradient.any():
        return ""
    by, mixes = random_like(gradient, comparison.rng), False
    if differ(target.run(target.copy(), dout=by).gradients[name], by * gradient):
        return ""  # the dout of one entry changes the gradient of another
    for position in range(0, gradient.size, max(1, gradient.size // ENTRIES)):
        index = index_of(position, gradient.shape)
        alone = _single_output(comparison, index)
        if not same(float(gradient[tuple(index)]), alone.at_entry(name, index), comparison.method):
            return ""
        others = random_like(gradient, comparison.rng)
        others[tuple(index)] = 0.0
        noise = 1e3 * comparison.limit(0.0) + 1e-6 * float(abs(gradient).max())
        mixes = mixes or abs(alone.slope(name, others)) > noise
    if not mixes:
        return ""
    sums = out.sum(axis=-1)
    is_softmax = out.min() >= 0.0 and not differ(sums, 1.0 + 0.0 * sums)
    whose = "the softmax's Jacobian" if is_softmax else "the Jacobian"
    return f"backward uses only the diagonal of {whose}, but forward mixes entries"


def _single_output(comparison: Comparison, index: list[int]) -> Comparison:
    """Return the comparison of a single output entry times its dout."""
    one = copy(comparison.target)
    one.factors = 0.0 * comparison.target.factors
    one.factors[tuple(index)] = comparison.target.factors[tuple(index)]
    one.weights = one.backend.asarray(one.factors)
    return Comparison(one, comparison.run, comparison.method)
