"""A sum, a mean or a product along the wrong axis."""

from collections.abc import Iterator
from itertools import combinations
from math import prod

from backends import to_numpy
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import SAME, differ
from backprop.gradient_check.target import Target


def wrong_axis(comparison: Comparison, name: str) -> str:
    """Test whether a sum, a mean or a product runs along the wrong axis."""
    gradient, target = comparison.gradients[name], comparison.target
    is_square = len(gradient.shape) == 2 and gradient.T.shape == gradient.shape
    if is_square and comparison.agrees(name, gradient.T):
        return "it is right when transposed"
    for axes, words in choices_of_axes(len(gradient.shape)):
        one = gradient[tuple(slice(0, 1 if i in axes else size) for i, size in enumerate(gradient.shape))]
        stretched = gradient.size > one.size and not differ(gradient, one + 0.0 * gradient)
        if stretched and comparison.agrees(name, one):
            return f"it is summed over {words} and broadcast back"
    return _mixes_samples(target, name) if name in target.input_names else along_batch(comparison, name)


def along_batch(comparison: Comparison, name: str) -> str:
    """Test whether the shape of a parameter's gradient changes, or backward fails, with fewer samples."""
    (fewer, _), shape = _one_fewer(comparison.target), comparison.gradients[name].shape
    if fewer is None:
        return ""
    try:
        got = fewer.run(fewer.copy()).gradients[name].shape
    except (ValueError, IndexError) as error:
        return f"with one sample fewer backward fails ({error}): it confuses the batch with another axis"
    runs_along = prod(got) != prod(shape)
    return f"with one sample fewer its shape is {got}: it follows the batch size" if runs_along else ""


def _mixes_samples(target: Target, name: str) -> str:
    """Test whether the dout of one sample changes all other gradients though forward keeps samples apart."""
    fewer, samples = _one_fewer(target)
    if fewer is None or not target.honours_dout or target.is_loss:
        return ""
    run = target.run(target.copy())
    if run.out.shape[0] != samples or differ(fewer.run(fewer.copy()).out, run.out[:-1]):
        return ""
    dout = to_numpy([[1.0]] * (samples - 1) + [[2.0]]).reshape(samples, *[1] * (len(run.out.shape) - 1))
    changed = target.run(target.copy(), dout=dout).gradients[name] - run.gradients[name]
    if all(abs(changed[n]).max() > SAME * abs(changed).max() for n in range(samples - 1)):
        return "forward keeps samples apart, but the gradient of each depends on the dout of others"
    return ""


def _one_fewer(target: Target) -> tuple[Target | None, int]:
    """Return the target with one sample fewer, or None if it has only one, and how many samples it has."""
    samples = target.inputs[0].shape[0] if target.inputs[0].shape else 1
    return target.with_samples(slice(0, samples - 1)) if samples > 1 else None, samples


def choices_of_axes(count: int) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield all non-empty choices of axes, small ones first, each in words: "axis 0", "axes 0, 1"."""
    for size in range(1, count + 1):
        for axes in combinations(range(count), size):
            yield axes, f"{'axis' if size == 1 else 'axes'} {', '.join(map(str, axes))}"
