"""The derivative of a function by evaluating it.

Why h = 1e-6 for central differences: the rounding error, about 1e-16 |f| / h, stays near 1e-10, and a ReLU
kink rarely lies within the step. With the book's h = 1e-4 one of eight random networks has one there.

Why the complex step: f(x + ih) = f(x) + ih f'(x) + O(h²), so the imaginary part over h is the derivative
without a subtraction, exact to rounding for any tiny h. It needs an analytic f, and all layers here are
analytic.
"""

from collections.abc import Callable
from itertools import product
from typing import Any

from backends import AnyArray, Array, backend_of, describe, dtype_name, kind, one_backend, shown, to_numpy
from backprop.arrays.checks import function, one_of
from backprop.arrays.entering import first_not_finite

H_CENTRAL = 1e-6
H_COMPLEX = 1e-30
STEP_DTYPES = {"central": "float64", "complex": "complex128"}


class NotAnalytic(TypeError):
    """A function returned a real number for a complex argument, so the complex step cannot be used."""


def numerical_gradient(f: Callable[[AnyArray], Any], x: AnyArray, *, method: str = "central") -> AnyArray:
    """Return the gradient of f at x by central differences or the complex step.

    The methods are::

        central:  (f(x + h) - f(x - h)) / 2h,  h = 1e-6 max(1, |x|)
        complex:  Im f(x + ih) / h,  h = 1e-30

    Parameters
    ----------
    f : callable
        Takes x and returns one number, in double precision.
    x : array
        float64 ("central") or complex128 ("complex"), of any backend. It is perturbed in place, one entry
        at a time, and is restored bit for bit when this returns or raises.
    method : {"central", "complex"}

    Returns
    -------
    array
        The gradient, float64, in the shape of x.

    Raises
    ------
    TypeError
        If x has another dtype or is not writable, or f does not return one number in double precision.
    ValueError
        If the method is unknown, or x is empty or not finite.

    Notes
    -----
    Source: book section 4.3.2; complex step: Squire and Trapp, SIAM Review 40, 1998.

    Examples
    --------
    >>> from backprop import numerical_gradient, xp
    >>> numerical_gradient(lambda x: x[0] ** 2 + 3.0 * x[1], xp.asarray([2.0, 5.0])).round(6)
    array([4., 3.])
    >>> numerical_gradient(lambda x: x[0] ** 2 + 3.0 * x[1], xp.asarray([2.0 + 0j, 5.0]), method="complex")
    array([4., 3.])
    """
    require_method("numerical_gradient", method)
    function("numerical_gradient", "f", f)
    backend: Any = one_backend("numerical_gradient", x=x)
    wanted = STEP_DTYPES[method]
    if dtype_name(x.dtype) != wanted:
        cure = f'convert it: asarray(x, dtype="{wanted}")'
        raise TypeError(f'numerical_gradient: method "{method}" needs x in {wanted}, got {x.dtype}; {cure}')
    if 0 in x.shape:
        raise ValueError(f"numerical_gradient: x must hold at least one number, got shape {x.shape}")
    if not backend.writable(x):
        rule = "x must be an array that can be changed in place, not a number or a read-only view"
        raise TypeError(f"numerical_gradient: {rule}, got {describe(x)}; copy it: numpy.array(x)")
    if not backend.all_finite(x):
        raise ValueError(f"numerical_gradient: x must be finite, got {first_not_finite(to_numpy(x))}")
    if method == "complex" and to_numpy(x).imag.any():
        raise ValueError("numerical_gradient: x must have no imaginary part, since the complex step adds one")
    derivative = _central if method == "central" else _complex
    before = backend.copy(x)
    try:
        values = [derivative(f, x, index) for index in product(*map(range, x.shape))]
    finally:
        x[...] = before  # restore the whole array: some libraries store a scalar -0.0 as 0.0
    gradient: AnyArray = backend.reshape(backend.asarray(values, "float64"), x.shape)
    return gradient


def value_at(f: Callable[[], Any], x: Array, direction: Any, step: Any, region: Any = ...) -> Any:
    """Return f with x moved by step · direction, as a Python number of the type of step. x is restored.

    f: takes no argument and reads x, an array of float64 or, for a complex step, complex128.
    direction: float64, in the shape of x, or of x[region] if only that part is moved.
    """
    part = x[region]  # a view
    before = backend_of(x).copy(part)
    try:
        part += direction * step
        return _number(f(), type(step))
    finally:
        part[...] = before


def require_method(where: str, method: str) -> None:
    """Raise ValueError for an unknown method."""
    one_of(where, "method", method, STEP_DTYPES)


def central_steps(values: Any) -> Any:
    """Return the steps of central differences for entries with these values, a host array."""
    return H_CENTRAL * abs(values).clip(1.0, None)


def _central(f: Callable[[Any], Any], x: Array, index: tuple[int, ...]) -> float:
    at = float(x[index])
    h = H_CENTRAL * max(1.0, abs(at))
    above, below = at + h, at - h
    x[index] = above
    f_above = _number(f(x), float)
    x[index] = below
    f_below = _number(f(x), float)
    x[index] = at
    difference: float = (f_above - f_below) / (above - below)  # the actual step, after rounding
    return difference


def _complex(f: Callable[[Any], Any], x: Array, index: tuple[int, ...]) -> float:
    at = complex(x[index])
    x[index] = complex(at.real, at.imag + H_COMPLEX)
    stepped = _number(f(x), complex)
    x[index] = at
    derivative: float = stepped.imag / H_COMPLEX
    return derivative


def _number(value: Any, wanted: type) -> Any:
    """Return the result of f as one Python float or complex, as wanted."""
    if type(value) is wanted:  # the usual case
        return value
    must = "numerical_gradient: f must return one"
    if getattr(value, "shape", ()) != ():
        raise TypeError(f"{must} number, got an array of shape {value.shape}")
    dtype = getattr(value, "dtype", None)
    is_number = isinstance(value, (int, float, complex)) and not isinstance(value, bool)
    if not is_number and (dtype is None or kind(value) not in "iufc"):
        raise TypeError(f"{must} number, got {shown(value)}")
    of_python = "complex128" if isinstance(value, complex) else "float64"
    given = of_python if dtype is None else dtype_name(dtype)
    if given in ("float16", "float32", "complex64"):
        raise TypeError(f"{must} number in double precision, got {given}")
    if wanted is float and given.startswith("complex"):
        raise TypeError(f'{must} real number, got {given}; use method="complex"')
    if wanted is complex and given != "complex128" and dtype is not None:
        why = 'f is not analytic; use method="central"'
        raise NotAnalytic(f"{must} complex number for complex x, got {given}: {why}")
    try:
        return wanted(value)
    except OverflowError:
        raise TypeError(f"{must} number within the range of a float, got {shown(value)}") from None
