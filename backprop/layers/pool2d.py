"""The base of the poolings: the size of the window, its stride and its padding."""

from backends import Array
from backprop.arrays.checked_number import FixedInteger
from backprop.layers.layer import Layer
from backprop.layers.windows import require_images


class Pool2D(Layer):
    """A layer that makes one value of what lies under each square window."""

    size = FixedInteger("Height and width of the window.")
    stride = FixedInteger("Step between two windows.")
    padding = FixedInteger("Rows and columns of padding on each side.", or_zero=True)

    def __init__(self, size: int, stride: int | None = None, padding: int = 0) -> None:
        self.size, self.padding = size, padding
        self.stride = self.size if stride is None else stride
        if self.padding > self.size // 2:
            where, rule = type(self).__name__, "padding must be at most half of size"
            raise ValueError(f"{where}: {rule}, got {self.padding} for a size of {self.size}")
        super().__init__()

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the window."""
        return self.size, self.size

    def check(self, x: Array) -> None:
        where = f"{type(self).__name__}.forward"
        require_images(where, x, self.kernel, self.padding)
        if self.padding > min(x.shape[2:]):
            rule = f"padding, {self.padding}, must be at most the height and the width of the image"
            raise ValueError(f"{where}: {rule}, got {x.shape[2]} and {x.shape[3]}")

    def __repr__(self) -> str:
        stride = "" if self.stride == self.size else f", stride={self.stride}"
        padding = f", padding={self.padding}" if self.padding else ""
        return f"{type(self).__name__}({self.size}{stride}{padding})"
