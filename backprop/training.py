"""Mini-batch training: the loop of chapter 5, and what it recorded.

The data moves to the network's device once. The loop works in segments of at most 100 iterations, for which
the batches are drawn at once on the host; a step writes its losses into a buffer on the device, which is read
when the segment ends. So no step waits for the device.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

from backends import Array
from backprop import checks
from backprop.initializers import generator
from backprop.networks import Network
from backprop.networks.worker import worker
from backprop.optimizers import SGD

SEGMENT = 100  # iterations between two looks at the losses
ITERATIONS = 10_000


@dataclass(repr=False)
class History:
    """What a training run recorded: lists of Python numbers.

    loss: the mean loss of each iteration's batch, in nats.
    iterations: after how many updates the accuracies were measured.
    train_accuracy, test_accuracy: in [0, 1], one for each entry of `iterations`; none without test data.
    seconds: what the run took, evaluations included.
    """

    loss: list[float] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def __repr__(self) -> str:
        accuracies = {"train": self.train_accuracy, "test": self.test_accuracy}
        last = ", ".join(f"{name} accuracy {values[-1]:.4f}" for name, values in accuracies.items() if values)
        return f"<History of {len(self.loss)} iterations in {self.seconds:.1f} s: {last}>"


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
    rng: a seed or numpy.random.Generator; the same one draws the same batches on every backend.
    recompute_loss: record the loss of the batch after its update, at the cost of a second forward pass, as
    the book does; else the loss that the gradient's own forward pass gave, before the update.
    callback: called with the History so far after every evaluation and at least every 100 iterations.

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

    history, started, done = History(), time.perf_counter(), 0
    report = callback or (lambda history: None)
    segment = batch_loop(net, optimizer, x, labels, batch_size, recompute_loss)
    with net.backend.threads_for(batch_size * max(map(prod, net.params.shapes.values()))):
        while done < total:
            if done % epoch == 0:
                _evaluate(net, history, done, (x, labels), test, started)
                report(history)
            count = min(SEGMENT, total - done, epoch - done % epoch)
            batches = rng.integers(x.shape[0], size=(count, batch_size))
            history.loss += segment(batches)
            done += count
            history.seconds = time.perf_counter() - started
            report(history)
        _evaluate(net, history, done, (x, labels), test, started)
        report(history)
    return history


def batch_loop(
    net: Network, optimizer: SGD, x: Array, labels: Array, batch_size: int, recompute_loss: bool
) -> Callable[[Any], list[float]]:
    """A function of batches (count, batch_size), indices into x: one update each; returns their mean losses.

    At most SEGMENT batches at once.  The buffers are made once, so that a recorded step finds them again.
    """
    backend, work = net.backend, worker(net)
    params, grads = work.params, work.grads
    scaled = work is not net  # only gradients that nobody else sees may hold the learning rate
    indices = backend.zeros((SEGMENT, batch_size), "int64")
    losses = backend.zeros((SEGMENT, batch_size), net.dtype)
    x_batch = backend.zeros((batch_size, *x.shape[1:]), x.dtype)
    t_batch = backend.zeros((batch_size,), labels.dtype)

    def step(i: int) -> None:
        batch = indices[i, ...]
        backend.gather(x, batch, x_batch)
        backend.gather(labels, batch, t_batch)
        seed = optimizer.learning_rate if scaled else 1.0
        losses[i, ...], _ = work.backpropagate(x_batch, t_batch, dout=seed)
        optimizer.update(params, grads, scaled)
        if recompute_loss:
            losses[i, ...] = work.losses(x_batch, t_batch)

    run = backend.loop(step)

    def segment(batches: Any) -> list[float]:
        count = len(batches)
        indices[:count, ...] = backend.asarray(batches)
        run(count)
        means: list[float] = backend.to_numpy(losses[:count, ...]).mean(axis=1, dtype="float64").tolist()
        return means

    return segment


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
