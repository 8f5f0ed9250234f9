"""An epsilon in the logarithm of a loss, which backward leaves out."""

from math import exp

from backprop.arrays.entering import index_of
from backprop.gradient_check.causes.quotients import compared, factor_of
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import component
from backprop.gradient_check.network_target import NetworkTarget

SAMPLES = 100  # at most, examined one by one
MAX_ESTIMATES = 4


def epsilon(comparison: Comparison, name: str) -> str:
    """Test whether backward is (p + ε) / p times the derivative: that of -log p for a loss -log(p + ε)."""
    target = comparison.target
    if not target.is_loss:
        return ""
    estimates = _epsilon_of_samples(comparison, name) or _epsilon_of_entries(comparison, name)
    low, high = min(estimates, default=0.0), max(estimates, default=0.0)
    if not (len(estimates) > 1 and 0.0 < low <= high < 1e-2 and high - low <= 0.02 * high):
        return ""
    number = f"{(low + high) / 2.0:.2g}"
    if isinstance(target, NetworkTarget):  # another term, such as weight decay, would distort p
        epsilon_in = f"an epsilon in its logarithm ({number} if nothing else is wrong)"
        return f"the loss has {epsilon_in}, which backward leaves out"
    return f"the loss has an epsilon of {number} in its logarithm, which backward leaves out"


def _epsilon_of_samples(comparison: Comparison, name: str) -> list[float]:
    """Estimate ε from the losses of single samples, which differ in p."""
    target = comparison.target
    estimates: list[float] = []
    samples = [target.with_samples(slice(n, n + 1)) for n in range(min(SAMPLES, target.inputs[0].shape[0]))]
    for single in [samples[0].elsewhere(0.5), *samples]:
        alone = compared(single, comparison.method)
        if not alone.gradients[name].any():  # all units are dead for this sample
            continue
        if len(estimates) == MAX_ESTIMATES:
            break
        factor = factor_of(alone, name)
        if factor is None or factor <= 0.0:
            return []
        estimates.append(exp(-float(alone.run.out)) * (1.0 - 1.0 / factor))
    if not estimates:
        return []
    p_and_epsilon = min(exp(-float(single.run(single.copy()).out)) for single in samples)
    largest = max(estimates) / abs(p_and_epsilon - max(estimates))  # (p + ε) / p - 1
    direction, slope = comparison.slopes[name]
    along, size = component(comparison.gradients[name], direction)
    return estimates if abs(along - slope) <= 10.0 * largest * size else []  # ε does not explain it all


def _epsilon_of_entries(comparison: Comparison, name: str) -> list[float]:
    """Estimate ε from entries of a loss that is a sum over elements, where N · gradient is p - 1 or 1 - p."""
    target, gradient, estimates = comparison.target, comparison.gradients[name], []
    if name not in target.input_names or not target.honours_dout:
        return []
    scale = gradient.shape[0] / float(target.factors)
    for position in range(min(8, gradient.size)):
        index = index_of(position, gradient.shape)
        backward = float(gradient[tuple(index)])
        p = 1.0 - abs(scale * backward)
        estimates.append(p * (backward / comparison.at_entry(name, index) - 1.0))
    return estimates
