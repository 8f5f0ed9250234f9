"""Arrays that are not compared although the output depends on them; declared constants."""

from copy import deepcopy

from backends import describe, kind, listed, shown
from backprop.gradient_check.copies import root_of
from backprop.gradient_check.dependence import depended_on
from backprop.gradient_check.host_arrays import on_host
from backprop.gradient_check.parameters import with_gradient
from backprop.gradient_check.places import Reached
from backprop.gradient_check.reach import reach
from backprop.gradient_check.report import ArrayCheck, Verdict
from backprop.gradient_check.requirements import WHERE, is_array
from backprop.gradient_check.target import Target, TargetCopy
from backprop.gradient_check.values import values_of

NO_GRADIENT = (
    "forward depends on it, but no gradient for it was found; name one with an Adapter, or declare it "
    "constant: constants=[{!r}]"
)
NO_ARRAY = (
    "forward depends on it, but it is {}, not an array of real numbers; make it one, or declare it constant"
)


def uncompared(target: Target, copied: TargetCopy) -> list[ArrayCheck]:
    """Return a row, with the reason, for each array that a target depends on but that is not compared.

    copied: a copy that has run.
    """
    root = root_of(copied.obj)
    reached = reach(root)
    state = [array for array, _ in copied.state]
    known = {id(array) for array in (*copied.arrays.values(), *copied.inputs, *state)}
    others = [*reached.arrays.values(), *reached.others.values(), *with_gradient(root, reached.numbers)]
    others = [each for each in others if id(each.array) not in known and each.name not in target.constants]
    found = depended_on(root, others, lambda: on_host(target.value(copied)))
    return [_row(each) for each in _not_covered(found, copied)]


def _not_covered(arrays: list[Reached], copied: TargetCopy) -> list[Reached]:
    """Return the arrays that are not merely views of arrays that are compared."""
    compared = [*copied.arrays.values()] if arrays else []
    before = [deepcopy(array) for array in compared]
    for array in compared:
        array[...] = float("nan")
    found = [each for each in arrays if (values_of(each.array) == values_of(each.array)).any()]
    for array, values in zip(compared, before, strict=True):
        array[...] = values
    return found


def _row(each: Reached) -> ArrayCheck:
    is_plain = is_array(each.array) and kind(each.array) in "iuf"
    why = NO_GRADIENT.format(each.name) if is_plain else NO_ARRAY.format(describe(each.array))
    return ArrayCheck.without_numbers(each.name, values_of(each.array), Verdict("not compared", why))


def require_constants(target: Target) -> None:
    """Raise ValueError unless every constant of a target is the name of one of its arrays."""
    inputs = getattr(target.obj, "input_names", ())
    known = [*inputs, *target.params_of(target.obj), *(each.name for each in target.reach.named())]
    for name in target.constants:
        if name not in known:
            rule = f"{WHERE}: constants: {target.name} has no array {shown(name)}"
            raise ValueError(f"{rule}; it has {listed(dict.fromkeys(known)) or 'none'}")
