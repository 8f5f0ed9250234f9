"""The answers of a network: probabilities and labels, as its loss defines them for scores."""

from typing import Any

from backends import Array, kind
from backprop.arrays.entering import cast
from backprop.networks.data import samples


def probabilities(net: Any, where: str, x: Any) -> Array:
    """Return what `Network.predict_proba` returns.  where: the caller, for errors."""
    found: Array = _answers(net, where, x, "probabilities")
    return found


def labels(net: Any, where: str, x: Any) -> Array:
    """Return what `Network.predict_labels` returns.  where: the caller, for errors."""
    found: Array = net.backend.asarray(_answers(net, where, x, "decisions"), "int64")
    return found


def tells_classes_apart(net: Any) -> bool:
    """Return whether the loss defines probabilities of the scores, and one label for each sample."""
    scores = net.backend.zeros((1, *net.output_shape), net.dtype)
    shares, decided = (_of_loss(net, name, scores) for name in ("probabilities", "decisions"))
    return shares is not None and decided is not None and tuple(decided.shape) == (1,)


def not_finite(net: Any) -> list[str]:
    """Return the names of the parameters and the state that hold NaN or infinity."""
    floats = {name: each for name, each in {**net.params, **net.state}.items() if kind(each) == "f"}
    return [name for name, each in floats.items() if not net.backend.all_finite(each)]


def _answers(net: Any, where: str, x: Any, what: str) -> Any:
    """Return what a method of the loss makes of the scores of samples x (N, …)."""
    x = samples(net, where, x)
    if kind(x) == "c":
        raise TypeError(f"{where}: x must be real, got {x.dtype}")
    x = cast(where, "x", x, net.dtype, net.backend)
    scores = _own_scores(net, x) if net.overrides("predict") else net.scores(x)
    found = _of_loss(net, what, scores)
    if found is None:
        name = type(net.loss_layer).__name__
        raise TypeError(f"{where}: {name} does not define {what} of the scores; use predict")
    return found


def _own_scores(net: Any, x: Array) -> Array:
    """Return the scores of an overridden `predict`, checked."""
    own: Any = net.predict(x)
    shape = (x.shape[0], *net.output_shape)
    if getattr(own, "shape", None) != shape:
        rule = f"{type(net).__name__}.predict must return scores of shape {shape}"
        raise ValueError(f"{rule}, got {getattr(own, 'shape', type(own).__name__)}")
    scores: Array = net.backend.asarray(own, net.dtype)
    return scores


def _of_loss(net: Any, what: str, scores: Array) -> Any:
    """Return what the loss's method of this name makes of the scores; None if it has none."""
    own: Any = getattr(net.loss_layer, what, None)
    return own(net.backend.xp, scores) if callable(own) else None
