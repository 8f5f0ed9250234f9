"""Mini-batch training: the loop of chapter 5.

The data moves to the network's device once. Batches are drawn on the host for many iterations at a time,
and losses are read back as rarely: every 100 iterations on the CPU, every 1,000 on a GPU. So no step waits
for the device, and the host draws the next batches while the device works on these.
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
    """Train a network on random mini-batches and return the history.

    Parameters
    ----------
    net : Network
        If it overrides `loss`, `gradient`, `predict` or `accuracy`, the overrides train and measure it.
    x_train : array (N, …)
        Samples, on the host or on the network's device.
    t_train : array
        Targets as the network's loss takes them: for SoftmaxCrossEntropy labels (N,) or one-hot (N, C).
    x_test, t_test : array, optional
        Test data in the same form.
    iterations : int, optional
        Number of updates, 10,000 by default.
    epochs : int, optional
        Number of epochs of N // batch_size updates each, instead of `iterations`.
    batch_size : int
        Samples per batch, drawn with replacement.
    learning_rate : float, optional
        Rate of the SGD used if no optimizer is given, 0.1 by default.
    optimizer : Optimizer, optional
        To continue an earlier run, pass its optimizer and its generator again.
    evaluate_every : int, "epoch" or None
        Measure the accuracies before the first iteration, after the last, and each time this many iterations
        are done. "epoch" means N // batch_size iterations, None never.
    rng : int or numpy.random.Generator, optional
        Seed or generator of the batches, which are the same on every backend. Batches are drawn ahead, so
        during a callback the generator has already drawn those of the next iterations. If training ends with
        an exception, it is rewound to the last batch used.
    recompute_loss : bool
        Record the loss of each batch after its update, as the book does, at the cost of a second forward
        pass. By default the loss comes from the forward pass of the gradient, before the update.
    callback : callable, optional
        Called with the History so far after every evaluation, and at least every 100 iterations on the CPU or
        every 1,000 on a GPU.

    Returns
    -------
    History

    Raises
    ------
    ValueError, TypeError
        If data or settings do not fit, before anything is changed.
    Diverged
        If the loss or a parameter becomes NaN or infinite. The error carries the history.

    Notes
    -----
    On a GPU the steps are captured once as a CUDA graph and replayed, provided that a replay gives the
    same bits as an eager step; `history.loop` says "captured", or why not. Products use the current
    precision (see `precision`).

    Source: book section 5.7.4.

    Examples
    --------
    >>> from backprop import TwoLayerNet, train
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
        raise ValueError("train: give both x_test and t_test, or neither")
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
        cure = "create the network again if an earlier run diverged"
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

    context = copy_context()  # for the callback: NumPy's warnings as the caller set them
    before = rng.bit_generator.state  # before the current batches were drawn
    at = 0  # how many of these batches are done
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
                        context.run(callback, history)
                if done == total:
                    return history
                count = min(len(drawn) - at, every - done % every if every else total)
                losses = trainer.start(drawn[at : at + count])
                at, done = at + count, done + count
                if at == len(drawn) and done < total:  # draw while the device works on the last ones
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
        raise ValueError("train: give learning_rate or optimizer, not both: an optimizer has its own rate")
    return optimizer


def _every(evaluate_every: Any, epoch: int) -> int:
    """Return the number of iterations between evaluations; 0 means never."""
    if evaluate_every is None:
        return 0
    if not isinstance(evaluate_every, str):
        return positive_integer("train", "evaluate_every", evaluate_every)
    if evaluate_every != "epoch":
        rule = 'evaluate_every must be "epoch", a number of iterations or None'
        raise ValueError(f"train: {rule}, got {shown(evaluate_every)}")
    return epoch


def _record(history: History, losses: list[float], optimizer: Optimizer, updated: bool) -> None:
    """Append losses to the history; raise Diverged at the first that is NaN or infinite."""
    for loss in losses:
        history.loss.append(loss)
        if not math.isfinite(loss):
            what = f"the loss of iteration {len(history.loss)} is {loss}"
            if len(history.loss) == 1 and not updated:
                cause = "no update was made before it: check the data, the initial weights and the layers"
                raise Diverged(f"train: {what}; {cause}", history)
            raise _diverged(history, optimizer, what)


def _diverged(history: History, optimizer: Optimizer, what: str) -> Diverged:
    rate = optimizer.learning_rate
    cause = f"the likely cause is the learning rate, {rate:g}: try {min(0.1 * rate, 0.1):g}"
    return Diverged(f"train: training diverged: {what}; {cause}", history)
