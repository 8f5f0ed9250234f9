"""Why a gradient is wrong: suspicions, each of which must pass a test of its own before it becomes a verdict."""

from collections.abc import Callable, Iterator
from itertools import combinations
from math import exp, prod
from typing import Any

from backends import describe, to_numpy
from backprop.comparison import NOISE, Comparison
from backprop.gradient_report import Verdict
from backprop.subjects import Run, Subject, first_not_finite, index_of, random_like

SMALL = 1e-4  # relative: what ignores dout, say, is off by more
SAME = 1e-12  # relative: two runs of the same computation may differ by their order of summation
TOLERANCE = {"complex": 1e-8, "central": 1e-3}  # for what follows from quotients of derivatives


# ------------------------------------------------------------------------------------- of the layer as a whole


def of_writing(run: Run) -> list[Verdict]:
    """What forward and backward have changed of what is their caller's."""
    found = []
    for name in run.written:
        if name == "dout":
            why = "backward changes dout, which is its caller's; let it work on a copy"
            found.append(Verdict("writes into dout", why))
        else:
            why = f"forward or backward changes {name}, which is its caller's"
            found.append(Verdict("writes into its input", why))
    return found


def of_hidden_state(first: Run, second: Run) -> list[Verdict]:
    """Whether forward gave another output at the second time."""
    if first.out.shape == second.out.shape and not _differ(first.out, second.out):
        return []
    why = (
        "forward gives another output for the same input at a second call: it depends on a hidden state or on "
        "randomness, which must be frozen for a check"
    )
    return [Verdict("hidden state", why)]


# ------------------------------------------------------------------------- of one array: what cannot be compared


def of_form(comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]) -> Verdict | None:
    """Why a gradient cannot be compared with that of an array of this shape."""
    if gradient is None:
        return Verdict("missing gradient", "backward leaves no gradient of it")
    got = getattr(gradient, "shape", None)
    if got is None or getattr(gradient, "dtype", None) is None or gradient.dtype.kind not in "biuf":
        what = describe(gradient) if got is None else str(gradient.dtype)
        return Verdict("missing gradient", f"its gradient is no array of real numbers but {what}")
    if got != shape:
        cause = _cause_of_shape(comparison, name, gradient, shape)
        return Verdict("wrong shape", f"its gradient must have its shape, {shape}, got {got}{cause}")
    at = first_not_finite(gradient)
    if at is not None:
        return Verdict("not finite", f"its gradient is {float(gradient[tuple(at)])} at {at}")
    return None


def _cause_of_shape(comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]) -> str:
    """What makes a gradient of another shape right, where something does."""
    if first_not_finite(gradient) is not None:
        return ""
    if gradient.T.shape == shape and comparison.agrees(name, gradient.T):
        return ": it is right when transposed"
    if gradient.size == prod(shape) and comparison.agrees(name, gradient.reshape(shape)):
        return ": its values are right when reshaped"
    for axes in _subsets(len(gradient.shape)):
        summed = gradient.sum(axis=axes)
        if summed.shape == shape and comparison.agrees(name, summed):
            return f": a sum over {_axes(axes)} is missing"
    for axes in _subsets(len(shape)):
        kept = [1 if i in axes else n for i, n in enumerate(shape)]
        if gradient.size == prod(kept) and _is_sum(comparison, name, gradient.reshape(kept), shape):
            return f": it is summed over {_axes(axes)}"
    return ""


# -------------------------------------------------------------------------------- of one array: what is off, why


def explain(comparison: Comparison, name: str) -> Verdict:
    """The verdict on a gradient that disagrees with the derivative."""
    direction, slope = comparison.slopes[name]
    gap, _ = comparison.gap(comparison.gradients[name], direction, slope)
    is_small = gap <= SMALL * float(((comparison.gradients[name] * direction) ** 2).sum()) ** 0.5
    for kind, test in (SUSPICIONS_OF_A_SMALL_GAP if is_small else SUSPICIONS).items():
        why = test(comparison, name)
        if why:
            return Verdict(kind, why)
    return Verdict("wrong")


def of_second_run(comparison: Comparison, name: str, first: Any, second: Any) -> Verdict | None:
    """Whether a second backward gave another gradient, and whether it added to the first."""
    if not hasattr(second, "shape") or first.shape != second.shape or not _differ(first, second):
        return None
    if comparison.agrees(name, second - first):
        why = "a second backward adds the gradient to the first; set it, or clear it before"
        return Verdict("accumulated", why)
    return Verdict("hidden state", "a second backward of the same input gives another gradient")


def _ignores_dout(comparison: Comparison, name: str) -> str:
    """Another dout gives the same gradient."""
    subject, gradient = comparison.subject, comparison.gradients[name]
    if not subject.honours_dout or not gradient.any():
        return ""
    other = subject.run(comparison.trial("central"), dout=-0.7).gradients[name]
    return "" if _differ(gradient, other) else "backward gives the same gradient for another dout"


def _float32_noise(comparison: Comparison, name: str) -> str:
    """The gradient agrees to single precision, and forward or backward has no more than that."""
    subject, gradient = comparison.subject, comparison.gradients[name]
    scatter = comparison.noise(name)
    of_forward = scatter > NOISE
    allowed = 100.0 * scatter * (1.0 + subject.terms) * (1e6 if comparison.method == "central" else 1.0)
    direction, slope = comparison.slopes[name]
    size = float(((gradient * direction) ** 2).sum()) ** 0.5
    if not comparison.gap(gradient, direction, slope)[0] <= SMALL * size + (allowed if of_forward else 0.0):
        return ""
    if of_forward:
        return f"forward has single precision only: its values scatter by {scatter:.0e} of their size"
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


def _no_response(comparison: Comparison, name: str) -> str:
    """Forward is the same whatever the array holds."""
    subject, trial = comparison.subject, comparison.subject.trial()
    before = subject.value(trial)
    values = to_numpy(trial.arrays[name])
    trial.arrays[name][...] = subject.backend.asarray(values + random_like(values, subject.rng))
    if _differ(to_numpy(before), to_numpy(subject.value(trial))) or not comparison.gradients[name].any():
        return ""
    return f"forward does not change with {name}: does it hold a copy?"


def _epsilon(comparison: Comparison, name: str) -> str:
    """What an epsilon in -log(p + ε) explains: backward is (p + ε) / p times the derivative, p = exp(-loss) - ε."""
    subject = comparison.subject
    if not subject.is_loss:
        return ""
    estimates = [*_epsilon_of_samples(comparison, name)] or [*_epsilon_of_entries(comparison, name)]
    if len(estimates) < 2:
        return ""
    low, high = min(estimates), max(estimates)
    if not (0.0 < low <= high < 1e-2 and high - low <= 0.02 * high):
        return ""
    return f"the loss has an epsilon of {sum(estimates) / len(estimates):.2g} in its logarithm that backward leaves out"


def _epsilon_of_samples(comparison: Comparison, name: str) -> Iterator[float]:
    """ε from the loss of single samples, which differ in p."""
    subject = comparison.subject
    samples = [subject.of_samples(slice(n, n + 1)) for n in range(min(3, subject.inputs[0].shape[0]))]
    for single in [*samples, samples[0].elsewhere(0.5)]:
        factor = _factor(_compared(single, comparison.method), name)
        if factor is None or factor <= 0.0:
            return
        yield exp(-float(single.run(single.trial()).out)) * (1.0 - 1.0 / factor)


def _epsilon_of_entries(comparison: Comparison, name: str) -> Iterator[float]:
    """ε from each entry of a loss that is a mean of elements, N · gradient being p - 1 or 1 - p."""
    subject, gradient = comparison.subject, comparison.gradients[name]
    if name not in subject.input_names or not subject.honours_dout:
        return
    scale = gradient.shape[0] / float(subject.factors)
    for position in range(min(8, gradient.size)):
        index = tuple(index_of(position, gradient.shape))
        derivative = comparison.at_entry(name, list(index))
        p = 1.0 - abs(scale * float(gradient[index]))
        if derivative == 0.0 or p <= 0.0:
            return
        yield p * (float(gradient[index]) / derivative - 1.0)


def _constant_factor(comparison: Comparison, name: str) -> str:
    """Backward is a multiple of the derivative, and the same multiple at another input."""
    subject, method = comparison.subject, comparison.method
    factor = _factor(comparison, name)
    if factor is None or not _same(factor, _factor(_compared(subject.elsewhere(0.9), method), name), method):
        return ""
    size = subject.inputs[0].shape[0] if subject.inputs[0].shape else 1
    meaning = {-1.0: ": a wrong sign", 0.0: ": nothing is passed back"}
    if size > 1 and (_same(factor, size, method) or _same(factor, 1.0 / size, method)):
        fewer = _factor(_compared(subject.of_samples(slice(0, size - 1)), method), name)
        if _same(factor, size, method) and _same(fewer, size - 1, method):
            meaning[factor] = f", the number of samples N: a division by N is missing"
        elif fewer is not None and _same(1.0 / factor, size, method) and _same(fewer, 1.0 / (size - 1), method):
            meaning[factor] = ", 1/N for N samples: a division by N too many, or a mean in place of a sum"
    digits = f"{factor:.6g}" if not _same(factor, float(f"{factor:.6g}"), method) else f"{factor:.7g}"
    known = [text for value, text in meaning.items() if _same(factor, value, method)]
    return f"backward is {digits} times the derivative{''.join(known[-1:])}"


def _wrong_axis(comparison: Comparison, name: str) -> str:
    """A sum, a mean or a product that runs along another axis."""
    gradient, subject = comparison.gradients[name], comparison.subject
    if len(gradient.shape) == 2 and gradient.T.shape == gradient.shape and comparison.agrees(name, gradient.T):
        return "it is right when transposed"
    for axes in _subsets(len(gradient.shape)):
        one = gradient[tuple(slice(0, 1) if i in axes else slice(None) for i in range(len(gradient.shape)))]
        stretched = prod(gradient.shape) > one.size and not _differ(gradient, one + 0.0 * gradient)
        if stretched and _is_sum(comparison, name, one, gradient.shape):
            return f"it is summed over {_axes(axes)} and stretched"
    samples = subject.inputs[0].shape[0] if subject.inputs[0].shape else 1
    if samples < 2:
        return ""
    fewer = subject.of_samples(slice(0, samples - 1))
    if name not in subject.input_names:
        return _other_shape(fewer, name, gradient.shape)
    return _mixes_samples(subject, fewer, name, samples)


def _other_shape(fewer: Subject, name: str, shape: tuple[int, ...]) -> str:
    """With fewer samples the gradient of a parameter has another shape, or none at all."""
    try:
        got = fewer.run(fewer.trial()).gradients[name].shape
    except (ValueError, IndexError) as error:
        return f"with one sample fewer backward fails ({error}): it takes the batch for another axis"
    return f"with one sample fewer its shape is {got}: it runs along the batch" if got != shape else ""


def _mixes_samples(subject: Subject, fewer: Subject, name: str, samples: int) -> str:
    """Forward keeps samples apart, but the dout of one sample changes the gradients of all the others."""
    if not subject.honours_dout or subject.is_loss:
        return ""
    run = subject.run(subject.trial())
    if run.out.shape[0] != samples or _differ(fewer.run(fewer.trial()).out, run.out[:-1]):
        return ""
    dout = to_numpy([[1.0]] * (samples - 1) + [[2.0]]).reshape(samples, *[1] * (len(run.out.shape) - 1))
    changed = subject.run(subject.trial(), dout=dout).gradients[name] - run.gradients[name]
    if all(abs(changed[n]).max() > SAME * abs(changed).max() for n in range(samples - 1)):
        return "forward keeps samples apart, but the gradient of each depends on the dout of another"
    return ""


# ----------------------------------------------------------------------------------------------------- helpers


def _compared(subject: Subject, method: str) -> Comparison:
    return Comparison(subject, subject.run(subject.trial()).gradients, method)


def _factor(comparison: Comparison, name: str) -> float | None:
    """By what the derivative must be multiplied to give the gradient, along three directions alike."""
    gradient = comparison.gradients[name]
    relative = {"complex": 1e-10, "central": 1e-5}[comparison.method]
    pairs = []
    if name in comparison.slopes:
        direction, slope = comparison.slopes[name]
        pairs.append((gradient * direction, slope))
    while len(pairs) < 3:
        direction = random_like(gradient, comparison.rng)
        pairs.append((gradient * direction, comparison.slope(name, direction)))
    square = sum(slope * slope for _, slope in pairs)
    if not square > 0.0:
        return None
    factor = sum(float(terms.sum()) * slope for terms, slope in pairs) / square
    for terms, slope in pairs:
        size = float((terms * terms).sum()) ** 0.5 + abs(factor * slope)
        if not abs(float(terms.sum()) - factor * slope) <= relative * size + comparison.limit(0.0):
            return None
    return None if comparison.limit(0.0) > 1e-3 * square**0.5 else factor


def _is_sum(comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]) -> bool:
    """Whether a gradient, (…, 1, …), is that of an array of that shape summed along its axes of length 1."""
    zero = 0.0 * to_numpy(comparison.trial("central").arrays[name])
    for _ in range(2):
        direction = random_like(gradient, comparison.rng)
        gap, limit = comparison.gap(gradient, direction, comparison.slope(name, direction + zero))
        if not gap <= 10.0 * limit:
            return False
    return True


def _differ(a: Any, b: Any) -> bool:
    """Whether two host arrays differ by more than the order of summation explains."""
    return not ((a == b).all() or (abs(a - b) <= SAME * max(abs(a).max(), abs(b).max())).all())


def _same(a: float | None, b: float | None, method: str) -> bool:
    return a is not None and b is not None and abs(a - b) <= TOLERANCE[method] * max(abs(a), abs(b), 1e-3)


def _subsets(count: int) -> Iterator[tuple[int, ...]]:
    """All non-empty choices of axes, small ones first."""
    for size in range(1, count + 1):
        yield from combinations(range(count), size)


def _axes(axes: tuple[int, ...]) -> str:
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
