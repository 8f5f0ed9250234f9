"""Compare backward with the numerical derivative of forward, for layers, losses and networks.

The check works on copies with float64 or complex128 parameters; the object itself is not modified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from backends import one_backend
from backprop.arrays.checks import one_of
from backprop.arrays.initializers import generator, same_random_numbers
from backprop.gradient_check.adapter import Adapter
from backprop.gradient_check.comparison import TELLING, Comparison
from backprop.gradient_check.copies import require_copies
from backprop.gradient_check.fast import compare
from backprop.gradient_check.host_arrays import differ, quiet
from backprop.gradient_check.layer_target import LayerTarget
from backprop.gradient_check.network_target import NetworkTarget, is_loss_layer, network_inputs
from backprop.gradient_check.recognition import recognized
from backprop.gradient_check.report import MODES, ArrayCheck, GradientReport, Verdict
from backprop.gradient_check.requirements import (
    WHERE,
    is_array,
    is_network,
    names_of,
    real_array,
    require_object,
)
from backprop.gradient_check.stale import of_stale_values
from backprop.gradient_check.target import Run, Target
from backprop.gradient_check.unseen import require_constants, unseen
from backprop.losses import Loss
from backprop.networks.network import Network
from backprop.numerical.gradient import STEP_DTYPES

# Faults that leave something to compare.
HARMLESS = ("writes into dout", "updates itself", "stale values", "not linear in dout")


def check_gradients(
    obj: Any,
    *inputs: Any,
    method: str = "complex",
    mode: str = "fast",
    rng: Any = 0,
    constants: Sequence[str] = (),
) -> GradientReport:
    """Compare backward with the numerical derivative of forward, for every parameter and the input.

    obj, inputs: a layer and x; a loss, logits and labels; a network, x and t.  An object of one's own has
    `forward` and `backward`, and `params` and `grads` or attributes W, b and dW, db if it has any; a network
    `loss` and `gradient`.  Many other names are known, styles.py lists them; an Adapter takes any, and
    `check_function` takes functions.  An array that the output depends on and that is not compared is listed
    so; then the report is not ok.
    Everything is computed in float64.  Where backward returns a tuple, its items belong to the first inputs.
    method: "complex" step (exact to rounding), or "central" differences, which are also taken, and the report
    says so, where forward turns out not to be analytic.
    mode: "fast", along one random direction per array and, if that disagrees, at an entry at fault;
    "full", every entry.
    rng: a seed or Generator for the directions and for `dout`.
    constants: names of arrays, as the report shows them, that are not to be differentiated by.
    The object is copied with all that it holds; what it uses from closures and globals is not.
    The report gives each array a verdict confirmed by a separate test;
    docs/guides/gradient_check.md lists them.
    Raises ValueError for an unknown method or mode and for arrays that are empty or not finite, TypeError for
    an object without forward and backward, for data that are not real numbers or on another backend.

    >>> from backprop import TwoLayerNet
    >>> report = check_gradients(TwoLayerNet(4, 3, 2, rng=0), [[1.0, 2.0, 3.0, 4.0]], [1])
    >>> report.ok, [array.name for array in report.arrays]
    (True, ['W1', 'b1', 'W2', 'b2', 'x'])
    """
    one_of(WHERE, "method", method, STEP_DTYPES)
    one_of(WHERE, "mode", mode, MODES)
    with same_random_numbers():
        return check(target_of(obj, inputs, generator(rng, WHERE), constants=constants), method, mode)


def target_of(
    obj: Any,
    inputs: tuple[Any, ...],
    rng: Any,
    kind_of_layer: type[LayerTarget] = LayerTarget,
    constants: Sequence[str] = (),
) -> Target:
    """Return the target for an object and its inputs.  Raises TypeError or ValueError for unsuitable ones."""
    require_object(obj, inputs)
    own = obj.layer if isinstance(obj, Adapter) and not obj.is_told else obj
    if isinstance(own, (Network, Loss)) and len(inputs) != 2:
        rule = "a network takes x and t" if isinstance(own, Network) else "a loss takes scores and targets"
        raise TypeError(f"{WHERE}: {rule}, got {len(inputs)} inputs")
    constants = names_of(constants)
    params = getattr(obj, "params", {})
    arrays = {str(n): a for n, a in params.items() if is_array(a)} if isinstance(params, Mapping) else {}
    owner = one_backend(WHERE, **arrays) if arrays else None
    first = real_array(inputs[0], "the input", owner)
    data: list[Any] = [first, *inputs[1:]]
    require_copies(data)
    wanted: tuple[int, ...] = (0,)
    if is_network(obj) and not isinstance(obj, Network):
        data, wanted = network_inputs(obj, data, inputs[0])
    if is_network(obj) and not is_loss_layer(obj, data):
        target: Target = NetworkTarget(obj, data, rng, wanted, constants)
    else:
        layer = obj if isinstance(obj, Adapter) else Adapter(obj)
        found = recognized(layer, data, inputs[0], constants)
        target = kind_of_layer(found.layer, found.inputs, rng, found.wanted, constants)
    require_constants(target)
    return target


def check(target: Target, method: str, mode: str) -> GradientReport:
    """Run a target twice, compare every array, and explain what is off."""
    copied = target.copy()
    first = target.watched_run(copied)
    if len(first.inputs) > len(target.wanted):
        return check(target.of_inputs(first.inputs), method, mode)
    second = target.run(copied) if set(first.written) <= {"dout"} else first
    faults = _faults(first, second) + target.faults()
    if target.reach.has_strangers and not faults:
        faults += of_stale_values(target, copied, first, second)
    if any(fault.kind not in HARMLESS for fault in faults):  # comparing values would be meaningless
        not_compared = Verdict("not compared")
        rows = [ArrayCheck.without_numbers(n, array, not_compared) for n, array in copied.arrays.items()]
        return GradientReport(target.name, method, mode, rows, faults)
    with quiet():
        report = _compare(Comparison(target, first, method, copied), second, faults, mode)
        if remark := target.remark:
            report.arrays = [
                row.with_verdict(remark) if row.verdict == "ok" else row for row in report.arrays
            ]
        report.arrays += unseen(target, copied)
        return report


def _compare(comparison: Comparison, second: Run, faults: list[Verdict], mode: str) -> GradientReport:
    """Compare every array along a random direction, and look closer where one is off."""
    target, note = comparison.target, comparison.measure()
    quick = {name: _fast_row(comparison, name, second) for name in comparison.slopes}
    rows = [row for row in quick.values() if row is not None]
    report = GradientReport(target.name, comparison.method, mode, rows, faults, note)
    if mode == "fast" and len(rows) == len(quick):
        return report

    from backprop.gradient_check import explaining  # not loaded where all is right

    report.arrays = explaining.checked_closely(comparison, quick, second.gradients, mode)
    if any(explaining.sees_less(comparison, array) for array in report.arrays):
        note = "the complex step does not see what central differences see of an entry"
        by_differences = comparison.by_central_differences()
        return replace(_compare(by_differences, second, faults, mode), note=note)
    if any(array.verdict == "wrong" for array in report.arrays):
        return explaining.with_causes(comparison, report)
    return report


def _fast_row(comparison: Comparison, name: str, second: Run) -> ArrayCheck | None:
    """Return the row of an array that agrees along its direction, or None where a closer look is needed."""
    gradient, again = comparison.gradients[name], second.gradients[name]
    direction, slope = comparison.slopes[name]
    if not (is_array(gradient) and is_array(again) and gradient.dtype.kind == again.dtype.kind == "f"):
        return None
    if not gradient.shape == again.shape == direction.shape or differ(gradient, again):
        return None
    along = compare(gradient, direction, slope)
    limit = comparison.limit(along.size)
    if not abs(along.backward - along.derivative) <= limit <= TELLING * along.size < float("inf"):
        return None
    return ArrayCheck.along(name, gradient, along, limit, Verdict("ok" if along.size else "zero"))


def _faults(first: Run, second: Run) -> list[Verdict]:
    """Return what is wrong with the object as a whole."""
    is_other = first.out.shape != second.out.shape or differ(first.out, second.out)
    if not first.written and not is_other:
        return []
    from backprop.gradient_check.verdicts import HIDDEN_STATE, of_writing  # not loaded where all is right

    return of_writing(first) + ([HIDDEN_STATE] if is_other else [])
