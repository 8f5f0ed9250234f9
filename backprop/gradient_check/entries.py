"""The comparison of every entry of an array; at a kink, either slope is right."""

from typing import Any, NamedTuple

from backends import to_numpy
from backprop.arrays.entering import index_of
from backprop.gradient_check import kinks, single_precision
from backprop.gradient_check.closer import Agreement
from backprop.gradient_check.comparison import MAX_LIMIT, Comparison
from backprop.gradient_check.derivatives import LAST_DIGIT, ONE, entry
from backprop.gradient_check.fitting import best, best_fit, fit
from backprop.gradient_check.report import ArrayCheck, Verdict
from backprop.gradient_check.rounding import SINGLE, rounding
from backprop.numerical.gradient import H_CENTRAL


class Entries(NamedTuple):
    """The derivative with respect to every entry, and how far a gradient may be off there, on the host."""

    comparison: Comparison
    numerical: Any
    limit: Any


def every_entry(comparison: Comparison, name: str, agreement: Agreement | None) -> ArrayCheck:
    """Compare every entry of an array.  agreement: that along the direction, or None."""
    is_single = agreement.verdict.kind == "ok to single precision" if agreement else comparison.is_noisy(name)
    entries = (_in_single_precision if is_single else _entries)(comparison, name)
    difference, at_kink, is_wrong = _left_over(entries, name)
    if is_wrong:
        verdict = Verdict("wrong")
    elif is_single and (why := _hidden_entry(entries, name, difference)):
        verdict = Verdict("cannot tell", why)
    elif agreement and not at_kink:
        verdict = agreement.verdict
    elif why := kinks.tied_shares(comparison, name):
        verdict = Verdict("ties", why)
    else:
        verdict = Verdict("kink" if at_kink or kinks.is_kinked(comparison, name) else "wrong", at_kink)
    return _row(entries, name, difference, verdict)


def _left_over(entries: Entries, name: str) -> tuple[Any, str, bool]:
    """Return the differences left after kinks and other steps, a kink in words, and whether one is wrong."""
    comparison, gradient, limit = entries.comparison, entries.comparison.gradients[name], entries.limit
    difference, at_kink = to_numpy(abs(gradient - entries.numerical)).copy(), ""
    while not (difference <= limit).all():
        worst = index_of(int((difference - limit).argmax()), difference.shape)
        at = float(gradient[tuple(worst)])
        slopes = kinks.slopes_at_kink(comparison, name, worst, at)
        if slopes is None and not _other_step(entries, name, worst, at):
            return difference, at_kink, True
        if slopes is not None and not at_kink:
            at_kink = "at {} the slope is {:.6g} on the left and {:.6g} on the right".format(worst, *slopes)
            difference[_agreeing(comparison, name, limit)] = 0.0  # most of the remaining entries at once
        difference[tuple(worst)] = 0.0
    return difference, at_kink, False


def _hidden_entry(entries: Entries, name: str, difference: Any) -> str:
    """Return a sentence on an entry that single precision hides, or "" if there is none."""
    gradient, least = entries.comparison.gradients[name], MAX_LIMIT * float(abs(entries.numerical).max())
    for position in range(gradient.size):
        index = index_of(position, gradient.shape)
        at, limit = float(gradient[tuple(index)]), float(entries.limit[tuple(index)])
        if limit <= least or difference[tuple(index)] == 0.0:  # visible, or at a kink
            continue
        if kinks.slopes_at_kink(entries.comparison, name, index, at) is None:
            return f"at {index}, rounding in forward hides anything below {limit:.1e}"
    return ""


def _row(entries: Entries, name: str, difference: Any, verdict: Verdict) -> ArrayCheck:
    gradient, numerical = entries.comparison.gradients[name], entries.numerical
    worst = index_of(int(difference.argmax()), difference.shape)
    return ArrayCheck(
        name,
        gradient.size,
        size=float(abs(numerical).max()),
        mean_difference=float((difference / difference.size).sum()),
        max_difference=float(difference.max()),
        limit=float(entries.limit.max()),
        index=worst,
        backward=float(gradient[tuple(worst)]),
        numerical=float(numerical[tuple(worst)]),
        verdict=verdict.kind,
        why=verdict.why,
    )


def _entries(comparison: Comparison, name: str) -> Entries:
    """Return the derivatives by this method, or by the complex step if the limit of this one is too large."""
    gradient, numerical = comparison.gradients[name], comparison.every_entry(name)
    limit = 0.0 * numerical + comparison.limit(float(abs(numerical).max()))
    exact = comparison.exact()
    if exact and exact is not comparison and not limit.max() <= MAX_LIMIT * float(abs(gradient).max()):
        return _entries(exact, name)
    if not (abs(gradient - numerical) <= limit).all():
        if comparison.method == "complex":
            limit = limit + rounding(comparison, name)
        else:
            limit = limit + 4.0 * comparison.noise(name)[0] / H_CENTRAL
    return Entries(comparison, numerical, limit)


def _in_single_precision(comparison: Comparison, name: str) -> Entries:
    """Return the derivatives as slopes of curves fitted to the values."""
    gradient, x = comparison.gradients[name], comparison.array(name)
    width = best_fit(comparison, name, single_precision.aligned(comparison, name)).width
    places = [index_of(n, gradient.shape) for n in range(gradient.size)]
    fits = [fit(comparison, name, ONE, entry(index), width) for index in places]
    least = MAX_LIMIT * max(abs(fitted.slope) for fitted in fits)
    for n, index in enumerate(places):
        if not fits[n].error <= least:  # a kink within that width, usually at 0
            nearest = 0.9 * abs(float(x[tuple(index)]))
            others = [best_fit(comparison, name, ONE, entry(index))]
            others += [fit(comparison, name, ONE, entry(index), nearest)] if nearest else []
            fits[n] = best([fits[n], *others])
    slopes, errors = (to_numpy([fitted[i] for fitted in fits]).reshape(gradient.shape) for i in (0, 1))
    limit = errors + single_precision.DIGITS * abs(slopes).max() + rounding(comparison, name, None, SINGLE)
    return Entries(comparison, slopes, limit)


def _agreeing(comparison: Comparison, name: str, limit: Any) -> Any:
    """Return a host mask of the entries that agree with the complex step, if it can be taken."""
    gradient, exact = comparison.gradients[name], comparison.exact()
    if exact is None or exact is comparison or comparison.is_noisy(name):
        return gradient != gradient
    return abs(gradient - exact.every_entry(name)) <= limit


def _other_step(entries: Entries, name: str, index: list[int], backward: float) -> bool:
    """Return whether an entry agrees by the complex step or, without it, by another central-difference step.

    Another step helps if the function bends much within the usual one, or its values are noisy.
    """
    comparison, limit = entries.comparison, float(entries.limit[tuple(index)])
    if comparison.method == "complex" or comparison.is_noisy(name):
        return False
    if exact := comparison.exact():
        return abs(backward - exact.at_entry(name, index)) <= max(limit, exact.limit_of_entries(name))
    scattered = max(comparison.noise(name)[0], 0.1 * LAST_DIGIT * comparison.run.terms)
    for h in (10.0 * H_CENTRAL, 0.1 * H_CENTRAL, 0.01 * H_CENTRAL):
        slope = comparison.central_slope(name, ONE, h, entry(index))
        if abs(backward - slope) <= limit + 4.0 * scattered / h:
            return True
    return False
