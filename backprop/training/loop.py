"""Mini-batch training: the loop of chapter 5.

The data moves to the network's device once. The batches of many iterations are drawn at once on the host, and
their losses are read at once: of 100 on the CPU, of an epoch on a GPU. So no step waits for the device, and
while it works on these batches the host draws the next.
"""

import time
from collections.abc import Callable
from math import prod
from typing import Any

from backends import Array
from backprop import checks
from backprop.initializers import generator
from backprop.networks import Network
from backprop.networks.worker import why_not_captured, worker
from backprop.optimizers import SGD
from backprop.training.batches import batch_loop
from backprop.training.history import History

ITERATIONS = 10_000


@checks.memory("train", "lower batch_size, or the hidden units of the network")
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
    learning_rate: float = 0.1,
    rng: Any = None,
    recompute_loss: bool = False,
    callback: Callable[[History], Any] | None = None,
) -> History:
    """Train a network by stochastic gradient descent on random mini-batches, and return what was recorded.

    x_train: (N, …) samples.  t_train: (N,) integer or (N, C) one-hot labels.
    x_test, t_test: the same, or None.
    iterations: updates to make, 10,000 by default.  epochs: N // batch_size updates each, instead.
    batch_size: samples a batch, drawn with replacement.  learning_rate: a positive number.
    rng: a seed or numpy.random.Generator; the same one draws the same batches on every backend. A callback
    finds it ahead by the batches of the next iterations; a training that is broken off sets it back to them.
    recompute_loss: record the loss of the batch after its update, at the cost of a second forward pass, as
    the book does; else the loss that the gradient's own forward pass gave, before the update.
    callback: called with the History so far after every evaluation, and on the CPU at least every 100
    iterations, on a GPU every 1,000.

    On a GPU the steps are captured once as a CUDA graph and replayed, if the layers declare that they can be;
    history.loop says so, or why not. Products take the precision in force (see `precision`).
    The accuracies are measured at the start of every epoch and once at the end.
    Raises ValueError and TypeError for data or settings that do not fit, before anything is changed.
    Source: book section 5.7.4.

    >>> from backprop import TwoLayerNet
    >>> net = TwoLayerNet(2, 8, 2, rng=0)
    >>> x, t = [[0.0, 1.0], [1.0, 0.0]], [0, 1]
    >>> history = train(net, x, t, iterations=200, batch_size=2, learning_rate=1.0, rng=0)
    >>> history.train_accuracy[-1], len(history.loss)
    (1.0, 200)
    """
    if not isinstance(net, Network):
        raise TypeError(f"train: net must be a backprop.networks.Network, got {type(net).__name__}")
    if callback is not None and not callable(callback):
        raise TypeError(f"train: callback must be callable, got {callback!r}")
    if iterations is not None and epochs is not None:
        raise ValueError("train: give iterations or epochs, not both")
    if (x_test is None) != (t_test is None):
        raise ValueError("train: x_test and t_test go together")
    batch_size = checks.positive_integer("train", "batch_size", batch_size)
    optimizer, rng = SGD(learning_rate), generator(rng)
    x, labels = net.enter("train (x_train, t_train)", x_train, t_train)
    test = None if x_test is None else net.enter("train (x_test, t_test)", x_test, t_test)
    epoch = max(1, x.shape[0] // batch_size)
    if epochs is not None:
        iterations = epoch * checks.positive_integer("train", "epochs", epochs)
    total = ITERATIONS if iterations is None else checks.positive_integer("train", "iterations", iterations)

    backend, started = net.backend, time.perf_counter()
    most = max(x.shape[0], 0 if test is None else test[0].shape[0])
    rows, weights = (batch_size, min(backend.samples_at_once, most)), net.params.shapes.values()
    backend.warmup([(n, *shape) for n in rows for shape in weights if len(shape) == 2])
    why = why_not_captured(net, optimizer)
    history = History(
        warmup_seconds=time.perf_counter() - started,
        loop="captured" if why is None else f"eager: {why}",
        precision=backend.precision(net.dtype),
    )
    started, done = time.perf_counter(), 0
    start = batch_loop(net, optimizer, x, labels, batch_size, recompute_loss)

    def report(history: History) -> None:
        if callback is not None:
            with backend.users_threads():
                callback(history)

    def draw() -> Any:
        count = min(backend.iterations_at_once, total - done, epoch - done % epoch)
        return rng.integers(x.shape[0], size=(count, batch_size))

    used = rng.bit_generator.state  # by what has been trained
    try:
        with backend.threads_for(batch_size * max(map(prod, net.params.shapes.values()))):
            batches = draw()
            while done < total:
                if done % epoch == 0:
                    _evaluate(net, history, done, (x, labels), test, started)
                    report(history)
                used = rng.bit_generator.state
                losses = start(batches)
                done += len(batches)
                batches = draw()
                history.loss += losses()
                history.seconds = time.perf_counter() - started
                report(history)
            _evaluate(net, history, done, (x, labels), test, started)
            report(history)
    except BaseException:
        rng.bit_generator.state = used
        raise
    return history


def _evaluate(
    net: Network,
    history: History,
    done: int,
    train_set: tuple[Array, Array],
    test_set: tuple[Array, Array] | None,
    started: float,
) -> None:
    net = worker(net)
    history.iterations.append(done)
    history.train_accuracy.append(net.share_correct(*train_set))
    if test_set is not None:
        history.test_accuracy.append(net.share_correct(*test_set))
    history.seconds = time.perf_counter() - started
