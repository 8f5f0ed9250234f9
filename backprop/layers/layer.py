"""What all layers share: parameters, gradients, and the arrays kept from forward for one backward."""

import copy
from collections.abc import Callable, MutableMapping
from typing import Any, Self

from backends import Array, backend_of, kind, mix
from backprop.gradients import Gradients, GradientWindow, LoopGradients, OwnGradients
from backprop.layers.buffers import Buffers, NewArrays
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
    grads: OwnGradients | GradientWindow | LoopGradients
    forward: Callable[..., Array]
    backward: Callable[..., Any]

    # Declared anew by each class: whether it keeps nothing from one step to the next but its parameters, so
    # that a loop may work with a copy of it.
    stateless = False
    # Likewise: whether a pass asks nothing of the device that would wait for it, and reads no number that
    # changes from step to step, so that a loop may record it once and replay it.
    capturable = False
    can_spare_dx = False  # whether backward takes needs_dx=False, to compute no gradient for its input
    samplewise = False  # whether each sample's output depends on that sample alone: x and out are (N, …)

    def __init__(self, **params: Array) -> None:
        self.params = params
        self.grads = OwnGradients()
        self._kept: tuple[Any, ...] | str = NEVER
        self._buffers: Buffers | NewArrays = NewArrays()

    def join(self, params: Parameters, grads: Gradients, names: dict[str, str]) -> None:
        """Become part of a network: from now on this layer's arrays are its owners' entries `names`."""
        if isinstance(self.params, Window):
            raise ValueError(f"{self!r} belongs to a network already; give each network layers of its own")
        self.params = Window(params, names)
        self.grads = GradientWindow(grads, names)

    def working_copy(self, grads: Gradients) -> Self:
        """This layer for use in a loop: the same parameters, gradients in `grads`, and buffers of its own."""
        copied = copy.copy(self)
        if isinstance(self.params, Window):
            copied.params = dict(self.params)
            lent = {name: grads.for_writing(of) for name, of in self.params.names.items()}
            copied.grads = LoopGradients(lent)
        copied._buffers = Buffers(backend_of(grads.flat), grads.flat.dtype)
        return copied

    @property
    def _in_loop(self) -> bool:
        """Whether this is a loop's own copy, whose arrays nobody else sees."""
        return type(self._buffers) is Buffers

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

    def _check_and_consume(self, dout: Array, shape: tuple[int, ...], dtype: Any) -> None:
        """Consume what forward kept for a dout of the shape and dtype of the output; raise for another."""
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
        self._kept = CONSUMED

    # What was kept belongs to a backward of this very object, and buffers to a loop; a copy starts without.
    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_kept": NEVER, "_buffers": NewArrays()}

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
