"""The steps of a training: one update for each batch, in arrays that stay where they are.

The indices of many batches move to the device at once, and the losses of many steps come back at once, when
they are asked for. No step waits for the device. Whatever changes from step to step lies in arrays that are
made once: the indices, the learning rate, the losses. So a backend may record the steps and replay them.
"""

from collections.abc import Callable
from typing import Any

from backends import Array
from backprop.networks import Network
from backprop.networks.worker import why_not_captured, worker
from backprop.optimizers import SGD

SEGMENT = 100  # steps that a backend records at once


def batch_loop(
    net: Network,
    optimizer: SGD,
    x: Array,
    labels: Array,
    batch_size: int,
    recompute_loss: bool,
    capture: bool = True,
) -> Callable[[Any], Callable[[], list[float]]]:
    """A function of batches (count, batch_size), indices into x, that asks for one update each.

    It returns a function that waits for them and returns the mean loss of each.

    x, labels: as `net.enter` gives them.
    recompute_loss: the losses after the updates, by a second forward pass.
    capture: whether steps that can be recorded are.
    """
    backend, work = net.backend, worker(net)
    params, grads = work.params, work.grads
    recorded = capture and why_not_captured(net, optimizer) is None
    # On the host the learning rate goes into the gradients, which spares a pass over them, if nobody else
    # sees them. On a device it is an array, since a number would be recorded as it is now.
    folded = work is not net and backend.on_host
    rate = backend.asarray([optimizer.learning_rate], net.dtype)
    indices = backend.zeros((SEGMENT, batch_size), "int64")
    losses = backend.zeros((SEGMENT, batch_size), net.dtype)
    x = backend.pack(x)
    x_batch = backend.zeros((batch_size, *x.shape[1:]), net.dtype)
    t_batch = backend.zeros((batch_size,), labels.dtype)

    def step(i: int) -> None:
        out = losses[i, ...]
        backend.minibatch(x, labels, indices[i, ...], x_batch, t_batch)
        if work is net:  # somebody's own pass, which need not know where to write
            out[...], _ = net.backpropagate(x_batch, t_batch)
        else:
            seed = optimizer.learning_rate if folded else 1.0
            work.backpropagate(x_batch, t_batch, dout=seed, out=out)
        optimizer.update(params, grads, 1.0 if folded else rate)
        if not recompute_loss:
            return
        if work is net:
            out[...] = net.losses(x_batch, t_batch)
        else:
            work.losses(x_batch, t_batch, out=out)

    run = backend.loop(step, keep=[params.flat], capture=recorded)
    known = optimizer.learning_rate

    def start(batches: Any) -> Callable[[], list[float]]:
        nonlocal known
        if optimizer.learning_rate != known:
            known = optimizer.learning_rate
            backend.write(rate, backend.asarray([known], net.dtype))
        batches, parts = backend.asarray(batches, "int64"), []
        total = batches.shape[0]
        for first in range(0, total, SEGMENT):
            count = min(SEGMENT, total - first)
            backend.write(indices[:count, ...], batches[first : first + count, ...])
            run(count)
            parts.append(backend.copy(losses[:count, ...]))
        if not parts:
            return list  # there is no loss
        every = parts[0] if len(parts) == 1 else backend.concat(parts)

        def mean_losses() -> list[float]:
            means: list[float] = backend.to_numpy(every).mean(axis=1, dtype="float64").tolist()
            return means

        return mean_losses

    return start
