"""Measuring a network on checked data: the mean loss and the share of correct samples, piece by piece."""

from collections.abc import Callable
from functools import partial
from typing import Any

from backends import Array, NewArrays, find
from backprop.arrays.checks import require_one_number
from backprop.layers.layer import has_own_passes
from backprop.networks import own_passes
from backprop.networks.chain import Chain
from backprop.networks.pieces import joined, pieces


def loss_and_accuracy(
    net: Any, x: Array, targets: Array, chain: Chain | None = None
) -> tuple[float, float | None]:
    """Return what `Network.measured` returns: both from one pass, unless a method is overridden."""
    if net.overrides("loss", "predict", "accuracy"):
        own: Any = net.loss(x, targets)
        require_one_number(f"{type(net).__name__}.loss", own)
        return float(own), accuracy(net, x, targets, chain)
    chain, last = chain or net.chain(x.dtype, with_loss=False), net.chain_of_loss(x.dtype)
    correct, backend = correct_of(net), net.backend
    losses, right, counts = [], [], []
    with chain.lock, last.lock:
        for piece, t in pieces(net, x, targets):
            scores = chain.scores(piece)
            losses.append(last.losses(scores, t))
            right.append(correct(scores, t))
            counts.append(int(piece.shape[0]))
    total = sum(counts)
    if has_own_passes(net.loss_layer):  # which returns means
        loss = sum(float(mean) * count for mean, count in zip(losses, counts, strict=True)) / total
    else:
        loss = float(backend.to_numpy(joined(backend, losses)).mean(dtype="float64"))
    return loss, None if right[0] is None else _share(backend, right, total)


def accuracy(net: Any, x: Array, targets: Array, chain: Chain | None = None) -> float | None:
    """Return the accuracy as `loss_and_accuracy` does, without the loss."""
    if not net.overrides("accuracy"):
        return share_correct(net, x, targets, chain)
    own: Any = net.accuracy(x, targets)
    require_one_number(f"{type(net).__name__}.accuracy", own)
    return float(own)


def share_correct(net: Any, x: Array, targets: Array, chain: Chain | None = None) -> float | None:
    """Return the share of correct samples; None if the loss does not define which are."""
    chain = chain or net.chain(x.dtype, with_loss=False)
    scores_of = net.predict if net.overrides("predict") else chain.scores
    correct, right = correct_of(net), []
    with chain.lock:
        for piece, t in pieces(net, x, targets):
            right.append(correct(scores_of(piece), t))
            if right[0] is None:
                return None
    return _share(net.backend, right, int(x.shape[0]))


def correct_of(net: Any) -> Callable[[Array, Array], Any]:
    """Return the function of scores and targets that says which samples are correct, or returns None."""
    own, backend = getattr(net.loss_layer, "correct", None), net.backend
    correct: Any = own if callable(own) else own_passes.correct
    twin = find(backend.name, net.dtype, correct)
    if twin is None:
        return partial(correct, backend.xp)
    return partial(twin, net.loss_layer, NewArrays(backend, net.dtype))


def _share(backend: Any, right: list[Any], total: int) -> float:
    return int(backend.to_numpy(joined(backend, right)).sum()) / total
