"""A gradient that is a multiple of the derivative, and the meaning of the factor."""

from math import log2, prod

from backprop.gradient_check.causes.quotients import compared, factor_of, same
from backprop.gradient_check.comparison import Comparison


def constant_factor(comparison: Comparison, name: str) -> str:
    """Test whether backward is a multiple of the derivative, the same multiple at another input."""
    target, method = comparison.target, comparison.method
    factor = factor_of(comparison, name)
    if factor is None or not same(factor, factor_of(compared(target.elsewhere(0.9), method), name), method):
        return ""
    if abs(factor - 1.0) < 1e-4:
        sign = "+" if factor > 1.0 else "-"
        return f"backward is (1 {sign} {abs(factor - 1.0):.3g}) times the derivative"
    return f"backward is {factor:.6g} times the derivative{_meaning(comparison, name, factor)}"


def _meaning(comparison: Comparison, name: str, factor: float) -> str:
    """Return the meaning of a factor in words, or "" if it is unknown."""
    if same(factor, -1.0, comparison.method):
        return ": the sign is wrong"
    if factor == 0.0:
        return ": nothing is passed back"
    if abs(factor - 1.0) < 1e-2:
        return ""
    powers = _powers(comparison, name, factor)
    if not any(powers.values()):
        return _suggestion(comparison, factor, {axis for axis in powers if powers[axis] is None})
    return _product_in_words(comparison, factor, {axis: power for axis, power in powers.items() if power})


def _powers(comparison: Comparison, name: str, factor: float) -> dict[int, int | None]:
    """Return the power of each input length in the factor, by axis; None if it cannot be determined.

    The axis is doubled: a factor that contains its length doubles, too. Axes of length 1 are skipped.
    """
    shape = comparison.target.inputs[0].shape
    return {axis: _power(comparison, name, factor, axis) for axis, size in enumerate(shape) if size > 1}


def _power(comparison: Comparison, name: str, factor: float, axis: int) -> int | None:
    method = comparison.method
    try:
        longer = factor_of(compared(comparison.target.doubled(axis), method), name)
    except Exception:  # an object may accept only one length
        return None
    if longer is None or not longer / factor > 0.0:
        return None
    power = round(log2(longer / factor))
    return power if same(longer / factor, 2.0**power, method) else None


def _product_in_words(comparison: Comparison, factor: float, powers: dict[int, int]) -> str:
    """Return a factor in words, as a product of input lengths.  powers: the nonzero ones, by axis."""
    shape, found = comparison.target.inputs[0].shape, {*powers.values()}
    rest = factor / prod(float(shape[axis]) ** power for axis, power in powers.items())
    is_all = same(rest, 1.0, comparison.method)
    above = [str(shape[axis]) for axis, power in powers.items() for _ in range(power)]
    below = [str(shape[axis]) for axis, power in powers.items() for _ in range(-power)]
    first = [] if is_all and above else [f"{rest:.6g}"]
    product = " / ".join([" · ".join(first + above), *below])
    if is_all and powers == {0: -1}:
        return ", 1/N for N samples: a division by N too many, or a mean in place of a sum"
    if is_all and powers == {0: 1}:
        return ", the number of samples N: a division by N is missing"
    if is_all and found == {1}:
        product = f"{product}, " if len(above) > 1 else ""
        return f", {product}{_product_of_lengths(powers, shape)}: a division by it is missing"
    if is_all and found == {-1}:
        what = _product_of_lengths(powers, shape)
        return f", {product}, one over {what}: a division by it too many, or a mean in place of a sum"
    return f", {product}, from {_lengths_in_words([*powers])}"


def _product_of_lengths(axes: dict[int, int], shape: tuple[int, ...]) -> str:
    """Return the product of some input lengths in words."""
    if axes.keys() == {axis for axis, size in enumerate(shape) if size > 1}:
        return "the number of entries"
    return _lengths_in_words([*axes]) if len(axes) == 1 else f"the product of {_lengths_in_words([*axes])}"


def _lengths_in_words(axes: list[int]) -> str:
    if axes == [0]:
        return "the number of samples"
    if len(axes) == 1:
        return f"the length of axis {axes[0]} of the input"
    return f"the lengths of axes {', '.join(map(str, axes))} of the input"


def _suggestion(comparison: Comparison, factor: float, unknown: set[int]) -> str:
    """Return words for a length, not tested by doubling, that equals the factor or its inverse; or ""."""
    places = {f"axis {axis} of the input": comparison.target.inputs[0].shape[axis] for axis in unknown}
    places |= {f"axis {i} of the output": size for i, size in enumerate(comparison.run.out.shape) if i}
    for place, size in places.items():
        if size > 2 and same(factor, float(size), comparison.method):
            return f", which is the length of {place}"
        if size > 2 and same(factor, 1.0 / size, comparison.method):
            return f", which is 1 / {size}; {size} is the length of {place}"
    return ""
