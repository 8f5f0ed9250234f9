"""Diagnoses for a wrong gradient. Each test returns a one-line explanation, or "" if its hypothesis fails."""

from collections.abc import Callable, Iterator
from itertools import combinations
from math import exp

from backends import to_numpy
from backprop.arrays.checks import index_of
from backprop.gradient_check.comparison import NOISE, Comparison
from backprop.gradient_check.host_arrays import SAME, component, differ, random_like
from backprop.gradient_check.target import Target
from backprop.numerical.gradient import H_CENTRAL

SMALL = 1e-4  # relative: a backward that ignores dout, say, is off by more
TOLERANCE = {"complex": 1e-8, "central": 1e-3}  # for quotients of derivatives


def _ignores_dout(comparison: Comparison, name: str) -> str:
    """Another dout gives the same gradient."""
    target, gradient = comparison.target, comparison.gradients[name]
    if not target.honours_dout or not gradient.any():
        return ""
    other = target.run(comparison.copy_for("central"), dout=-0.7).gradients[name]
    return "" if differ(gradient, other) else "backward gives the same gradient for another dout"


def _float32_noise(comparison: Comparison, name: str) -> str:
    """The gradient agrees to single precision, and forward or backward has no more than that."""
    target, gradient = comparison.target, comparison.gradients[name]
    direction, slope = comparison.slopes[name]
    largest = {int(abs(values).argmax()) for values in (gradient, gradient * direction)}
    if not any(comparison.is_off(name, index_of(position, gradient.shape)) for position in largest):
        return ""  # float32 noise would be in every entry
    scattered, size = comparison.noise(name)
    allowed = SMALL * component(gradient, direction)[1]
    of_forward = scattered > NOISE * size
    if of_forward:
        allowed += 100.0 * scattered / (H_CENTRAL if comparison.method == "central" else 1.0)
    if not comparison.gap(gradient, direction, slope)[0] <= allowed:
        return ""
    if of_forward:
        what = f"its values scatter by {scattered / size:.0e} of their size"
        return f"forward has single precision only: {what}"
    if gradient.dtype.itemsize < 8:
        return f"its gradient is {gradient.dtype}"
    if not target.honours_dout:
        return ""
    copied = comparison.copy_for("central")
    # Rounding to single precision commutes with a factor of 2, not with one of 1.1.
    others = [target.run(copied, dout=by).gradients[name] / by for by in (2.0, 1.1)]
    by_2, by_1_1 = (float(abs(other - gradient).max() / abs(gradient).max()) for other in others)
    if by_2 <= SAME and 1e-11 < by_1_1 < 1e-3:
        return f"backward has single precision only: of 1.1 times dout it is off by {by_1_1:.0e} of its size"
    return ""


def _no_response(comparison: Comparison, name: str) -> str:
    """Forward is the same whatever the array holds."""
    target, copied, gradient = comparison.target, comparison.target.copy(), comparison.gradients[name]
    values = to_numpy(copied.arrays[name]).copy()
    before = to_numpy(target.value(copied))
    for size in (1.0, 1.0 + 10.0 * float(abs(values).max())):
        for moved in (size * random_like(values, target.rng), -size * abs(values), size * abs(values)):
            copied.arrays[name][...] = target.backend.asarray(values + moved)
            if differ(before, to_numpy(target.value(copied))):
                return ""
    return f"forward does not change with {name}: does it hold a copy?" if gradient.any() else ""


def _epsilon(comparison: Comparison, name: str) -> str:
    """Backward is (p + ε) / p times the derivative: the loss is -log(p + ε), and backward that of -log p."""
    target = comparison.target
    if not target.is_loss:
        return ""
    estimates = _epsilon_of_samples(comparison, name) or _epsilon_of_entries(comparison, name)
    low, high = min(estimates, default=0.0), max(estimates, default=0.0)
    if not (len(estimates) > 1 and 0.0 < low <= high < 1e-2 and high - low <= 0.02 * high):
        return ""
    return f"the loss has an epsilon of {(low + high) / 2.0:.2g} in its logarithm, which backward leaves out"


def _epsilon_of_samples(comparison: Comparison, name: str) -> list[float]:
    """Estimate ε from the loss of single samples, which differ in p."""
    target, estimates, largest = comparison.target, [], 0.0
    samples = [target.of_samples(slice(n, n + 1)) for n in range(min(3, target.inputs[0].shape[0]))]
    for single in [*samples, samples[0].elsewhere(0.5)]:
        compared = _compared(single, comparison.method)
        factor = _factor(compared, name)
        if factor is None or factor <= 0.0:
            return []
        estimates.append(exp(-float(compared.run.out)) * (1.0 - 1.0 / factor))
        largest = max(largest, abs(factor - 1.0))
    direction, slope = comparison.slopes[name]
    along, size = component(comparison.gradients[name], direction)
    return estimates if abs(along - slope) <= 10.0 * largest * size else []  # else there is more wrong


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


def _constant_factor(comparison: Comparison, name: str) -> str:
    """Backward is a multiple of the derivative, and the same multiple at another input."""
    target, method = comparison.target, comparison.method
    factor = _factor(comparison, name)
    if factor is None or not _same(factor, _factor(_compared(target.elsewhere(0.9), method), name), method):
        return ""
    if abs(factor - 1.0) < 1e-4:
        return f"backward is 1 {factor - 1.0:+.3g} times the derivative"
    return f"backward is {factor:.6g} times the derivative{_meaning(comparison, name, factor)}"


def _meaning(comparison: Comparison, name: str, factor: float) -> str:
    """Return what a factor means, or "" if unknown; N and 1/N are confirmed with one sample fewer."""
    target, method = comparison.target, comparison.method
    if _same(factor, -1.0, method):
        return ": a wrong sign"
    if factor == 0.0:
        return ": nothing is passed back"
    fewer, size = _one_fewer(target)
    if fewer is None or not (_same(factor, size, method) or _same(factor, 1.0 / size, method)):
        return ""
    try:
        of_fewer = _factor(_compared(fewer, method), name)
    except Exception:  # an object may not accept fewer samples
        return ""
    if _same(of_fewer, size - 1, method):
        return ", the number of samples N: a division by N is missing"
    if _same(of_fewer, 1.0 / (size - 1), method):
        return ", 1/N for N samples: a division by N too many, or a mean in place of a sum"
    return ""


def _wrong_axis(comparison: Comparison, name: str) -> str:
    """A sum, a mean or a product that runs along another axis."""
    gradient, target = comparison.gradients[name], comparison.target
    is_square = len(gradient.shape) == 2 and gradient.T.shape == gradient.shape
    if is_square and comparison.agrees(name, gradient.T):
        return "it is right when transposed"
    for axes, words in choices_of_axes(len(gradient.shape)):
        one = gradient[tuple(slice(0, 1 if i in axes else size) for i, size in enumerate(gradient.shape))]
        stretched = gradient.size > one.size and not differ(gradient, one + 0.0 * gradient)
        if stretched and comparison.agrees(name, one):
            return f"it is summed over {words} and stretched"
    return _mixes_samples(target, name) if name in target.input_names else along_batch(comparison, name)


def along_batch(comparison: Comparison, name: str) -> str:
    """With fewer samples the gradient of a parameter has another shape, or none at all."""
    (fewer, _), shape = _one_fewer(comparison.target), comparison.gradients[name].shape
    if fewer is None:
        return ""
    try:
        got = fewer.run(fewer.copy()).gradients[name].shape
    except (ValueError, IndexError) as error:
        return f"with one sample fewer backward fails ({error}): it takes the batch for another axis"
    return f"with one sample fewer its shape is {got}: it runs along the batch" if got != shape else ""


def _mixes_samples(target: Target, name: str) -> str:
    """Forward keeps samples apart, but the dout of one sample changes the gradients of all the others."""
    fewer, samples = _one_fewer(target)
    if fewer is None or not target.honours_dout or target.is_loss:
        return ""
    run = target.run(target.copy())
    if run.out.shape[0] != samples or differ(fewer.run(fewer.copy()).out, run.out[:-1]):
        return ""
    dout = to_numpy([[1.0]] * (samples - 1) + [[2.0]]).reshape(samples, *[1] * (len(run.out.shape) - 1))
    changed = target.run(target.copy(), dout=dout).gradients[name] - run.gradients[name]
    if all(abs(changed[n]).max() > SAME * abs(changed).max() for n in range(samples - 1)):
        return "forward keeps samples apart, but the gradient of each depends on the dout of another"
    return ""


# ---------------------------------------------------------------------------------------------------- helpers


def _one_fewer(target: Target) -> tuple[Target | None, int]:
    """Return the target with one sample fewer, or None if it has only one, and how many samples it has."""
    samples = target.inputs[0].shape[0] if target.inputs[0].shape else 1
    return target.of_samples(slice(0, samples - 1)) if samples > 1 else None, samples


def _compared(target: Target, method: str) -> Comparison:
    return Comparison(target, target.run(target.copy()), method)


def _factor(comparison: Comparison, name: str) -> float | None:
    """Return the gradient's ratio to the derivative if it is the same along three directions, else None."""
    gradient = comparison.gradients[name]
    known = [comparison.slopes[name]] if name in comparison.slopes else []
    products = []  # for each direction: gradient along it, its size, derivative along it
    for _ in range(3):
        direction, slope = known.pop() if known else (random_like(gradient, comparison.rng), None)
        slope = comparison.slope(name, direction) if slope is None else slope
        products.append((*component(gradient, direction), slope))
    square = sum(slope * slope for _, _, slope in products)
    if not square > 1e6 * comparison.limit(0.0) ** 2:
        return None
    factor = sum(along * slope for along, _, slope in products) / square
    relative = {"complex": 1e-10, "central": 1e-5}[comparison.method]
    for along, size, slope in products:
        allowed = relative * (size + abs(factor * slope)) + comparison.limit(0.0)
        if not abs(along - factor * slope) <= allowed:
            return None
    return factor


def _same(a: float | None, b: float | None, method: str) -> bool:
    return a is not None and b is not None and abs(a - b) <= TOLERANCE[method] * max(abs(a), abs(b), 1e-3)


def choices_of_axes(count: int) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield all non-empty choices of axes, small ones first, each with its words: "axis 0", "axes 0, 1"."""
    for size in range(1, count + 1):
        for axes in combinations(range(count), size):
            yield axes, f"{'axis' if size == 1 else 'axes'} {', '.join(map(str, axes))}"


OF_A_SMALL_GAP: dict[str, Callable[[Comparison, str], str]] = {
    "float32 noise": _float32_noise,
    "epsilon in the loss": _epsilon,
    "constant factor": _constant_factor,
}
OF_ANY_GAP = {
    "ignores dout": _ignores_dout,
    "no response": _no_response,
    **OF_A_SMALL_GAP,
    "wrong axis": _wrong_axis,
}
