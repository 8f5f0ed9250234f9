"""Backpropagation against the derivative of the function itself, for layers, losses and networks.

Nothing live is touched: the check works on copies whose parameters are float64 or complex128.
"""

from dataclasses import replace
from math import prod
from typing import Any

from backends import to_numpy
from backprop.gradient_check import excuses, verdicts
from backprop.gradient_check.comparison import LIMITS, ONE, Comparison, entry
from backprop.gradient_check.host_arrays import index_of
from backprop.gradient_check.layer_subject import LastLayerSubject, LayerSubject
from backprop.gradient_check.locating import find
from backprop.gradient_check.report import MODES, ArrayCheck, GradientReport, Verdict
from backprop.gradient_check.subject import Subject
from backprop.gradient_check.subject_of import subject_of
from backprop.initializers import generator
from backprop.numerical_gradient import STEP_DTYPES

NAN = float("nan")


def check_gradients(
    obj: Any, *inputs: Any, method: str = "complex", mode: str = "fast", rng: Any = 0
) -> GradientReport:
    """Compare backward with the numerical derivative of forward, for every parameter and the input.

    obj, inputs: a layer and x; a loss, logits and labels; a network, x and t.  An object of one's own needs
    `forward` and `backward`, and `params` and `grads` if it has any, or, as in the book, attributes W, b and
    dW, db; a network `loss` and `gradient`.
    All is done in float64.  Where backward returns a tuple, its items belong to the first inputs.
    method: "complex" step (exact to rounding), or "central" differences, which are also taken, and the report
    says so, where forward turns out not to be analytic.
    mode: "fast", along one random direction an array, and if that disagrees, at an entry that is at fault;
    "full", every entry.
    rng: a seed or Generator for the directions and for `dout`.
    What the object holds is copied; what it reaches otherwise, in a closure or a global, is not.
    The report gives each array a verdict that was confirmed by a test of its own; README lists them.
    Raises ValueError for an unknown method or mode and for arrays that are empty or not finite, TypeError for
    an object without forward and backward, for what is no array of real numbers or on another backend.

    >>> from backprop import TwoLayerNet
    >>> report = check_gradients(TwoLayerNet(4, 3, 2, rng=0), [[1.0, 2.0, 3.0, 4.0]], [1])
    >>> report.ok, [array.name for array in report.arrays]
    (True, ['W1', 'b1', 'W2', 'b2', 'x'])
    """
    if method not in STEP_DTYPES or mode not in MODES:
        raise ValueError(
            f"check_gradients: method must be one of {', '.join(STEP_DTYPES)} and mode one of "
            f"{', '.join(MODES)}, got {method!r} and {mode!r}"
        )
    return check(subject_of(obj, inputs, generator(rng)), method, mode)


def check(subject: Subject, method: str, mode: str) -> GradientReport:
    """Check a subject: run it twice, compare every array, and explain what is off."""
    trial = subject.trial()
    first = subject.watched_run(trial)
    if len(first.inputs) > len(subject.wanted):
        return check(subject.of_inputs(first.inputs), method, mode)
    with_attributes = subject.of_attributes(trial)
    if with_attributes is not None:
        return check(with_attributes, method, mode)
    faults = verdicts.of_writing(first)
    second = first
    if not any(fault.kind == "writes into its input" for fault in faults):
        second = subject.run(trial)
        faults += verdicts.of_hidden_state(first, second)
    if any(fault.kind != "writes into dout" for fault in faults):  # then no number would say anything
        arrays = [_without_numbers(n, array, Verdict("not compared")) for n, array in trial.arrays.items()]
        return GradientReport(subject.name, method, mode, arrays, faults)

    comparison = Comparison(subject, first, method, trial)
    note = comparison.measure()
    arrays = [_check_array(comparison, name, second.gradients[name], mode) for name in trial.arrays]
    if any(array.verdict == "wrong" and _only_complex_disagrees(comparison, array) for array in arrays):
        report = check(subject, "central", mode)
        return replace(report, note="the complex step does not see what central differences see of an entry")
    if any(array.verdict == "wrong" for array in arrays):
        culprit = _faulty_layer(comparison, {array.name for array in arrays if not array.ok})
        faults += [] if culprit is None else [culprit[1]]
        arrays = _explained(comparison, arrays, culprit)
    return GradientReport(subject.name, comparison.method, mode, arrays, faults, note)


def _check_array(comparison: Comparison, name: str, second: Any, mode: str) -> ArrayCheck:
    """One array's comparison; second: its gradient at a second run."""
    array, gradient = comparison.trial("central").arrays[name], comparison.gradients[name]
    verdict = verdicts.of_form(comparison, name, gradient, array.shape)
    if verdict:
        return _without_numbers(name, array, verdict)
    found = _every_entry(comparison, name) if mode == "full" else _one_direction(comparison, name)
    verdict = verdicts.of_second_run(comparison, name, gradient, second)
    return _without_numbers(name, array, verdict) if verdict else found


def _one_direction(comparison: Comparison, name: str) -> ArrayCheck:
    """A gradient along one random direction; where it disagrees, an entry at fault."""
    gradient, direction, slope = comparison.gradients[name], *comparison.slopes[name]
    backward = float((gradient * direction).sum())
    gap, limit = comparison.gap(gradient, direction, slope)
    if not gap <= limit:
        if gap <= excuses.ROUNDING * (1.0 + comparison.run.terms + abs(backward)):
            limit += float(excuses.rounding(comparison, name, direction))
        slope, limit = excuses.finer(comparison, name, direction, backward, limit) or (slope, limit)
        gap = abs(backward - slope)
    if not gap <= limit:
        index = find(comparison, name)
        at, derivative = float(gradient[tuple(index)]), comparison.at_entry(name, index)
        if excuses.slopes_at_kink(comparison, name, index, at):
            return _every_entry(comparison, name)
        off, allowed = abs(at - derivative), comparison.limit(abs(derivative))
        if not off <= allowed:  # else many entries are off by little each: the direction tells more
            return ArrayCheck(name, gradient.size, off, off, allowed, index, at, derivative, "wrong")
    verdict = "ok" if gap <= limit else "wrong"
    return ArrayCheck(name, gradient.size, gap, gap, limit, None, backward, slope, verdict)


def _every_entry(comparison: Comparison, name: str) -> ArrayCheck:
    """A gradient at every entry; at a kink either slope will do."""
    gradient, numerical = comparison.gradients[name], comparison.every_entry(name)
    difference = to_numpy(abs(gradient - numerical)).copy()
    limit = comparison.limit(float(abs(numerical).max()))
    verdict, why, excused = "", "", False
    size = 1.0 + comparison.run.terms + float(abs(numerical).max())
    if limit < difference.max() <= excuses.ROUNDING * size:
        limit = limit + excuses.rounding(comparison, name)
    while not (difference <= limit).all():
        worst = index_of(int((difference - limit).argmax()), difference.shape)
        at, allowed = float(gradient[tuple(worst)]), float((limit + 0.0 * difference)[tuple(worst)])
        slopes = excuses.slopes_at_kink(comparison, name, worst, at)
        if slopes is None and not excuses.finer(comparison, name, ONE, at, allowed, entry(worst)):
            verdict = "wrong"
            break
        if slopes is not None and not why:
            why = "at {} the slope is {:.6g} to the left and {:.6g} to the right".format(worst, *slopes)
        difference[tuple(worst)] = 0.0
        if not excused:  # most of the others, at once
            difference[excuses.agreeing(comparison, name, limit)] = 0.0
            excused = True
    worst = index_of(int(difference.argmax()), difference.shape)
    at, derivative = float(gradient[tuple(worst)]), float(numerical[tuple(worst)])
    mean, largest = float(difference.mean()), float(difference.max())
    verdict = verdict or ("kink" if why else "ok")
    limit = float(to_numpy(limit).max())
    return ArrayCheck(name, gradient.size, mean, largest, limit, worst, at, derivative, verdict, why)


def _only_complex_disagrees(comparison: Comparison, array: ArrayCheck) -> bool:
    """Whether central differences agree with backward at an entry, and not with the complex step."""
    if comparison.method != "complex" or array.index is None:
        return False
    central = comparison.slope(array.name, ONE, "central", region=entry(array.index))
    relative, absolute = LIMITS["central"]
    limit = relative * abs(central) + absolute * (1.0 + comparison.run.terms)
    return abs(array.backward - central) <= limit and abs(array.numerical - central) > 10.0 * limit


def _explained(
    comparison: Comparison, arrays: list[ArrayCheck], culprit: tuple[str, Verdict] | None
) -> list[ArrayCheck]:
    """The arrays with the reasons why they are wrong: a layer of the network that is, or else their own."""
    exact = comparison.exact() or comparison  # the finer method explains better
    explained = []
    for array in arrays:
        if array.verdict == "wrong":
            verdict = Verdict("wrong")
            if culprit is None or culprit[1].kind == "writes into dout":  # which may do no harm here
                verdict = verdicts.explain(exact, array.name)
            if culprit is not None and verdict.kind == "wrong":
                verdict = Verdict(culprit[1].kind, f"see {culprit[0]}")
            array = replace(array, verdict=verdict.kind, why=verdict.why)
        explained.append(array)
    return explained


def _faulty_layer(comparison: Comparison, wrong_names: set[str]) -> tuple[str, Verdict] | None:
    """A layer of a network that is wrong by itself, on what it gets there, and its verdict.

    First the one whose own gradients alone are wrong, then from the last to the first, as backward goes and
    passes its faults on.
    """
    subject, trial = comparison.subject, comparison.trial("central")
    wrong_ids = {id(trial.arrays[name]) for name in wrong_names}
    try:
        layers = [*subject.layers(trial)][::-1]
    except Exception:  # they are no chain
        return None
    layers.sort(
        key=lambda part: not wrong_ids <= {id(own) for own in getattr(part[1], "params", {}).values()}
    )
    harmless = None  # so it may be, since what was written into may not be looked at again
    for name, layer, inputs in layers:
        try:
            kind = LastLayerSubject if len(inputs) > 1 else LayerSubject
            report = check(subject_of(layer, inputs, subject.rng, kind), "complex", "fast")
        except Exception:  # a part that is no layer by itself
            continue
        wrong = [Verdict(array.verdict, str(array)) for array in report.arrays if not array.ok]
        for fault in wrong + report.faults:
            found = name, Verdict(fault.kind, f"the fault is in {name}: {fault.why}")
            if fault.kind not in ("writes into dout", "not compared"):
                return found
            harmless = harmless or (found if fault.kind == "writes into dout" else None)
    return harmless


def _without_numbers(name: str, array: Any, verdict: Verdict) -> ArrayCheck:
    return ArrayCheck(name, prod(array.shape), NAN, NAN, NAN, None, NAN, NAN, verdict.kind, verdict.why)
