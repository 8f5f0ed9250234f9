"""The base class of losses: a layer with targets that returns one loss per sample."""

from math import prod
from typing import Any

from backends import Array, Backend, Namespace, kind
from backprop.arrays.checks import flag, number
from backprop.arrays.entering import cast, entering, require_alike
from backprop.layers.layer import CONSUMED, EVALUATED, Layer, runs_formulas
from backprop.layers.requirements import require_like


class Loss(Layer):
    """The mean of one loss per sample, given by formulas in a subclass.

    The formulas are methods::

        compute(self, xp, scores, targets)  ->  losses (N,), saved
        derive(self, xp, dout, *saved)      ->  gradient with respect to the scores

    scores is the output of a network's last layer, (N, …), saved a tuple, and dout the gradient of each loss,
    1/N. A subclass may also override `targets`, which checks targets, `correct`, which says which samples
    are correct, and `probabilities` and `decisions`, which say what scores stand for.

    Parameters
    ----------
    state : dict of array, optional
    **params : array
        As for Layer. Most losses have neither.

    Examples
    --------
    >>> from backprop import asarray
    >>> from backprop.losses import Loss
    >>> class AbsoluteError(Loss):
    ...     def compute(self, xp, y, t):
    ...         return xp.sum(xp.abs(y - t), axis=1), (y - t,)
    ...     def derive(self, xp, dout, difference):
    ...         return dout * xp.sign(difference)
    ...
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
        """Return targets as compute needs them: by default real numbers in the shape of the scores.

        For scores (N, 1) they may have shape (N,). Integers are returned on the backend. Floating-point
        targets may still be on the host; the caller casts and moves them.

        Parameters
        ----------
        where : str
            Name of the caller, for errors.
        t : array
            Targets, host data or an array of the backend.
        shape : tuple of int
            Shape of the scores.
        backend : Backend
        wait : bool
            Also check values on a device, which waits for it.
        """
        t = in_shape(where, t, shape, backend, wait)
        return t if kind(t) == "f" else backend.asarray(t, "float64")

    def check(self, scores: Array) -> None:
        if len(scores.shape) < 1 or 0 in scores.shape:
            rule = "scores must have shape (N, …) with N at least 1"
            raise ValueError(f"{type(self).__name__}.forward: {rule}, got {scores.shape}")

    def correct(self, xp: Namespace, scores: Array, targets: Array) -> Array | None:
        """Return whether the scores of each sample are correct, (N,) bool; None if that is undefined.

        Parameters
        ----------
        xp : namespace
        scores : array (N, …)
        targets : array
            As returned by `targets`.
        """
        return None

    def probabilities(self, xp: Namespace, scores: Array) -> Array | None:
        """Return the probabilities that scores stand for; None if that is undefined.

        Parameters
        ----------
        xp : namespace
        scores : array (N, …)
        """
        return None

    def decisions(self, xp: Namespace, scores: Array) -> Array | None:
        """Return the label that scores decide for, as integers or bools; None if that is undefined.

        Parameters
        ----------
        xp : namespace
        scores : array (N, …)
        """
        return None

    @runs_formulas
    def forward(self, scores: Array, t: Any, training: bool = True) -> Array:  # type: ignore[override]
        """Return the mean loss, 0-d, on the device.

        Parameters
        ----------
        scores : array (N, …)
        t : array
            Targets, as host data or on the backend of the scores. The values of an array on a GPU are not
            checked, since reading them would wait for it.
        training : bool
            Keep what backward needs.
        """
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
    def backward(self, dout: Any = 1.0) -> Any:
        """Return the gradient of dout · (mean loss) with respect to the scores.

        dout: a number or a 0-d array. Raises RuntimeError unless a forward in training came before.
        """
        where = f"{type(self).__name__}.backward"
        stage, losses = self._recall(where)
        if isinstance(dout, (int, float)) and not isinstance(dout, bool):
            dout = number(where, "dout", dout)
        else:
            require_like(where, dout, losses, (), "the mean loss")
        self._kept = CONSUMED
        gradient = stage.backward(1.0 / losses.shape[0])
        return gradient if isinstance(dout, float) and dout == 1.0 else gradient * dout


def in_shape(where: str, t: Any, shape: tuple[int, ...], backend: Backend, wait: bool) -> Array:
    """Return real targets in the shape of the scores, else raise; host data as NumPy arrays.

    The arguments are those of Loss.targets.
    """
    found, shape = entering(where, "targets", t, backend, wait), tuple(shape)
    if len(found.shape) == 1 and shape == (*found.shape, 1):
        found = found[:, None]
    if tuple(found.shape) != shape:
        rule = f"targets must have the shape of the outputs, {shape}"
        cure = f"; use t.reshape{shape}" if prod(found.shape) == prod(shape) else ""
        raise ValueError(f"{where}: {rule}, got {found.shape}{cure}")
    if kind(found) == "c":
        raise TypeError(f"{where}: targets must be real, got {found.dtype}")
    return found
