"""Backpropagation against the derivative of the function itself, for layers, losses and networks.

Nothing live is touched: the check works on copies whose parameters are float64 or complex128.

Why the limits have an absolute part: where a gradient cancels to nearly nothing, as at the optimum, its own
size is no measure for the rounding errors of the terms that it was summed from.
"""

from collections.abc import Callable
from typing import Any

from backends import Array, asarray, backend_of, kind, to_numpy
from backprop.copying import copy_as
from backprop.gradient_report import MODES, ArrayCheck, GradientReport
from backprop.initializers import generator
from backprop.numerical_gradient import STEP_DTYPES, directional_derivative, numerical_gradient

# Relative to the size of the gradient, and to that of the function's terms.
LIMITS = {"complex": (1e-12, 1e-14), "central": (1e-6, 1e-8)}

Function = Callable[[Any, Array], Any]  # of a copy of the object, and x; returns one number


def check_gradients(
    obj: Any, *inputs: Any, method: str = "complex", mode: str = "fast", rng: Any = 0
) -> GradientReport:
    """Compare backward with the numerical derivative of forward, for every parameter and the first input.

    obj, inputs: a layer and x; a loss, logits and labels; a network, x and t.  An object of one's own needs
    `forward`, `backward`, `params` and `grads`.  All is done in float64.
    method: "complex" step (exact to rounding; needs an analytic forward) or "central" differences.
    mode: "fast", along one random direction an array; "full", every entry.
    rng: a seed or Generator for the directions and for `dout`.
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
    first, *rest = inputs
    backend = backend_of(next(iter(obj.params.values()))) if obj.params else backend_of(first)
    first = asarray(first, backend=backend)
    if kind(first) not in "iuf":
        raise TypeError(f"check_gradients: the input must hold real numbers, got {first.dtype}")

    in_float64 = copy_as(obj, dtype="float64"), backend.astype(first, "float64")
    analyse = _analyse_network if hasattr(obj, "gradient") else _analyse_layer
    gradients, dx, function, terms = analyse(*in_float64, rest, rng)

    step_dtype = STEP_DTYPES[method]
    moved, moved_x = copy_as(obj, dtype=step_dtype), backend.astype(first, step_dtype)
    cases = [(name, gradient, moved.params[name]) for name, gradient in gradients.items()]
    compare = _every_entry if mode == "full" else _one_direction
    checks = []
    for name, gradient, array in [*cases, ("x", dx, moved_x)]:
        size, found = compare(gradient, lambda _: function(moved, moved_x), array, method, rng)
        relative, absolute = LIMITS[method]
        checks.append(
            ArrayCheck(name, gradient.size, limit=relative * size + absolute * (1.0 + terms), **found)
        )
    return GradientReport(type(obj).__name__, method, mode, checks)


def _analyse_network(
    net: Any, x: Array, rest: list[Any], rng: Any
) -> tuple[dict[str, Any], Any, Function, float]:
    """The gradients and dx by backpropagation, on the host; their function; the size of its terms."""
    gradients = {name: to_numpy(array) for name, array in net.gradient(x, *rest, input_gradient=True).items()}
    dx = gradients.pop("x")
    return gradients, dx, lambda net, x: net.loss(x, *rest), abs(float(net.loss(x, *rest)))


def _analyse_layer(
    layer: Any, x: Array, rest: list[Any], rng: Any
) -> tuple[dict[str, Any], Any, Function, float]:
    """The same for a layer or a loss: of the sum of its outputs, each times a random factor, its dout."""
    out = to_numpy(layer.forward(x, *rest))
    factors = _random_like(out, rng)
    dout = backend_of(x).asarray(factors) if out.shape else float(factors)
    dx = to_numpy(layer.backward(dout))
    gradients = {name: to_numpy(layer.grads[name]) for name in layer.params}

    def function(layer: Any, x: Array) -> Any:
        out = layer.forward(x, *rest)
        return backend_of(x).inner(out, dout) if out.shape else out * dout

    return gradients, dx, function, float(abs(out * factors).sum())


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
