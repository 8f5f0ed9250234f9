"""What all layers share: parameters, gradients, and the arrays kept from forward for one backward."""

from collections.abc import Callable, MutableMapping
from typing import Any

from backends import Array, kind, mix
from backprop.gradients import Gradients, GradientWindow, OwnGradients
from backprop.parameters import Parameters, Window

NEVER = "no forward has run"
EVALUATED = "the last forward ran with training=False"
CONSUMED = "the backward of the last forward has run already"


class Layer:
    """A function of arrays that can be differentiated backwards.

    `forward(x, training=True)` returns the output and keeps what backward needs; with training=False nothing.
    `backward(dout)` returns the gradient with respect to x, fills `grads` and consumes what forward kept.

    params, grads: arrays by name; in a network, windows onto the network's own.
    """

    params: MutableMapping[str, Array]
    grads: OwnGradients | GradientWindow
    forward: Callable[..., Array]
    backward: Callable[..., Any]

    can_spare_dx = False  # whether backward takes needs_dx=False, to compute no gradient for its input
    samplewise = False  # whether each sample's output depends on that sample alone: x and out are (N, …)

    def __init__(self, **params: Array) -> None:
        self.params = params
        self.grads = OwnGradients()
        self._kept: tuple[Any, ...] | str = NEVER

    def join(self, params: Parameters, grads: Gradients, names: dict[str, str]) -> None:
        """Become part of a network: from now on this layer's arrays are its owners' entries `names`."""
        if isinstance(self.params, Window):
            raise ValueError(f"{self!r} belongs to a network already; give each network layers of its own")
        self.params = Window(params, names)
        self.grads = GradientWindow(grads, names)

    def _keep(self, training: bool, *values: Any) -> None:
        self._kept = values if training else EVALUATED

    def _recall(self) -> tuple[Any, ...]:
        kept = self._kept
        if isinstance(kept, str):
            raise RuntimeError(
                f"{type(self).__name__}.backward needs a forward of its own before it, but {kept}"
            )
        return kept

    def _consume(self) -> None:
        self._kept = CONSUMED

    def _check_dout(self, dout: Array, shape: tuple[int, ...], dtype: Any) -> None:
        """Raise unless dout has the shape of the output and goes with its dtype."""
        if dout.shape != shape:
            raise ValueError(
                f"{type(self).__name__}.backward: dout must have the shape of the output, {shape}, "
                f"got {dout.shape}"
            )
        if dout.dtype != dtype and not mix(dout.dtype, dtype):
            raise TypeError(
                f"{type(self).__name__}.backward: dout must have the dtype of the layer, {dtype}, "
                f"got {dout.dtype}"
            )

    # What was kept belongs to a backward of this very object; a copy starts without it.
    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_kept": NEVER}

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def require_float(where: str, x: Array) -> None:
    """Raise TypeError unless x holds real or complex floating-point numbers."""
    if kind(x) not in "fc":
        raise TypeError(
            f"{where} must hold floating-point numbers, got {x.dtype}; cast it: asarray(array, 'float32')"
        )


def require_one_dtype(where: str, **arrays: Array) -> None:
    """Raise TypeError where two different real dtypes meet; a complex one may meet any."""
    (first, a), *others = arrays.items()
    for name, b in others:
        if not mix(a.dtype, b.dtype):
            raise TypeError(
                f"{where}: {first} and {name} must have one dtype, got {a.dtype} and {b.dtype}; "
                "cast one with asarray(array, dtype)"
            )
