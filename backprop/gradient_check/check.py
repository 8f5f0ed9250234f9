"""The check of layers, losses and networks: backward against the numerical derivative of forward.

The check works on copies with float64 or complex128 parameters and never modifies the object itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from backends import one_backend
from backprop.arrays.checks import one_of
from backprop.arrays.initializers import generator, same_random_numbers
from backprop.gradient_check.adapter import Adapter
from backprop.gradient_check.comparison import MAX_LIMIT, Comparison
from backprop.gradient_check.copies import built, require_copies
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
from backprop.gradient_check.stale import stale_values
from backprop.gradient_check.target import Run, Target
from backprop.gradient_check.unseen import require_constants, uncompared
from backprop.losses import Loss
from backprop.networks.network import Network
from backprop.numerical.gradient import STEP_DTYPES

# Faults in spite of which values can be compared.
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

    The check runs in float64 on a deep copy of the object and everything it holds; only what it takes from
    closures and globals is not copied. Each array gets a verdict, which a separate test has confirmed.

    Parameters
    ----------
    obj : object
        A layer or a loss with `forward` and `backward`, or a network with `loss` and `gradient`.  Parameters
        are in `params` and `grads`, or in attributes W, b and dW, db. Many other names are recognized
        (docs/guides/gradient_check.md lists them); an `Adapter` covers the rest, and `check_function` takes
        functions. A layer that has no arrays yet, such as Affine(3), gets them from the shape of x and a
        fixed seed, on the copy; they are moved away from 1 and 0, which hide faults.
    *inputs : array
        x for a layer, logits and labels for a loss, x and t for a network. If backward returns a tuple, its
        items are the gradients of the first inputs.
    method : {"complex", "central"}
        The complex step, exact to rounding, or central differences. If forward is not analytic, central
        differences are taken in either case, and the report says so.
    mode : {"fast", "full"}
        Compare along one random direction per array, and at a wrong entry if that disagrees; or compare
        every entry.
    rng : int or numpy.random.Generator
        Seed of the random directions and of `dout`.
    constants : sequence of str
        Arrays that have no gradient, by the names that the report shows.

    Returns
    -------
    GradientReport
        True in a boolean context if every gradient is right. An array that the output depends on, but for
        which no gradient is found, is listed as "not compared", and then the report is not ok.

    Raises
    ------
    ValueError
        If the method, the mode or a constant is unknown, or an array is empty or not finite.
    TypeError
        If the object has no forward and backward, or data are not real numbers or not on its backend.

    Notes
    -----
    docs/guides/gradient_check.md lists the verdicts and what confirms each.

    Examples
    --------
    >>> from backprop import TwoLayerNet, check_gradients
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
    """Return the target for an object and its inputs. Raise TypeError or ValueError if they do not suit."""
    require_object(obj, inputs)
    own = obj.layer if isinstance(obj, Adapter) and not obj.is_explicit else obj
    if isinstance(own, (Network, Loss)) and len(inputs) != 2:
        rule = "a network takes x and t" if isinstance(own, Network) else "a loss takes scores and targets"
        raise TypeError(f"{WHERE}: {rule}, got {len(inputs)} inputs")
    constants = names_of(constants)
    params = getattr(obj, "params", {})
    arrays = {str(n): a for n, a in params.items() if is_array(a)} if isinstance(params, Mapping) else {}
    owner = one_backend(WHERE, **arrays) if arrays else None
    first = real_array(inputs[0], "the input", owner)
    obj, data = built(obj, first), [first, *inputs[1:]]
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
    """Run a target twice, compare every array, and explain the differences."""
    copied = target.copy()
    first = target.watched_run(copied)
    if len(first.inputs) > len(target.wanted):
        return check(target.with_inputs(first.inputs), method, mode)
    second = target.run(copied) if set(first.written) <= {"dout"} else first
    faults = _faults(first, second) + target.faults()
    if target.reach.has_foreign_objects and not faults:
        faults += stale_values(target, copied, first, second)
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
        report.arrays += uncompared(target, copied)
        return report


def _compare(comparison: Comparison, second: Run, faults: list[Verdict], mode: str) -> GradientReport:
    """Compare every array along a random direction; look closer at those that disagree."""
    target, note = comparison.target, comparison.measure()
    quick = {name: _fast_row(comparison, name, second) for name in comparison.slopes}
    rows = [row for row in quick.values() if row is not None]
    report = GradientReport(target.name, comparison.method, mode, rows, faults, note)
    if mode == "fast" and len(rows) == len(quick):
        return report

    from backprop.gradient_check import explaining  # imported only if something is off

    report.arrays = explaining.checked_closely(comparison, quick, second.gradients, mode)
    if any(explaining.complex_step_misses(comparison, array) for array in report.arrays):
        note = "at an entry, the complex step misses a slope that central differences see"
        by_differences = comparison.by_central_differences()
        return replace(_compare(by_differences, second, faults, mode), note=note)
    if any(array.verdict == "wrong" for array in report.arrays):
        return explaining.with_causes(comparison, report)
    return report


def _fast_row(comparison: Comparison, name: str, second: Run) -> ArrayCheck | None:
    """Return the row of an array that agrees along its direction, or None if it needs a closer look."""
    gradient, again = comparison.gradients[name], second.gradients[name]
    direction, slope = comparison.slopes[name]
    if not (is_array(gradient) and is_array(again) and gradient.dtype.kind == again.dtype.kind == "f"):
        return None
    if not gradient.shape == again.shape == direction.shape or differ(gradient, again):
        return None
    along = compare(gradient, direction, slope)
    limit = comparison.limit(along.size)
    if not abs(along.backward - along.derivative) <= limit <= MAX_LIMIT * along.size < float("inf"):
        return None
    return ArrayCheck.along(name, gradient, along, limit, Verdict("ok" if along.size else "zero"))


def _faults(first: Run, second: Run) -> list[Verdict]:
    """Return the faults of the object as a whole that two runs show."""
    is_other = first.out.shape != second.out.shape or differ(first.out, second.out)
    if not first.written and not is_other:
        return []
    from backprop.gradient_check.verdicts import (  # imported only if something is off
        HIDDEN_STATE,
        in_place_writes,
    )

    return in_place_writes(first) + ([HIDDEN_STATE] if is_other else [])
