"""Where gradients are written: into a network's one buffer, or into new arrays for a layer on its own.

Why lending: a training loop wants to reuse one buffer, while an array that a user was given must never change
again. So the buffer is lent for writing, and after an array of it was handed out, the next writer gets a new
buffer with the same values.
"""

from collections.abc import Mapping
from typing import Any

from backends import Array, backend_of
from backprop.parameters import Parameters, Window


class Gradients(Parameters):
    """The gradients of all parameters of a network, one flat buffer."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], flat: Array) -> None:
        super().__init__(shapes, flat)
        self._handed_out = False

    @classmethod
    def like(cls, parameters: Parameters) -> "Gradients":
        """Zero gradients for these parameters."""
        flat = parameters.flat
        return cls(parameters.shapes, backend_of(flat).zeros(flat.shape, flat.dtype))

    def renew(self) -> None:
        """Write into a new buffer from now on; for a pass that writes every entry, it spares the copy."""
        self._rebind(backend_of(self.flat).empty_like(self.flat))
        self._handed_out = False

    def __getitem__(self, name: str) -> Array:
        self._handed_out = True
        return super().__getitem__(name)

    def __setitem__(self, name: str, value: Any) -> None:
        if value is not self._view(name):  # else a kernel wrote it in place, into what it was lent
            self.for_writing(name)
            super().__setitem__(name, value)

    def hand_out(self) -> dict[str, Array]:
        """The gradients as arrays for the user: none of them is ever written again."""
        self._handed_out = True
        return dict(self._views)

    def for_writing(self, name: str) -> Array:
        """The array that the gradient of that name is to be written into."""
        if self._handed_out:
            self._rebind(backend_of(self.flat).copy(self.flat))
            self._handed_out = False
        return self._view(name)


class GradientWindow(Window):
    """A layer's own names for its entries of a network's gradients."""

    __slots__ = ()
    owner: Gradients

    def for_writing(self, name: str) -> Array:
        """The array that this gradient is to be written into."""
        return self.owner.for_writing(self.names[name])


class OwnGradients(dict[str, Any]):
    """The gradients of a layer that belongs to no network: new arrays at every backward."""

    def for_writing(self, name: str) -> None:
        """Nothing to reuse: the kernel makes a new array."""


class LoopGradients(dict[str, Any]):
    """The gradients of a layer at work in a loop: the same arrays in every step, which nobody else sees."""

    for_writing = dict.__getitem__
