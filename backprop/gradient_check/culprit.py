"""The layer at fault in a network: replaced by a correct stand-in, it leaves the gradients right."""

from collections.abc import Callable, Iterator
from typing import Any

from backprop.gradient_check.causes.quotients import compared
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.parts import Layers
from backprop.gradient_check.report import GradientReport, Verdict
from backprop.gradient_check.stand_in import stand_in
from backprop.networks.own_passes import parameters_of

Check = Callable[[Any, tuple[Any, ...]], GradientReport]


def culprits(
    comparison: Comparison, wrong: set[str], check: Check
) -> tuple[dict[str, Verdict], list[Verdict]]:
    """Return verdicts on the wrong arrays that a layer of the network explains, and verdicts on those layers.

    wrong: names of arrays.  check: a function of a layer and its inputs that returns a report.

    A stand-in that makes an array right stays in place. A layer that is wrong by itself, but whose stand-in
    makes no array right, is only mentioned.
    """
    target, copied = comparison.target, comparison.target.copy()
    causes: dict[str, Verdict] = {}
    confirmed: list[tuple[str, Verdict]] = []
    mentioned: list[tuple[str, Verdict]] = []
    try:
        layers = _in_order([*target.layers(copied)], {id(copied.arrays[name]) for name in wrong})
    except Exception:  # the layers of this network cannot be watched
        return {}, []
    for name, layer, inputs in layers:
        if wrong <= causes.keys():
            break
        fault = next(_faults(layer, inputs, check), None)
        if fault is None:
            continue
        corrected = _corrected(comparison, wrong - causes.keys(), copied.obj, layer, inputs)
        causes |= dict.fromkeys(corrected, Verdict(fault.kind, f"see {name}"))
        (confirmed if corrected else mentioned).append((name, fault))
    others = [] if wrong <= causes.keys() else mentioned
    return causes, [
        *_by_kind(confirmed, "the fault is in {}"),
        *_by_kind(others, "{} is also wrong by itself"),
    ]


def _in_order(layers: Layers, wrong: set[int]) -> Layers:
    """Return layers from last to first, the order in which backward propagates errors.

    wrong: identities of arrays. A layer that holds all of them comes first; layers behind one whose own
    gradients are right come last.
    """
    backwards = layers[::-1]
    right = [i for i, (_, layer, _) in enumerate(backwards) if _own(layer) and not _own(layer) & wrong]
    first = max(right, default=0)
    return sorted(backwards[first:] + backwards[:first], key=lambda each: not wrong <= _own(each[1]))


def _own(layer: Any) -> set[int]:
    """Return the identities of a layer's parameters."""
    return {id(array) for array in parameters_of(layer, layer).values()}


def _by_kind(found: list[tuple[str, Verdict]], words: str) -> Iterator[Verdict]:
    """Yield a verdict for each kind of fault, on the first layer that has it; name the other layers."""
    for kind in dict.fromkeys(fault.kind for _, fault in found):
        (name, fault), *others = [(name, fault) for name, fault in found if fault.kind == kind]
        also = f"; also in {', '.join(name for name, _ in others)}" if others else ""
        yield Verdict(kind, f"{words.format(name)}: {fault.why}{also}")


def _faults(layer: Any, inputs: tuple[Any, ...], check: Check) -> Iterator[Verdict]:
    """Yield the faults of a layer checked alone, its gradients first."""
    try:
        report = check(layer, inputs)
    except Exception:  # it cannot be checked alone
        return
    for array in report.arrays:
        if not array.ok and array.verdict != "not compared":
            yield Verdict(array.verdict, str(array))
    yield from report.faults


def _corrected(
    comparison: Comparison, wrong: set[str], net: Any, layer: Any, inputs: tuple[Any, ...]
) -> list[str]:
    """Return the wrong arrays that a stand-in for a layer makes right; remove it if there are none."""
    target, kind = comparison.target, type(layer)
    try:
        layer.__class__ = stand_in(layer, inputs, target.rng)
        instead = compared(target.with_object(net), comparison.method)
        directions = {name: comparison.slopes[name][0] for name in sorted(wrong)}
        corrected = [n for n, u in directions.items() if instead.agrees_along(n, instead.gradients[n], u)]
    except Exception:  # not every layer or network accepts a stand-in
        corrected = []
    if not corrected:
        layer.__class__ = kind
    return corrected
