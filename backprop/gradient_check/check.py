"""Compare backward with the numerical derivative of forward, for layers, losses and networks.

The check works on copies with float64 or complex128 parameters; the object itself is not modified.
"""

from dataclasses import replace
from math import prod
from typing import Any

from backends import one_backend, to_numpy
from backprop.arrays.checks import index_of
from backprop.arrays.initializers import generator
from backprop.gradient_check import false_alarms, verdicts
from backprop.gradient_check.comparison import ONE, Comparison, entry
from backprop.gradient_check.layer_target import LastLayerTarget, LayerTarget
from backprop.gradient_check.locating import find
from backprop.gradient_check.network_target import NetworkTarget
from backprop.gradient_check.report import MODES, ArrayCheck, GradientReport, Verdict
from backprop.gradient_check.requirements import WHERE, is_network, real_array, require_object
from backprop.gradient_check.target import Target
from backprop.numerical.gradient import STEP_DTYPES

NAN = float("nan")


def check_gradients(
    obj: Any, *inputs: Any, method: str = "complex", mode: str = "fast", rng: Any = 0
) -> GradientReport:
    """Compare backward with the numerical derivative of forward, for every parameter and the input.

    obj, inputs: a layer and x; a loss, logits and labels; a network, x and t.  An object of one's own needs
    `forward` and `backward`, and `params` and `grads` if it has any, or, as in the book, attributes W, b and
    dW, db; a network `loss` and `gradient`.
    Everything is computed in float64.  Where backward returns a tuple, its items belong to the first inputs.
    method: "complex" step (exact to rounding), or "central" differences, which are also taken, and the report
    says so, where forward turns out not to be analytic.
    mode: "fast", along one random direction per array and, if that disagrees, at an entry at fault;
    "full", every entry.
    rng: a seed or Generator for the directions and for `dout`.
    The object is copied with all that it holds; what it uses from closures and globals is not.
    The report gives each array a verdict confirmed by a separate test; README lists them.
    Raises ValueError for an unknown method or mode and for arrays that are empty or not finite, TypeError for
    an object without forward and backward, for data that are not real numbers or on another backend.

    >>> from backprop import TwoLayerNet
    >>> report = check_gradients(TwoLayerNet(4, 3, 2, rng=0), [[1.0, 2.0, 3.0, 4.0]], [1])
    >>> report.ok, [array.name for array in report.arrays]
    (True, ['W1', 'b1', 'W2', 'b2', 'x'])
    """
    if method not in STEP_DTYPES or mode not in MODES:
        rule = f"method must be one of {', '.join(STEP_DTYPES)} and mode one of {', '.join(MODES)}"
        raise ValueError(f"check_gradients: {rule}, got {method!r} and {mode!r}")
    return check(target_of(obj, inputs, generator(rng)), method, mode)


def target_of(
    obj: Any, inputs: tuple[Any, ...], rng: Any, kind_of_layer: type[LayerTarget] = LayerTarget
) -> Target:
    """Return the target for an object and its inputs.  Raises TypeError or ValueError for unsuitable ones."""
    require_object(obj, inputs)
    params = getattr(obj, "params", {})
    first = real_array(inputs[0], "the input", one_backend(WHERE, **params) if params else None)
    kind = NetworkTarget if is_network(obj) else kind_of_layer
    return kind(obj, [first, *inputs[1:]], rng)


def check(target: Target, method: str, mode: str) -> GradientReport:
    """Run a target twice, compare every array, and explain what is off."""
    copied = target.copy()
    first = target.watched_run(copied)
    if len(first.inputs) > len(target.wanted):
        return check(target.of_inputs(first.inputs), method, mode)
    with_attributes = target.of_attributes(copied)
    if with_attributes is not None:
        return check(with_attributes, method, mode)
    faults = verdicts.of_writing(first)
    second = first
    if not any(fault.kind == "writes into its input" for fault in faults):
        second = target.run(copied)
        faults += verdicts.of_hidden_state(first, second)
    if any(fault.kind != "writes into dout" for fault in faults):  # comparing values would be meaningless
        arrays = [_without_numbers(n, array, Verdict("not compared")) for n, array in copied.arrays.items()]
        return GradientReport(target.name, method, mode, arrays, faults)

    comparison = Comparison(target, first, method, copied)
    note = comparison.measure()
    arrays = [_check_array(comparison, name, second.gradients[name], mode) for name in copied.arrays]
    if any(array.verdict == "wrong" and _only_complex_disagrees(comparison, array) for array in arrays):
        report = check(target, "central", mode)
        return replace(report, note="the complex step does not see what central differences see of an entry")
    if any(array.verdict == "wrong" for array in arrays):
        culprit = _faulty_layer(comparison, {array.name for array in arrays if not array.ok})
        faults += [] if culprit is None else [culprit[1]]
        exact = comparison.exact() or comparison  # the finer method explains better
        arrays = [_explained(exact, array, culprit) for array in arrays]
    return GradientReport(target.name, comparison.method, mode, arrays, faults, note)


def _check_array(comparison: Comparison, name: str, second: Any, mode: str) -> ArrayCheck:
    """Compare one array.  second: its gradient from the second run."""
    array, gradient = comparison.copy_for("central").arrays[name], comparison.gradients[name]
    verdict = verdicts.of_form(comparison, name, gradient, array.shape)
    if verdict:
        return _without_numbers(name, array, verdict)
    found = _every_entry(comparison, name) if mode == "full" else _one_direction(comparison, name)
    verdict = verdicts.of_second_run(comparison, name, gradient, second)
    return _without_numbers(name, array, verdict) if verdict else found


def _one_direction(comparison: Comparison, name: str) -> ArrayCheck:
    """Compare along one random direction and, if that disagrees, at an entry at fault."""
    gradient, direction, slope = comparison.gradients[name], *comparison.slopes[name]
    backward = float((gradient * direction).sum())
    gap, limit = comparison.gap(gradient, direction, slope)
    if not gap <= limit:
        if gap <= false_alarms.ROUNDING * (1.0 + comparison.run.terms + abs(backward)):
            limit += float(false_alarms.rounding(comparison, name, direction))
        slope, limit = false_alarms.finer(comparison, name, direction, backward, limit) or (slope, limit)
        gap = abs(backward - slope)
    if not gap <= limit:
        index = find(comparison, name)
        at, derivative = float(gradient[tuple(index)]), comparison.at_entry(name, index)
        if false_alarms.slopes_at_kink(comparison, name, index, at):
            return _every_entry(comparison, name)
        off, allowed = abs(at - derivative), comparison.limit(abs(derivative))
        if not off <= allowed:  # else many are slightly off: the direction shows it better
            return ArrayCheck(name, gradient.size, off, off, allowed, index, at, derivative, "wrong")
    verdict = "ok" if gap <= limit else "wrong"
    return ArrayCheck(name, gradient.size, gap, gap, limit, None, backward, slope, verdict)


def _every_entry(comparison: Comparison, name: str) -> ArrayCheck:
    """Compare every entry; at a kink either slope is accepted."""
    gradient, numerical = comparison.gradients[name], comparison.every_entry(name)
    difference = to_numpy(abs(gradient - numerical)).copy()
    limit = comparison.limit(float(abs(numerical).max()))
    verdict, why, cleared = "", "", False
    size = 1.0 + comparison.run.terms + float(abs(numerical).max())
    if limit < difference.max() <= false_alarms.ROUNDING * size:
        limit = limit + false_alarms.rounding(comparison, name)
    while not (difference <= limit).all():
        worst = index_of(int((difference - limit).argmax()), difference.shape)
        at, allowed = float(gradient[tuple(worst)]), float((limit + 0.0 * difference)[tuple(worst)])
        slopes = false_alarms.slopes_at_kink(comparison, name, worst, at)
        if slopes is None and not false_alarms.finer(comparison, name, ONE, at, allowed, entry(worst)):
            verdict = "wrong"
            break
        if slopes is not None and not why:
            why = "at {} the slope is {:.6g} to the left and {:.6g} to the right".format(worst, *slopes)
        difference[tuple(worst)] = 0.0
        if not cleared:  # clear most of the others at once
            difference[false_alarms.agreeing(comparison, name, limit)] = 0.0
            cleared = True
    worst = index_of(int(difference.argmax()), difference.shape)
    at, derivative = float(gradient[tuple(worst)]), float(numerical[tuple(worst)])
    mean, largest = float(difference.mean()), float(difference.max())
    verdict = verdict or ("kink" if why else "ok")
    limit = float(to_numpy(limit).max())
    return ArrayCheck(name, gradient.size, mean, largest, limit, worst, at, derivative, verdict, why)


def _only_complex_disagrees(comparison: Comparison, array: ArrayCheck) -> bool:
    """Return whether central differences at an entry agree with backward but not with the complex step."""
    if comparison.method != "complex" or array.index is None:
        return False
    central = comparison.slope(array.name, ONE, "central", region=entry(array.index))
    limit = comparison.limit(abs(central), "central")
    return abs(array.backward - central) <= limit and abs(array.numerical - central) > 10.0 * limit


def _explained(comparison: Comparison, array: ArrayCheck, culprit: tuple[str, Verdict] | None) -> ArrayCheck:
    """Return a check with the cause of a wrong gradient: a faulty layer of the network, or its own."""
    if array.verdict != "wrong":
        return array
    verdict = Verdict("wrong")
    if culprit is None or culprit[1].kind == "writes into dout":  # which may be harmless here
        verdict = verdicts.explain(comparison, array.name)
    if culprit is not None and verdict.kind == "wrong":
        verdict = Verdict(culprit[1].kind, f"see {culprit[0]}")
    return replace(array, verdict=verdict.kind, why=verdict.why)


def _faulty_layer(comparison: Comparison, wrong_names: set[str]) -> tuple[str, Verdict] | None:
    """Return the name and verdict of a layer of a network that is wrong on its own, given its inputs there.

    A layer whose own gradients are the only wrong ones is tried first, then the others from last to first,
    the order in which backward passes errors on.
    """
    target, copied = comparison.target, comparison.copy_for("central")
    wrong_ids = {id(copied.arrays[name]) for name in wrong_names}
    try:
        layers = [*target.layers(copied)][::-1]
    except Exception:  # the layers do not form a chain
        return None
    layers.sort(
        key=lambda part: not wrong_ids <= {id(own) for own in getattr(part[1], "params", {}).values()}
    )
    harmless = None  # perhaps: the modified dout may never be read again
    for name, layer, inputs in layers:
        try:
            kind = LastLayerTarget if len(inputs) > 1 else LayerTarget
            report = check(target_of(layer, inputs, target.rng, kind), "complex", "fast")
        except Exception:  # not a layer on its own
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
