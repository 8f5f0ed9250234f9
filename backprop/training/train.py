"""Mini-batch training: the loop of chapter 5.

The data moves to the network's device once. The batches of many iterations are drawn at once on the host, and
their losses are read at once: of 100 on the CPU, of an epoch on a GPU. So no step waits for the device, and
while it works on these batches the host draws the next.
"""

import math
import time
from collections.abc import Callable
from contextvars import copy_context
from math import prod
from typing import Any

from backends import listed, shown
from backprop.arrays.checks import flag, function, memory, positive_integer
from backprop.arrays.initializers import generator
from backprop.networks import Network
from backprop.optimizers import SGD, Optimizer
from backprop.optimizers.fitting import rate_in
from backprop.training.history import Diverged, History
from backprop.training.step import Trainer

ITERATIONS = 10_000
LEARNING_RATE = 0.1


@memory("train", "lower batch_size, or the hidden units of the network")
def train(
    net: Network,
    x_train: Any,
    t_train: Any,
    x_test: Any = None,
    t_test: Any = None,
    *,
    iterations: int | None = None,
    epochs: int | None = None,
    batch_size: int = 100,
    learning_rate: float | None = None,
    optimizer: Optimizer | None = None,
    evaluate_every: int | str | None = "epoch",
    rng: Any = None,
    recompute_loss: bool = False,
    callback: Callable[[History], Any] | None = None,
) -> History:
    """Train a network on random mini-batches, and return what was recorded.

    x_train: (N, …) samples.  t_train: targets, as the network's loss takes them: labels (N,) or one-hot (N,
    C).
    x_test, t_test: the same, or None.
    iterations: updates to make, 10,000 by default.  epochs: N // batch_size updates each, instead.
    batch_size: samples per batch, drawn with replacement.
    learning_rate: of the SGD that is made if no optimizer is given, 0.1 by default.
    optimizer: an Optimizer; with the same one and the same generator, several trainings continue one another.
    evaluate_every: measure the accuracies before the first iteration, after every so many, and after the
    last; "epoch" is after N // batch_size; None is never.
    rng: a seed or numpy.random.Generator; the same one draws the same batches on every backend. A callback
    finds it ahead by the batches of the next iterations; a training that is broken off sets it back to them.
    recompute_loss: record the loss of the batch after its update, at the cost of a second forward pass, as
    the book does; else the loss that the gradient's own forward pass gave, before the update.
    callback: called with the History so far after every evaluation, and on the CPU at least every 100
    iterations, on a GPU every 1,000.

    A network with a `loss`, `gradient`, `predict` or `accuracy` of its own is trained and measured through
    them.
    On a GPU the steps are captured once as a CUDA graph and replayed where that gives the same;
    history.loop says so, or why not. Products take the precision in force (see `precision`).
    Raises ValueError and TypeError for data or settings that do not fit, before anything is changed;
    Diverged, with the history, when the loss becomes NaN or infinite.
    Source: book section 5.7.4.

    >>> from backprop import TwoLayerNet
    >>> net = TwoLayerNet(2, 8, 2, rng=0)
    >>> x, t = [[0.0, 1.0], [1.0, 0.0]], [0, 1]
    >>> history = train(net, x, t, iterations=200, batch_size=2, learning_rate=1.0, rng=0)
    >>> history.train_accuracy[-1], len(history.loss)
    (1.0, 200)
    """
    if not isinstance(net, Network):
        raise TypeError(f"train: net must be a backprop.networks.Network, got {shown(net)}")
    if callback is not None:
        function("train", "callback", callback)
    if iterations is not None and epochs is not None:
        raise ValueError("train: give iterations or epochs, not both")
    if (x_test is None) != (t_test is None):
        raise ValueError("train: x_test and t_test go together")
    batch_size = positive_integer("train", "batch_size", batch_size)
    recompute_loss = flag("train", "recompute_loss", recompute_loss)
    optimizer, rng = _optimizer(optimizer, learning_rate, net.dtype), generator(rng, "train")
    train_set = net.prepare("train (x_train, t_train)", x_train, t_train)
    test_set = None if x_test is None else net.prepare("train (x_test, t_test)", x_test, t_test)
    size = train_set[0].shape[0]
    epoch = max(1, size // batch_size)
    if epochs is not None:
        iterations = epoch * positive_integer("train", "epochs", epochs)
    total = ITERATIONS if iterations is None else positive_integer("train", "iterations", iterations)
    every = _every(evaluate_every, epoch)
    if not net.backend.all_finite(net.params.flat):
        wrong = [name for name, array in net.params.items() if not net.backend.all_finite(array)]
        cure = "make the network anew if a training that diverged has left them"
        raise ValueError(f"train: {listed(wrong)} must be finite before the first iteration; {cure}")

    backend, started, done = net.backend, time.perf_counter(), 0
    most = max(size, 0 if test_set is None else test_set[0].shape[0])
    weights = [shape for shape in net.params.shapes.values() if len(shape) == 2]
    rows = (batch_size, min(backend.samples_at_once, most))
    backend.warmup([(n, *shape) for n in rows for shape in weights])
    warm = time.perf_counter()
    history = History(warmup_seconds=warm - started, precision=backend.precision(net.dtype))
    trainer = Trainer(net, optimizer, *train_set, batch_size, recompute_loss)

    def draw() -> Any:
        return rng.integers(size, size=(min(backend.iterations_at_once, total - done), batch_size))

    users = copy_context()  # in which the callback runs: with warnings of NumPy's as they were
    before = rng.bit_generator.state  # of the batches that are drawn
    at = 0  # how many of them have been trained on
    try:
        with backend.threads_for(batch_size * max(map(prod, net.params.shapes.values()))), backend.quiet():
            drawn = draw()
            while True:
                if done == total or (every and done % every == 0):
                    if not backend.all_finite(net.params.flat):
                        raise _diverged(history, optimizer, "a parameter is no longer finite")
                    if every:
                        trainer.measure(history, done, train_set, test_set)
                history.seconds = time.perf_counter() - warm
                if callback is not None and (done or every):
                    with backend.users_threads():
                        users.run(callback, history)
                if done == total:
                    return history
                count = min(len(drawn) - at, every - done % every if every else total)
                losses = trainer.start(drawn[at : at + count])
                at, done = at + count, done + count
                if at == len(drawn) and done < total:  # the device works on the last ones meanwhile
                    before, at, drawn = rng.bit_generator.state, 0, draw()
                history.loop = trainer.run.how
                _record(history, losses(), optimizer, recompute_loss)
    except BaseException:
        history.seconds = time.perf_counter() - warm
        rng.bit_generator.state = before
        rng.integers(size, size=(at, batch_size))
        raise


def _optimizer(optimizer: Any, learning_rate: Any, dtype: Any) -> Optimizer:
    if optimizer is None:
        rate = LEARNING_RATE if learning_rate is None else learning_rate
        return SGD(rate_in(dtype, "train", rate))
    if not isinstance(optimizer, Optimizer):
        rule = "optimizer must be an Optimizer, such as Momentum(0.1)"
        raise TypeError(f"train: {rule}, got {shown(optimizer)}")
    if learning_rate is not None:
        raise ValueError("train: learning_rate is for the SGD that train makes; an optimizer has its own")
    return optimizer


def _every(evaluate_every: Any, epoch: int) -> int:
    """Return after how many iterations to evaluate; 0 for never."""
    if evaluate_every is None:
        return 0
    if not isinstance(evaluate_every, str):
        return positive_integer("train", "evaluate_every", evaluate_every)
    if evaluate_every != "epoch":
        rule = 'evaluate_every must be "epoch", a number of iterations or None'
        raise ValueError(f"train: {rule}, got {shown(evaluate_every)}")
    return epoch


def _record(history: History, losses: list[float], optimizer: Optimizer, updated: bool) -> None:
    """Add losses to the history, up to the first that is NaN or infinite: then raise Diverged."""
    for loss in losses:
        history.loss.append(loss)
        if not math.isfinite(loss):
            what = f"the loss of iteration {len(history.loss)} is {loss}"
            if len(history.loss) == 1 and not updated:
                cause = "no update was made before it: look at the data, the first weights and the layers"
                raise Diverged(f"train: {what}; {cause}", history)
            raise _diverged(history, optimizer, what)


def _diverged(history: History, optimizer: Optimizer, what: str) -> Diverged:
    rate = optimizer.learning_rate
    cause = f"the likely cause is the learning rate, {rate:g}: try {min(0.1 * rate, 0.1):g}"
    return Diverged(f"train: the training diverged: {what}; {cause}", history)
