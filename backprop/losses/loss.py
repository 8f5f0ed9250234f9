"""What a loss is: a layer with targets, which gives one loss per sample."""

from math import prod
from typing import Any

from backends import Array, Backend, kind
from backprop.arrays.checks import flag, number
from backprop.arrays.entering import cast, entering, require_alike
from backprop.layers.layer import CONSUMED, EVALUATED, Layer, runs_formulas
from backprop.layers.requirements import require_like


class Loss(Layer):
    """The mean over the samples of what `compute` gives for each. A subclass gives its formulas:

        compute(self, xp, scores, targets)  ->  losses (N,), saved
        derive(self, xp, dout, *saved)      ->  the gradient of the scores;  dout: that of each loss, 1/N

    and, where they are not those below, how targets are checked and what counts as right.
    scores: what the last layer of a network returns, (N, …).

    >>> class AbsoluteError(Loss):
    ...     def compute(self, xp, y, t):
    ...         return xp.sum(xp.abs(y - t), axis=1), (y - t,)
    ...     def derive(self, xp, dout, difference):
    ...         return dout * xp.sign(difference)
    >>> from backprop import asarray
    >>> loss = AbsoluteError()
    >>> print(loss.forward(asarray([[1.0], [4.0]]), asarray([[0.0], [6.0]])))
    1.5
    >>> loss.backward()
    array([[ 0.5],
           [-0.5]])
    """

    def targets(
        self, where: str, t: Any, shape: tuple[int, ...], backend: Backend, wait: bool = False
    ) -> Array:
        """Return targets as compute wants them, for scores of that shape: here real numbers of the same.

        Integers are on the backend; floating-point numbers may be on the host, and are cast and moved behind.

        t: host data, or an array of the backend.  where: names the caller in errors.
        wait: also look at values on a device, which waits for it.
        """
        t = entering(where, "targets", t, backend, wait)
        if tuple(t.shape) != tuple(shape):
            rule = f"targets must have the shape of the outputs, {tuple(shape)}"
            cure = f"; t.reshape{tuple(shape)} gives it" if prod(t.shape) == prod(shape) else ""
            raise ValueError(f"{where}: {rule}, got {t.shape}{cure}")
        if kind(t) == "c":
            raise TypeError(f"{where}: targets must be real, got {t.dtype}")
        return t if kind(t) == "f" else backend.asarray(t, "float64")

    def check(self, scores: Array) -> None:
        if len(scores.shape) < 1 or 0 in scores.shape:
            rule = "scores must have shape (N, …), N at least 1"
            raise ValueError(f"{type(self).__name__}.forward: {rule}, got {scores.shape}")

    def correct(self, xp: Any, scores: Array, targets: Array) -> Array | None:
        """Return whether the scores of each sample are right, (N,) bool; None if that has no meaning."""
        return None

    @runs_formulas
    def forward(self, scores: Array, t: Any, training: bool = True) -> Array:  # type: ignore[override]
        """Return the mean loss, a 0-d value on the device.  t: on the host, or where the scores are."""
        where = f"{type(self).__name__}.forward"
        training, backend = flag(where, "training", training), require_alike(where, scores=scores)
        self.check(scores)
        targets = self.targets(where, t, scores.shape, backend)
        if kind(targets) == "f":
            dtype = scores.dtype if kind(scores) == "f" else "float64"
            targets = cast(where, "targets", targets, dtype, backend)
        stage = self._stage(backend, scores)
        losses = stage.forward(scores, targets)
        self._kept = (stage, losses) if training else EVALUATED
        return backend.xp.mean(losses)

    @runs_formulas
    def backward(self, dout: Any = 1.0) -> Array:
        """Return the gradient of dout · the mean loss by the scores.  dout: a number or a 0-d array."""
        where = f"{type(self).__name__}.backward"
        stage, losses = self._recall(where)
        if isinstance(dout, (int, float)) and not isinstance(dout, bool):
            dout = number(where, "dout", dout)
        else:
            require_like(where, dout, losses, (), "the mean loss")
        self._kept = CONSUMED
        gradient = stage.backward(1.0 / losses.shape[0])
        return gradient if isinstance(dout, float) and dout == 1.0 else gradient * dout
