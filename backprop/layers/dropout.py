"""Dropout: in training, values are dropped at random, so that a network does not rely on any one of them."""

from math import prod
from typing import Any

from backends import Array, Namespace
from backprop.arrays.checked_number import CheckedNumber
from backprop.arrays.initializers import constant, random_key
from backprop.arrays.philox import random_bits
from backprop.layers.layer import Layer

UINT32 = 2**32  # as many random numbers as there are


class Dropout(Layer):
    """Inverted dropout: in training out = x · mask / (1 - ratio), in evaluation out = x.

    The mask is 0 with the probability `ratio`, else 1, independently for every value, and new in every pass.
    The expected value of out is x. The gradient is::

        dL/dx = dout · mask / (1 - ratio)

    x, out, dout and dx have the same shape, (N, …).

    Parameters
    ----------
    ratio : float in [0, 1)
        Probability that a value is dropped. With 0 everything is kept.

    Raises
    ------
    ValueError, TypeError
        If the ratio is wrong.

    Notes
    -----
    The state is three uint64 arrays (1,): `seed`, drawn by the network that the layer is added to; `passes`,
    the number of passes in training so far; and `first_row`, 0 unless this batch is a part of a larger one:
    then the number of its first sample there. The mask depends on nothing else. So it is the same on every
    backend, and however a batch is divided; a network that is saved or copied continues with the same masks.
    Passes that leave the state, such as `net.loss(x, t, training=True)` or those of a gradient check, see the
    mask of the next pass.

    A sample with D values takes B = ⌈D / 8⌉ blocks of the generator Philox 4x64-10 with the key (seed, 0).
    Block b of sample n has the counter (1 + (first_row + n) B + b, passes, 0, 0). Its four words are eight
    numbers of 32 bits, the low half of each word first. A value is dropped if its number is below
    ratio · 2³², rounded. NumPy's `random.Philox` with this key and the counter ((first_row + n) B, passes,
    0, 0) gives the same words, since it counts before it generates.

    Source: book section 6.4.3, which instead multiplies by 1 - ratio in evaluation; Srivastava et al.,
    Journal of Machine Learning Research 15, 2014.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import Dropout
    >>> layer = Dropout(0.5)
    >>> layer.build((6,), rng=0)
    >>> x = xp.ones((2, 6))
    >>> layer.forward(x)
    array([[2., 0., 2., 2., 0., 2.],
           [0., 2., 0., 0., 2., 2.]])
    >>> layer.forward(x, training=False)
    array([[1., 1., 1., 1., 1., 1.],
           [1., 1., 1., 1., 1., 1.]])
    """

    def compute(
        self, xp: Namespace, x: Array, seed: Array, passes: Array, first_row: Array
    ) -> tuple[Array, tuple[Array], tuple[Array, Array, Array]]:
        samples, width = x.shape[0], prod(x.shape[1:])
        blocks = -(-width // 8)
        bits = random_bits(xp, samples * blocks, seed, first_row * blocks + 1, passes)
        kept = xp.reshape(bits, (samples, 8 * blocks))[:, :width] >= self.threshold
        factor = xp.reshape(xp.astype(kept, xp.real(x).dtype) * (1.0 / (1.0 - self.ratio)), x.shape)
        return x * factor, (factor,), (seed, passes + 1, first_row)

    def derive(self, xp: Namespace, dout: Array, factor: Array) -> Array:
        return dout * factor

    def evaluate(self, xp: Namespace, x: Array, seed: Array, passes: Array, first_row: Array) -> Array:
        return x

    ratio = CheckedNumber("Probability that a value is dropped.", or_zero=True, below=1.0, default=0.5)

    def __init__(self, ratio: float = 0.5) -> None:
        self.ratio = ratio
        super().__init__()

    @property
    def threshold(self) -> int:
        """The least 32-bit number that keeps its value: ratio · 2³², rounded, of at most 2³² - 1."""
        return min(round(self.ratio * UINT32), UINT32 - 1)

    def initial(self, shape: tuple[int, ...], rng: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        zero = constant((1,), 0, "uint64")
        return {}, {"seed": random_key(rng), "passes": zero, "first_row": zero}

    def check(self, x: Array) -> None:
        if not x.shape:
            raise ValueError("Dropout.forward: x must have shape (N, …), got ()")

    def __repr__(self) -> str:
        return f"Dropout({self.ratio:g})"
