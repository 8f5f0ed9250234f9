"""Backpropagation against the derivative of the function itself, for layers, losses and networks.

Nothing live is touched: the check works on copies whose parameters are float64 or complex128.

Why the limits have an absolute part: where a gradient cancels to nearly nothing, as at the optimum, its own
size is no measure for the rounding errors of the terms that it was summed from.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from backends import Array, Backend, asarray, backend_of, kind, to_numpy
from backprop.copying import copy_as
from backprop.initializers import generator
from backprop.numerical_gradient import STEP_DTYPES, directional_derivative, numerical_gradient
from backprop.tables import table

METHODS = {"complex": "the complex step", "central": "central differences"}
MODES = {"fast": "along one random direction an array", "full": "every entry"}
LIMITS = {
    "complex": (1e-12, 1e-14),
    "central": (1e-6, 1e-8),
}  # relative to the gradient, to the function's terms


@dataclass
class ArrayCheck:
    """One array's comparison.

    mode "full": mean and max_difference are over all entries, `index` is the worst one and backward,
    numerical its two values. mode "fast": they are the derivative along one random direction, and `index` is
    None.
    """

    name: str
    entries: int
    mean_difference: float
    max_difference: float
    limit: float
    index: list[int] | None
    backward: float
    numerical: float
    ok: bool


@dataclass
class GradientReport:
    """What `check_gradients` found: one ArrayCheck for each parameter and for the input, "x"."""

    subject: str
    method: str
    mode: str
    arrays: list[ArrayCheck]

    @property
    def ok(self) -> bool:
        """Whether every array agrees within its limit."""
        return all(array.ok for array in self.arrays)

    def assert_ok(self) -> None:
        """Raise AssertionError with the table unless every array agrees; for anyone's tests."""
        if not self.ok:
            raise AssertionError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """The report in JSON's terms."""
        return {**asdict(self), "ok": self.ok}

    def __str__(self) -> str:
        rows = [
            [
                a.name,
                a.entries,
                f"{a.mean_difference:.1e}",
                f"{a.max_difference:.1e}",
                f"{a.limit:.1e}",
                "ok" if a.ok else "WRONG",
            ]
            for a in self.arrays
        ]
        verdict = (
            "all gradients agree"
            if self.ok
            else "\n".join(
                f"{a.name}{a.index if a.index is not None else ' along a random direction'}: "
                f"backward {a.backward:.10g}, numerical {a.numerical:.10g}"
                for a in self.arrays
                if not a.ok
            )
        )
        return "\n".join(
            [
                f"{self.subject}: backward against {METHODS[self.method]}, {MODES[self.mode]}",
                table(["array", "entries", "mean |diff|", "max |diff|", "limit", ""], rows),
                verdict,
            ]
        )


def check_gradients(
    obj: Any, *inputs: Any, method: str = "complex", mode: str = "fast", rng: Any = 0
) -> GradientReport:
    """Compare an object's backward with the numerical derivative of its forward, for each parameter and the
    input.

    obj, inputs: a layer and x; a loss, logits and labels; a network, x and t. A layer of one's own needs
    `forward`, `backward`, `params` and `grads`.  The first input is differentiated, in float64.
    method: "complex" step (exact to rounding; needs an analytic forward) or "central" differences.
    mode: "fast", along one random direction an array; "full", every entry.
    rng: a seed or Generator for the direction and for `dout`.
    Raises ValueError for an unknown method or mode.

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
    backend = backend_of(next(iter(obj.params.values()), inputs[0]))
    x, *rest = inputs
    analytic, value, scale = _analytic(copy_as(obj, dtype="float64"), backend, _real(x, backend), rest, rng)
    moved, moved_x = (
        copy_as(obj, dtype=STEP_DTYPES[method]),
        backend.astype(_real(x, backend), STEP_DTYPES[method]),
    )
    arrays = {**moved.params, "x": moved_x}

    checks = []
    for name, gradient in analytic.items():
        compare = _compare_all if mode == "full" else _compare_along
        checks.append(
            compare(name, gradient, lambda _: value(moved, moved_x), arrays[name], method, scale, rng)
        )
    return GradientReport(type(obj).__name__, method, mode, checks)


def _real(x: Any, backend: Backend) -> Array:
    """A float64 copy of x on the backend."""
    x = asarray(x, backend=backend)
    if kind(x) not in "iuf":
        raise TypeError(f"check_gradients: the input must hold real numbers, got {x.dtype}")
    return backend.astype(x, "float64")


def _analytic(
    obj: Any, backend: Backend, x: Array, rest: list[Any], rng: Any
) -> tuple[dict[str, Any], Callable[[Any, Array], Any], float]:
    """The gradients by backward (host arrays), the function that they are of, and the size of its terms."""
    if hasattr(obj, "gradient"):  # a network
        gradients = obj.gradient(x, *rest, input_gradient=True)
        loss = abs(float(obj.loss(x, *rest)))
        return {name: to_numpy(g) for name, g in gradients.items()}, lambda o, x: o.loss(x, *rest), loss
    out = obj.forward(x, *rest)
    host_out = to_numpy(out)
    host_dout = rng.uniform(0.5, 1.5, host_out.shape) * rng.choice([-1.0, 1.0], host_out.shape)
    dout = backend.asarray(host_dout) if host_out.shape else float(host_dout)
    dx = obj.backward(dout)
    gradients = {name: to_numpy(obj.grads[name]) for name in obj.params} | {"x": to_numpy(dx)}
    scale = float(abs(host_out * host_dout).sum())
    if host_out.shape:
        return gradients, lambda o, x: backend.inner(o.forward(x, *rest), dout), scale
    return gradients, lambda o, x: o.forward(x, *rest) * dout, scale


def _compare_all(
    name: str, gradient: Any, f: Callable[[Array], Any], array: Array, method: str, scale: float, rng: Any
) -> ArrayCheck:
    """Every entry against its own derivative."""
    numerical = to_numpy(numerical_gradient(f, array, method=method))
    difference = abs(gradient - numerical)
    worst = int(difference.argmax())
    relative, absolute = LIMITS[method]
    limit = relative * float(abs(numerical).max()) + absolute * (1.0 + scale)
    index: list[int] = []
    rest = worst
    for size in reversed(gradient.shape):
        rest, i = divmod(rest, size)
        index.insert(0, i)
    largest = float(difference.flat[worst])
    return ArrayCheck(
        name,
        gradient.size,
        float(difference.mean()),
        largest,
        limit,
        index,
        float(gradient.flat[worst]),
        float(numerical.flat[worst]),
        largest <= limit,
    )


def _compare_along(
    name: str, gradient: Any, f: Callable[[Array], Any], array: Array, method: str, scale: float, rng: Any
) -> ArrayCheck:
    """Along one random direction, whose components differ in size so that errors cannot cancel."""
    direction = rng.uniform(0.5, 1.5, gradient.shape) * rng.choice([-1.0, 1.0], gradient.shape)
    terms = gradient * direction
    backward = float(terms.sum())
    numerical = directional_derivative(f, array, backend_of(array).asarray(direction), method=method)
    relative, absolute = LIMITS[method]
    limit = relative * float((terms * terms).sum()) ** 0.5 + absolute * (1.0 + scale)
    gap = abs(backward - numerical)
    return ArrayCheck(name, gradient.size, gap, gap, limit, None, backward, numerical, gap <= limit)
