"""Initial weights by one setting: a standard deviation, the name of a rule, or a function."""

from collections.abc import Callable
from numbers import Real
from typing import Any

from backends import host_array, shown
from backprop.arrays.checks import function, positive_number
from backprop.arrays.initializers import constant, gaussian
from backprop.arrays.near import hint

# Variance of a weight, times the number of inputs n that a unit sums over. "relu" and "sigmoid" are the
# book's names for He's and Xavier's rule: those of the activation that follows.
VARIANCES = {"he": 2.0, "xavier": 1.0, "zeros": 0.0, "relu": 2.0, "sigmoid": 1.0}

Rule = float | str | Callable[..., Any]


class WrongInitialWeights(ValueError):
    """Weights from a user's function that no layer can start with."""


def rule_of(where: str, value: Any, name: str = "weight_init_std") -> Rule:
    """Return a checked rule: a number of at least 0, a known name, or a function.

    name: of the setting, for errors.
    """
    if isinstance(value, str) and value in VARIANCES:
        return value
    if callable(value):
        return function(where, name, value)
    if isinstance(value, Real):
        return positive_number(where, name, value, or_zero=True)
    *names, last = VARIANCES
    as_error = ValueError if isinstance(value, str) else TypeError
    rule = f"{name} must be a number, a function, or {', '.join(names)} or {last}"
    raise as_error(f"{where}: {rule}, got {shown(value)}{hint(value, VARIANCES)}")


def initial_weights(where: str, rule: Rule, shape: tuple[int, ...], inputs: int, rng: Any) -> Any:
    """Return weights of this shape, float64, on the host.

    The standard deviations of the rules are::

        he      √(2 / n)        xavier  √(1 / n)        zeros   0

    Parameters
    ----------
    where : str
        Name of the layer, for errors.
    rule : float, str or callable
        As `rule_of` returns it. A function is called as f(shape, rng) and returns an array.
    shape : tuple of int
    inputs : int
        n, the number of values that each unit of the layer sums over.
    rng : numpy.random.Generator

    Raises
    ------
    WrongInitialWeights
        If a function fails, or returns anything but finite numbers in this shape.

    Notes
    -----
    Source: book section 6.2; He et al., arXiv 1502.01852, 2015; Glorot and Bengio, AISTATS 2010. Xavier's
    rule is in the book's form, without the number of outputs.

    Examples
    --------
    >>> from backprop.arrays.initializers import generator
    >>> weights = initial_weights("Affine", "he", (200, 100), 200, generator(0))
    >>> weights.shape, round(float(weights.std()), 2)
    ((200, 100), 0.1)
    """
    if isinstance(rule, str):
        variance = VARIANCES[rule] / inputs
        return gaussian(shape, variance**0.5, rng) if variance else constant(shape, 0.0)
    if not callable(rule):
        return gaussian(shape, rule, rng)
    what = f"weight_init_std, {getattr(rule, '__name__', shown(rule))},"
    try:
        given = rule(shape, rng)
    except MemoryError:
        raise
    except Exception as error:
        raise WrongInitialWeights(f"{where}: {what} raised {type(error).__name__}: {error}") from error
    must = f"{where}: {what} must return finite numbers in shape {shape}"
    try:
        values = host_array(where, "weights", given)
    except Exception as error:
        raise WrongInitialWeights(f"{must}, got {shown(given)}") from error
    if values.shape != shape:
        raise WrongInitialWeights(f"{must}, got shape {values.shape}")
    if values.dtype.kind not in "iuf" or not (abs(values) < float("inf")).all():
        got = f"an array of {values.dtype}" if values.dtype.kind not in "iuf" else "NaN or infinity"
        raise WrongInitialWeights(f"{must}, got {got}")
    return values.astype("float64")  # a copy, since the function may return one array every time
