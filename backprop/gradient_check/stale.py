"""Stale values: an object must not use anything of an earlier run in a run with other arrays."""

from typing import Any

from backends import to_numpy
from backprop.gradient_check.host_arrays import quiet
from backprop.gradient_check.report import Verdict
from backprop.gradient_check.requirements import is_numeric
from backprop.gradient_check.target import Run, Target, TargetCopy

PRECISION = 1e-9  # relative: stale values are off by much more


def stale_values(target: Target, used: TargetCopy, first: Run, second: Run) -> list[Verdict]:
    """Return a verdict if, on other arrays, a copy that has run differs from a fresh one.

    first, second: two runs on the same arrays. Gradients that accumulate differ between them; another
    verdict reports those.
    """
    fresh, (inputs, arrays) = target.copy(), (used.inputs, used.arrays)
    others = {name: target.backend.asarray(_others(to_numpy(array))) for name, array in arrays.items()}
    params = {name: target.backend.copy(arrays[name]) for name in target.params}
    try:
        for copied in (used, fresh):
            for name in params:
                copied.arrays[name][...] = others[name]
            new = [others.get(name) for name in target.input_names]
            copied.inputs = [*inputs]
            for i, array in zip(target.wanted, new, strict=True):
                copied.inputs[i] = inputs[i] if array is None else target.backend.copy(array)
        with quiet():  # the object may overflow on these values
            again, anew = target.run(used), target.run(fresh)
    except Exception:  # it may not accept these values
        return []
    finally:
        used.inputs = inputs
        for name, array in params.items():
            arrays[name][...] = array
    pairs = {"the output": (again.out, anew.out)}
    with quiet():
        for name, gradient in anew.gradients.items():
            if _are_alike(first.gradients[name], second.gradients[name]):
                pairs[f"the gradient of {name}"] = again.gradients[name], gradient
        size = max(_size(new) for _, new in pairs.values())
        off = [what for what, (old, new) in pairs.items() if not _are_alike(old, new, PRECISION * size)]
    if not off:
        return []
    why = f"run again on other values, it differs from a fresh object in {' and '.join(off[:3])}"
    return [Verdict("stale values", f"{why}: something is kept from the first run; set it in every forward")]


def _others(values: Any) -> Any:
    """Return other values of the same kind: small ones, and in another order."""
    return 0.9 * (values[::-1] if values.shape else values)


def _are_alike(a: Any, b: Any, least: float = 0.0) -> bool:
    """Return whether two gradients differ by no more than rounding, or are not numbers to compare."""
    if not is_numeric(a) or not is_numeric(b):
        return True
    return a.shape == b.shape and not (abs(a - b) > PRECISION * _size(b) + least).any()


def _size(array: Any) -> float:
    return float(abs(array).max()) if is_numeric(array) and array.size else 0.0
