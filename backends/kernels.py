"""Every formula of the library once, in Array API names.

Kernels compute, layers remember: a kernel is a pure function of its arrays. It writes only into those that it
is given to write into, of the right shape and dtype (`out`, `dx`, `dz`, `dW`, `db`, `losses`; None makes a
new array), and `sgd` into the parameters. They trust their arguments; layers and networks check them. They
take complex arrays too and are analytic in them, since comparisons and maxima look at the real part only: so
a derivative can be taken by the complex step (Squire and Trapp, SIAM Review 40, 1998).

Axis letters: N batch, D in, M out, C classes.
"""

from collections.abc import Sequence
from typing import Any

Array = Any  # an array of whichever library `xp` is


class Kernels:
    """The generic kernels over the array namespace `self.xp`."""

    xp: Any
    astype: Any  # the backend's

    # ------------------------------------------------------------------------------------------------ layers

    def affine(self, x: Array, W: Array, b: Array, out: Array | None = None) -> Array:
        """x W + b.  x: (N, D), W: (D, M), b: (M,).  Returns (N, M)."""
        return self._into(out, x @ W + b)

    def affine_backward(
        self,
        dout: Array,
        x: Array,
        W: Array,
        dW: Array | None = None,
        db: Array | None = None,
        dx: Array | None = None,
        needs_dx: bool = True,
    ) -> tuple[Array | None, Array, Array]:
        """dx = dout Wᵀ, dW = xᵀ dout, db = Σ_n dout.  Returns (dx, dW, db), dx None unless needed."""
        dx = self._into(dx, dout @ W.T) if needs_dx else None
        return dx, self._into(dW, x.T @ dout), self._into(db, self.xp.sum(dout, axis=0))

    def affine_of_copies(self, x: Array, W: Array, b: Array) -> Array:
        """The same for K parameter sets at once.  x: (1, N, D) or (K, N, D), W: (K, D, M), b: (K, M).

        Returns (K, N, M).
        """
        return self.xp.matmul(x, W) + b[:, None, :]

    def affine_moves(self, x: Array, entries: Array, size: int) -> Array:
        """How x W + b moves with W[i, j]: column j by x[:, i].

        x: (N, D).  entries: (K,) integers i · size + j.  size: M.  Returns d out / d entry, (K, N, M).
        """
        return (
            self.xp.take(x.T, entries // size, axis=0)[:, :, None]
            * self.one_hot(entries % size, size, x.dtype)[:, None, :]
        )

    def relu(self, x: Array, out: Array | None = None) -> Array:
        """max(x, 0), element by element; NaN stays NaN."""
        return self._into(out, self.xp.where(self.xp.real(x) <= 0, 0.0, x))

    def relu_backward(self, dout: Array, out: Array, dx: Array | None = None) -> Array:
        """dout where the output of `relu` is positive, else 0: the derivative at the kink is taken as 0."""
        return self._into(dx, self.xp.where(self.xp.real(out) > 0, dout, 0.0))

    def affine_relu(self, x: Array, W: Array, b: Array, out: Array | None = None) -> Array:
        """max(x W + b, 0): the two kernels as one, for a backend that gains by it."""
        return self.relu(self.affine(x, W, b), out)

    def affine_relu_backward(
        self,
        dout: Array,
        out: Array,
        x: Array,
        W: Array,
        dW: Array | None = None,
        db: Array | None = None,
        dx: Array | None = None,
        dz: Array | None = None,
        needs_dx: bool = True,
    ) -> tuple[Array | None, Array, Array]:
        """The backward of `affine_relu`, whose output was `out`.  Returns (dx, dW, db) as `affine_backward`.

        dz: (N, M), memory for the derivative between the two, if it is written anywhere; it may be dout
        itself.
        """
        return self.affine_backward(self.relu_backward(dout, out, dz), x, W, dW, db, dx, needs_dx)

    def sigmoid(self, x: Array) -> Array:
        """1 / (1 + exp(-x)), element by element, without overflow at any x."""
        negative, e = self._exp_of_minus_magnitude(x)
        return self.xp.where(negative, e, 1.0) / (1.0 + e)

    def sigmoid_backward(self, dout: Array, x: Array) -> Array:
        """dout · e / (1 + e)² with e = exp(-|x|): exact where out (1 - out) rounds to 0."""
        _, e = self._exp_of_minus_magnitude(x)
        return dout * (e / ((1.0 + e) * (1.0 + e)))

    def exp(self, x: Array) -> Array:
        """e to the power of x, element by element."""
        return self.xp.exp(x)

    def log(self, x: Array) -> Array:
        """The natural logarithm of x, element by element."""
        return self.xp.log(x)

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, seed: float = 1.0, losses: Array | None = None
    ) -> tuple[Array, Array | None]:
        """The cross-entropy of softmax(logits) for each sample, in nats, and seed · the mean's derivative.

            losses_n = log Σ_c exp z_nc - z_n,labels[n]
            seed · d mean(losses) / dz = (softmax(z) - one_hot(labels)) · seed / N

        logits: (N, C).  labels: (N,) integers in [0, C).  losses: where to write them, (N,).
        Returns losses (N,) and the derivative (N, C), or None in its place where the seed is 0.
        """
        xp, (n, classes) = self.xp, logits.shape
        true_class = xp.reshape(labels, (n, 1)) == xp.reshape(
            xp.arange(classes, dtype=labels.dtype), (1, classes)
        )
        z = logits - xp.max(xp.real(logits), axis=1, keepdims=True)
        e = xp.exp(z)
        total = xp.sum(e, axis=1, keepdims=True)
        of_true_class = xp.sum(xp.where(true_class, z, 0.0), axis=1)
        losses = self._into(losses, xp.reshape(xp.log(total), (n,)) - of_true_class)
        if seed == 0.0:
            return losses, None
        softmax = e / total
        return losses, xp.where(true_class, softmax - 1.0, softmax) * (seed / n)

    def affine_softmax_cross_entropy(
        self,
        x: Array,
        W: Array,
        b: Array,
        labels: Array,
        seed: float = 1.0,
        dz: Array | None = None,
        losses: Array | None = None,
    ) -> tuple[Array, Array | None]:
        """`softmax_cross_entropy` of the logits x W + b.  dz: where to write the derivative, (N, C).

        The derivative may come as another view of that memory, in an order that suits the backend.
        """
        losses, dlogits = self.softmax_cross_entropy(self.affine(x, W, b), labels, seed, losses)
        return losses, None if dlogits is None else self._into(dz, dlogits)

    # ---------------------------------------------------------------------------------------------- training

    def gather(self, array: Array, indices: Array, out: Array | None = None) -> Array:
        """The rows array[indices].  indices: (N,) integers, in range."""
        return self._into(out, self.xp.take(array, indices, axis=0))

    def minibatch(self, x: Array, labels: Array, batch: Array, x_out: Array, labels_out: Array) -> None:
        """x_out = x[batch] and labels_out = labels[batch].  batch: (N,) int64, in range.

        x: (S, …), in the dtype of x_out, or bytes that stand for x / 255 (see `Backend.pack`).
        """
        rows = self.gather(x, batch)
        x_out[...] = rows if rows.dtype == x_out.dtype else self.astype(rows, x_out.dtype) / 255.0
        labels_out[...] = self.gather(labels, batch)

    def sgd(self, parameters: Array, gradients: Array, learning_rate: float | Array) -> None:
        """parameters -= learning_rate · gradients, in place.

        learning_rate: a number, or an array of one, which a recorded step finds changed.
        """
        parameters -= learning_rate * gradients

    def mean(self, values: Array) -> Array:
        """The mean of all values, 0-d, on the device."""
        return self.xp.mean(values)

    def argmax(self, scores: Array) -> Array:
        """The index of the largest entry in each row.  scores: (N, C).  Returns (N,) integers."""
        return self.xp.argmax(scores, axis=1)

    def count_correct(self, logits: Array, labels: Array) -> Array:
        """How many rows of logits (N, C) have their largest entry at the label; 0-d, on the device."""
        return self.xp.count_nonzero(self.argmax(logits) == labels)

    # ---------------------------------------------------------------------------------- scalar layers, checks

    def inner(self, a: Array, b: Array) -> Array:
        """Σ a·b over all entries, without conjugation; 0-d, on the device."""
        return self.xp.sum(a * b)

    def row_sums(self, array: Array) -> Array:
        """The sum of each row over all other axes.  array: (N, …).  Returns (N,)."""
        return self.xp.sum(self.xp.reshape(array, (array.shape[0], -1)), axis=1)

    def sum_to(self, array: Array, shape: Sequence[int]) -> Array:
        """Undo a broadcast: sum array over the axes along which `shape` was stretched."""
        xp, extra = self.xp, len(array.shape) - len(shape)
        array = xp.sum(array, axis=tuple(range(extra))) if extra else array
        stretched = tuple(i for i, size in enumerate(shape) if size == 1 and array.shape[i] != 1)
        return xp.sum(array, axis=stretched, keepdims=True) if stretched else array

    def one_hot(self, indices: Array, size: int, dtype: Any) -> Array:
        """A row for each index, 1 there and else 0.  indices: (K,) integers.  Returns (K, size)."""
        there = indices[:, None] == self.xp.arange(size, dtype=indices.dtype)[None, :]
        return self.astype(there, dtype)

    # ----------------------------------------------------------------------------------------------- helpers

    def _into(self, out: Array | None, value: Array) -> Array:
        if out is None:
            return value
        out[...] = value
        return out

    def _exp_of_minus_magnitude(self, x: Array) -> tuple[Array, Array]:
        """Where x is negative, and exp(-|x|): at most 1, and analytic on either side of 0."""
        negative = self.xp.real(x) < 0
        return negative, self.xp.exp(self.xp.where(negative, x, -x))
