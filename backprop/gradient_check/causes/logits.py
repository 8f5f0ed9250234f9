"""The gradient with respect to the logits, p - t, from a loss that takes the probabilities p."""

from typing import Any

from backends import to_numpy
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import component

PRECISION = 1e-4  # relative: losses of probabilities often have an epsilon


def gradient_of_logits(comparison: Comparison, name: str) -> str:
    """Test whether backward is a multiple of p - t, the derivative one of -t / p or (p - t) / (p (1 - p))."""
    target, gradient = comparison.target, comparison.gradients[name]
    if not target.is_loss or target.input_names[:1] != [name] or len(target.inputs) < 2:
        return ""
    p = to_numpy(target.inputs[0])
    t = _one_hot(target.inputs[1], p)
    if t is None or not (p.min() > 0.0 and p.max() < 1.0):
        return ""
    scale = float((gradient * (p - t)).sum() / ((p - t) * (p - t)).sum())
    if not scale or abs(gradient - scale * (p - t)).max() > 1e-9 * abs(gradient).max():
        return ""
    derivatives = {"-t / p": -t / p, "(p - t) / (p (1 - p))": (p - t) / (p * (1.0 - p))}
    for words, derivative in derivatives.items():
        if _is_multiple(comparison, name, derivative):
            said = "backward returns a multiple of p - t, the gradient for the logits"
            return f"{said}; forward takes the probabilities p, whose gradient is a multiple of {words}"
    return ""


def _one_hot(targets: Any, p: Any) -> Any:
    """Return targets as an array of the shape of p, one-hot for labels; None for anything else."""
    t = to_numpy(targets)
    if t.shape == p.shape:
        return t * 1.0
    if len(p.shape) != 2 or t.shape != p.shape[:1]:
        return None
    one_hot = 0.0 * p
    for row, label in enumerate(t.tolist()):
        one_hot[row, int(label)] = 1.0
    return one_hot


def _is_multiple(comparison: Comparison, name: str, candidate: Any) -> bool:
    """Return whether the derivative is a multiple of the candidate along every direction."""
    products = [(slope, *component(candidate, along)) for along, slope in comparison.probes(name)]
    square = sum(along * along for _, along, _ in products)
    factor = sum(slope * along for slope, along, _ in products) / square
    return all(
        abs(slope - factor * along) <= PRECISION * abs(factor) * size for slope, along, size in products
    )
