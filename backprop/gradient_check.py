"""Backpropagation against the derivative of the function itself, for layers, losses and networks.

Nothing live is touched: the check works on copies whose parameters are float64 or complex128.

Why the limits have an absolute part: where a gradient cancels to nearly nothing, as at the optimum, its own
size is no measure for the rounding errors of the terms that it was summed from.
"""

from collections.abc import Callable
from math import prod
from typing import Any

from backends import Array, asarray, backend_of, kind, to_numpy
from backprop.copying import copy_as
from backprop.gradient_report import MODES, ArrayCheck, GradientReport
from backprop.initializers import generator
from backprop.numerical_gradient import STEP_DTYPES, directional_derivative, numerical_gradient

# Relative to the size of the gradient, and to that of the function's terms.
LIMITS = {"complex": (1e-12, 1e-14), "central": (1e-6, 1e-8)}

INPUT = "x"
Function = Callable[[Any, Array], Any]  # of a copy of the object, and x; returns one number


def check_gradients(
    obj: Any, *inputs: Any, method: str = "complex", mode: str = "fast", rng: Any = 0
) -> GradientReport:
    """Compare backward with the numerical derivative of forward, for every parameter and the first input.

    obj, inputs: a layer and x; a loss, logits and labels; a network, x and t.  An object of one's own needs
    `forward` and `backward`, and `params` and `grads` if it has any.  All is done in float64.
    method: "complex" step (exact to rounding; needs an analytic forward) or "central" differences.
    mode: "fast", along one random direction an array; "full", every entry.
    rng: a seed or Generator for the directions and for `dout`.
    A gradient that is missing or of another shape, or a backward that writes into dout, is reported as wrong.
    Raises ValueError for an unknown method or mode, TypeError for an input that is not real.

    >>> from backprop import TwoLayerNet
    >>> report = check_gradients(TwoLayerNet(4, 3, 2, rng=0), [[1.0, 2.0, 3.0, 4.0]], [1])
    >>> report.ok, [array.name for array in report.arrays]
    (True, ['W1', 'b1', 'W2', 'b2', 'x'])
    """
    if method not in STEP_DTYPES or mode not in MODES:
        raise ValueError(
            f"check_gradients: method must be one of {', '.join(STEP_DTYPES)} and mode one of "
            f"{', '.join(MODES)}, got {method!r} and {mode!r}"
        )
    rng = generator(rng)
    name = type(obj).__name__
    if not inputs:
        raise TypeError(f"check_gradients: give {name}'s inputs, the first of which is differentiated")
    first, *rest = inputs
    params = getattr(obj, "params", {})
    first = asarray(first, backend=backend_of(next(iter(params.values()))) if params else None)
    backend = backend_of(first)
    if kind(first) not in "iuf" or 0 in first.shape:
        raise TypeError(
            "check_gradients: the input must hold real numbers, at least one, "
            f"got {first.dtype} {first.shape}"
        )

    in_float64 = copy_as(obj, dtype="float64"), backend.astype(first, "float64")
    analyse = _analyse_network if hasattr(obj, "gradient") else _analyse_layer
    gradients, function, terms, broken = analyse(*in_float64, rest, rng)

    step_dtype = STEP_DTYPES[method]
    moved, moved_x = copy_as(obj, dtype=step_dtype), backend.astype(first, step_dtype)
    arrays = {**getattr(moved, "params", {}), INPUT: moved_x}
    compare = _every_entry if mode == "full" else _one_direction
    checks = []
    for array_name, gradient in gradients.items():
        array = arrays[array_name]
        why = broken or _unlike(gradient, array.shape)
        if why:
            nan = float("nan")
            checks.append(ArrayCheck(array_name, prod(array.shape), nan, nan, 0.0, None, nan, nan, why))
            continue
        gradient = to_numpy(gradient)
        size, found = compare(gradient, lambda _: function(moved, moved_x), array, method, rng)
        relative, absolute = LIMITS[method]
        limit = relative * size + absolute * (1.0 + terms)
        checks.append(ArrayCheck(array_name, gradient.size, limit=limit, **found))
    return GradientReport(name, method, mode, checks)


def _analyse_network(
    net: Any, x: Array, rest: list[Any], rng: Any
) -> tuple[dict[str, Any], Function, float, str]:
    """The gradients by backpropagation, their function, the size of its terms, and what is broken."""
    gradients = net.gradient(x, *rest, input_gradient=True)
    return gradients, lambda net, x: net.loss(x, *rest), abs(float(net.loss(x, *rest))), ""


def _analyse_layer(
    layer: Any, x: Array, rest: list[Any], rng: Any
) -> tuple[dict[str, Any], Function, float, str]:
    """The same for a layer or a loss: of the sum of its outputs, each times a random factor, its dout."""
    out = to_numpy(layer.forward(x, *rest))
    factors = _random_like(out, rng)

    def make_dout() -> Any:
        return backend_of(x).asarray(factors.copy()) if out.shape else float(factors)

    dout, own_dout = make_dout(), make_dout()
    dx = layer.backward(dout)
    broken = "backward writes into dout, which is its caller's" if (to_numpy(dout) != factors).any() else ""
    grads = getattr(layer, "grads", {})
    gradients = {**{name: grads.get(name) for name in getattr(layer, "params", {})}, INPUT: dx}

    def function(layer: Any, x: Array) -> Any:
        out = layer.forward(x, *rest)
        return backend_of(x).inner(out, own_dout) if out.shape else out * own_dout

    return gradients, function, float(abs(out * factors).sum()), broken


def _unlike(gradient: Any, shape: tuple[int, ...]) -> str:
    """Why a gradient cannot be compared with that of an array of this shape; empty where it can."""
    if gradient is None:
        return "backward leaves no gradient of it"
    got = getattr(gradient, "shape", None)
    if got is None:
        return f"its gradient is no array but {type(gradient).__name__}"
    return "" if got == shape else f"its gradient must have its shape, {shape}, got {got}"


def _every_entry(
    gradient: Any, f: Callable[[Array], Any], array: Array, method: str, rng: Any
) -> tuple[float, dict[str, Any]]:
    """The size of the gradient, and what an ArrayCheck says of all its entries and of the worst."""
    numerical = to_numpy(numerical_gradient(f, array, method=method))
    difference = abs(gradient - numerical)
    worst = int(difference.argmax())
    found = {
        "mean_difference": float(difference.mean()),
        "max_difference": float(difference.flat[worst]),
        "index": _index(worst, gradient.shape),
        "backward": float(gradient.flat[worst]),
        "numerical": float(numerical.flat[worst]),
    }
    return float(abs(numerical).max()), found


def _one_direction(
    gradient: Any, f: Callable[[Array], Any], array: Array, method: str, rng: Any
) -> tuple[float, dict[str, Any]]:
    """The same along one random direction."""
    direction = _random_like(gradient, rng)
    terms = gradient * direction
    backward = float(terms.sum())
    numerical = directional_derivative(f, array, backend_of(array).asarray(direction), method=method)
    gap = abs(backward - numerical)
    found = {"mean_difference": gap, "max_difference": gap, "index": None}
    return float((terms * terms).sum()) ** 0.5, {**found, "backward": backward, "numerical": numerical}


def _random_like(array: Any, rng: Any) -> Any:
    """Random signs times random sizes near 1: errors in two entries would have to be in ratio to cancel."""
    return rng.choice([-1.0, 1.0], array.shape) * rng.uniform(0.5, 1.5, array.shape)


def _index(position: int, shape: tuple[int, ...]) -> list[int]:
    """Where an entry of a flattened array lies in its shape."""
    index: list[int] = []
    for size in reversed(shape):
        position, i = divmod(position, size)
        index.insert(0, i)
    return index
