"""Suspicions of why a gradient is wrong, each with the test that confirms it: its sentence, or nothing."""

from collections.abc import Callable, Iterator
from itertools import combinations
from math import exp, prod
from typing import Any

from backends import to_numpy
from backprop.gradient_check.comparison import NOISE, Comparison
from backprop.gradient_check.host_arrays import index_of, random_like
from backprop.gradient_check.subject import Subject
from backprop.numerical_gradient import H_CENTRAL

SMALL = 1e-4  # relative: what ignores dout, say, is off by more
SAME = 1e-12  # relative: two runs of the same computation may differ by their order of summation
TOLERANCE = {"complex": 1e-8, "central": 1e-3}  # for what follows from quotients of derivatives


def _ignores_dout(comparison: Comparison, name: str) -> str:
    """Another dout gives the same gradient."""
    subject, gradient = comparison.subject, comparison.gradients[name]
    if not subject.honours_dout or not gradient.any():
        return ""
    other = subject.run(comparison.trial("central"), dout=-0.7).gradients[name]
    return "" if differ(gradient, other) else "backward gives the same gradient for another dout"


def _float32_noise(comparison: Comparison, name: str) -> str:
    """The gradient agrees to single precision, and forward or backward has no more than that."""
    subject, gradient = comparison.subject, comparison.gradients[name]
    direction, slope = comparison.slopes[name]
    largest = {int(abs(values).argmax()) for values in (gradient, gradient * direction)}
    if not any(_is_off(comparison, name, index_of(position, gradient.shape)) for position in largest):
        return ""  # such noise is everywhere
    scattered, size = comparison.noise(name)
    allowed = SMALL * float(((gradient * direction) ** 2).sum()) ** 0.5
    of_forward = scattered > NOISE * size
    if of_forward:
        allowed += 100.0 * scattered / (H_CENTRAL if comparison.method == "central" else 1.0)
    if not comparison.gap(gradient, direction, slope)[0] <= allowed:
        return ""
    if of_forward:
        return (
            f"forward has single precision only: its values scatter by {scattered / size:.0e} of their size"
        )
    if gradient.dtype.itemsize < 8:
        return f"its gradient is {gradient.dtype}"
    if not subject.honours_dout:
        return ""
    trial = comparison.trial("central")
    # Rounding to single precision commutes with a factor of 2, not with one of 1.1.
    off = [
        float(abs(subject.run(trial, dout=by).gradients[name] / by - gradient).max())
        / float(abs(gradient).max())
        for by in (2.0, 1.1)
    ]
    if off[0] <= SAME and 1e-11 < off[1] < 1e-3:
        return f"backward has single precision only: of 1.1 times dout it is off by {off[1]:.0e} of its size"
    return ""


def _is_off(comparison: Comparison, name: str, index: list[int]) -> bool:
    backward = float(comparison.gradients[name][tuple(index)])
    return not abs(backward - comparison.at_entry(name, index)) <= comparison.limit(abs(backward))


def _no_response(comparison: Comparison, name: str) -> str:
    """Forward is the same whatever the array holds."""
    subject, trial, gradient = comparison.subject, comparison.subject.trial(), comparison.gradients[name]
    values = to_numpy(trial.arrays[name]).copy()
    before = to_numpy(subject.value(trial))
    for size in (1.0, 1.0 + 10.0 * float(abs(values).max())):
        for moved in (size * random_like(values, subject.rng), -size * abs(values), size * abs(values)):
            trial.arrays[name][...] = subject.backend.asarray(values + moved)
            if differ(before, to_numpy(subject.value(trial))):
                return ""
    return f"forward does not change with {name}: does it hold a copy?" if gradient.any() else ""


def _epsilon(comparison: Comparison, name: str) -> str:
    """Backward is (p + ε) / p times the derivative, as it is of a loss -log(p + ε) = -log p to backward."""
    subject = comparison.subject
    if not subject.is_loss:
        return ""
    estimates = _epsilon_of_samples(comparison, name) or _epsilon_of_entries(comparison, name)
    low, high = min(estimates, default=0.0), max(estimates, default=0.0)
    if not (len(estimates) > 1 and 0.0 < low <= high < 1e-2 and high - low <= 0.02 * high):
        return ""
    return f"the loss has an epsilon of {(low + high) / 2.0:.2g} in its logarithm, which backward leaves out"


def _epsilon_of_samples(comparison: Comparison, name: str) -> list[float]:
    """ε from the loss of single samples, which differ in p."""
    subject, estimates, largest = comparison.subject, [], 0.0
    samples = [subject.of_samples(slice(n, n + 1)) for n in range(min(3, subject.inputs[0].shape[0]))]
    for single in [*samples, samples[0].elsewhere(0.5)]:
        compared = _compared(single, comparison.method)
        factor = _factor(compared, name)
        if factor is None or factor <= 0.0:
            return []
        estimates.append(exp(-float(compared.run.out)) * (1.0 - 1.0 / factor))
        largest = max(largest, abs(factor - 1.0))
    direction, slope = comparison.slopes[name]
    terms = comparison.gradients[name] * direction
    explained = 10.0 * largest * float((terms * terms).sum()) ** 0.5
    return estimates if abs(float(terms.sum()) - slope) <= explained else []  # else it is not all


def _epsilon_of_entries(comparison: Comparison, name: str) -> list[float]:
    """ε from entries of a loss that is a sum over elements, N · gradient being p - 1 or 1 - p."""
    subject, gradient, estimates = comparison.subject, comparison.gradients[name], []
    if name not in subject.input_names or not subject.honours_dout:
        return []
    scale = gradient.shape[0] / float(subject.factors)
    for position in range(min(8, gradient.size)):
        index = index_of(position, gradient.shape)
        backward = float(gradient[tuple(index)])
        p = 1.0 - abs(scale * backward)
        estimates.append(p * (backward / comparison.at_entry(name, index) - 1.0))
    return estimates


def _constant_factor(comparison: Comparison, name: str) -> str:
    """Backward is a multiple of the derivative, and the same multiple at another input."""
    subject, method = comparison.subject, comparison.method
    factor = _factor(comparison, name)
    if factor is None or not _same(factor, _factor(_compared(subject.elsewhere(0.9), method), name), method):
        return ""
    if abs(factor - 1.0) < 1e-4:
        return f"backward is 1 {factor - 1.0:+.3g} times the derivative"
    return f"backward is {factor:.6g} times the derivative{_meaning(comparison, name, factor)}"


def _meaning(comparison: Comparison, name: str, factor: float) -> str:
    """What a factor stands for; that it is N or 1/N is tried with one sample fewer."""
    subject, method = comparison.subject, comparison.method
    if _same(factor, -1.0, method):
        return ": a wrong sign"
    if factor == 0.0:
        return ": nothing is passed back"
    size = subject.inputs[0].shape[0] if subject.inputs[0].shape else 1
    if size == 1 or not (_same(factor, size, method) or _same(factor, 1.0 / size, method)):
        return ""
    try:
        fewer = _factor(_compared(subject.of_samples(slice(0, size - 1)), method), name)
    except Exception:  # an object need not take fewer samples
        return ""
    if _same(fewer, size - 1, method):
        return ", the number of samples N: a division by N is missing"
    if _same(fewer, 1.0 / (size - 1), method):
        return ", 1/N for N samples: a division by N too many, or a mean in place of a sum"
    return ""


def _wrong_axis(comparison: Comparison, name: str) -> str:
    """A sum, a mean or a product that runs along another axis."""
    gradient, subject = comparison.gradients[name], comparison.subject
    if (
        len(gradient.shape) == 2
        and gradient.T.shape == gradient.shape
        and comparison.agrees(name, gradient.T)
    ):
        return "it is right when transposed"
    for axes in subsets(len(gradient.shape)):
        one = gradient[tuple(slice(0, 1) if i in axes else slice(None) for i in range(len(gradient.shape)))]
        stretched = prod(gradient.shape) > one.size and not differ(gradient, one + 0.0 * gradient)
        if stretched and is_sum(comparison, name, one, gradient.shape):
            return f"it is summed over {axes_text(axes)} and stretched"
    return _mixes_samples(subject, name) if name in subject.input_names else along_batch(comparison, name)


def along_batch(comparison: Comparison, name: str) -> str:
    """With fewer samples the gradient of a parameter has another shape, or none at all."""
    fewer, shape = _one_fewer(comparison.subject), comparison.gradients[name].shape
    if fewer is None:
        return ""
    try:
        got = fewer.run(fewer.trial()).gradients[name].shape
    except (ValueError, IndexError) as error:
        return f"with one sample fewer backward fails ({error}): it takes the batch for another axis"
    return f"with one sample fewer its shape is {got}: it runs along the batch" if got != shape else ""


def _mixes_samples(subject: Subject, name: str) -> str:
    """Forward keeps samples apart, but the dout of one sample changes the gradients of all the others."""
    fewer = _one_fewer(subject)
    if fewer is None or not subject.honours_dout or subject.is_loss:
        return ""
    run, samples = subject.run(subject.trial()), subject.inputs[0].shape[0]
    if run.out.shape[0] != samples or differ(fewer.run(fewer.trial()).out, run.out[:-1]):
        return ""
    dout = to_numpy([[1.0]] * (samples - 1) + [[2.0]]).reshape(samples, *[1] * (len(run.out.shape) - 1))
    changed = subject.run(subject.trial(), dout=dout).gradients[name] - run.gradients[name]
    if all(abs(changed[n]).max() > SAME * abs(changed).max() for n in range(samples - 1)):
        return "forward keeps samples apart, but the gradient of each depends on the dout of another"
    return ""


# ------------------------------------------------------------------------------------ what they are made of


def _one_fewer(subject: Subject) -> Subject | None:
    """The subject with one sample fewer; None where it has no two."""
    samples = subject.inputs[0].shape[0] if subject.inputs[0].shape else 1
    return subject.of_samples(slice(0, samples - 1)) if samples > 1 else None


def _compared(subject: Subject, method: str) -> Comparison:
    return Comparison(subject, subject.run(subject.trial()), method)


def _factor(comparison: Comparison, name: str) -> float | None:
    """By what the derivative must be multiplied to give the gradient, along three directions alike."""
    gradient = comparison.gradients[name]
    known = [comparison.slopes[name]] if name in comparison.slopes else []
    products = []  # of each direction: gradient along it, its size, derivative along it
    for _ in range(3):
        direction, slope = known.pop() if known else (random_like(gradient, comparison.rng), None)
        terms = to_numpy(gradient * direction)
        along = float(terms.sum())
        terms *= terms
        slope = comparison.slope(name, direction) if slope is None else slope
        products.append((along, float(terms.sum()) ** 0.5, slope))
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


def is_sum(comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]) -> bool:
    """Whether a gradient, (…, 1, …), is that of an array of that shape summed along its axes of length 1."""
    zero = 0.0 * to_numpy(comparison.trial("central").arrays[name])
    for _ in range(2):
        direction = random_like(gradient, comparison.rng)
        gap, limit = comparison.gap(gradient, direction, comparison.slope(name, direction + zero))
        if not gap <= 10.0 * limit:
            return False
    return True


def differ(a: Any, b: Any) -> bool:
    """Whether two host arrays differ by more than the order of summation explains."""
    return not ((a == b).all() or (abs(a - b) <= SAME * max(abs(a).max(), abs(b).max())).all())


def _same(a: float | None, b: float | None, method: str) -> bool:
    return a is not None and b is not None and abs(a - b) <= TOLERANCE[method] * max(abs(a), abs(b), 1e-3)


def subsets(count: int) -> Iterator[tuple[int, ...]]:
    """All non-empty choices of axes, small ones first."""
    for size in range(1, count + 1):
        yield from combinations(range(count), size)


def axes_text(axes: tuple[int, ...]) -> str:
    """Axes in words: "axis 0", "axes 0, 1"."""
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"


SUSPICIONS_OF_A_SMALL_GAP: dict[str, Callable[[Comparison, str], str]] = {
    "float32 noise": _float32_noise,
    "epsilon in the loss": _epsilon,
    "constant factor": _constant_factor,
}
SUSPICIONS = {
    "ignores dout": _ignores_dout,
    "no response": _no_response,
    **SUSPICIONS_OF_A_SMALL_GAP,
    "wrong axis": _wrong_axis,
}
