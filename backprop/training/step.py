"""One training step in full view: draw a batch, forward, backward, mean over the ranks, update.

The indices of many batches move to the device at once, and the losses of many steps come back at once, on
request. No step waits for the device. Everything that changes from step to step lies in arrays allocated
once: the indices, the losses, the optimizer's state and settings. So a backend may record steps and replay
them.
"""

from collections.abc import Callable, Sequence
from math import prod
from threading import Lock
from typing import Any

from backends import Array, Namespace, NewArrays, Workspace, find, shown
from backends.communicators import Alone, Communicator
from backprop.arrays.checks import require_one_number
from backprop.networks import Network
from backprop.optimizers import Optimizer
from backprop.optimizers.fitting import gathered

SEGMENT = 100  # steps that a backend records at once


def minibatch(xp: Namespace, x: Array, targets: Array, batch: Array) -> tuple[Array, Array]:
    """Return the samples and targets of a batch of indices."""
    return xp.take(x, batch, axis=0), xp.take(targets, batch, axis=0)


class Trainer:
    """A network, an optimizer and data in arrays that stay in place from step to step.

    Parameters
    ----------
    net : Network
    optimizer : Optimizer
    x, targets : array
        Data as `net.prepare` returns it.
    batch_size : int
        Samples per batch; a multiple of the ranks.
    recompute_loss : bool
        Record the losses after the updates, by a second forward pass.
    capture : bool
        Allow the backend to record the steps.
    communicator : Communicator, optional
        The ranks that train this network together, each with its share of every batch.
    """

    def __init__(
        self,
        net: Network,
        optimizer: Optimizer,
        x: Array,
        targets: Array,
        batch_size: int,
        recompute_loss: bool = False,
        capture: bool = True,
        communicator: Communicator | None = None,
    ) -> None:
        backend = self.backend = net.backend
        self.communicator = communicator or Alone()
        self.share = self.communicator.share(batch_size)
        batch_size = self.share.stop - self.share.start
        self.net, self.optimizer, self.recompute_loss = net, optimizer, recompute_loss
        self.x, self.targets = backend.pack(x), targets
        self.grads = net.params.like(backend.zeros(net.params.flat.shape, net.dtype))
        self.chain = net.chain(grads=self.grads, memory=Workspace)
        if self.communicator.size > 1:
            self.chain.synchronize(self.communicator)
        self.scores = net.chain(memory=Workspace, with_loss=False)
        self.overridden = net.overrides("loss", "gradient")
        if not self.overridden:
            self.chain.check_training((batch_size, *net.input_shape))
        self.indices = backend.zeros((SEGMENT, batch_size), "int64")
        self.losses = backend.zeros((SEGMENT, batch_size), net.dtype)
        twin = find(backend.name, net.dtype, minibatch)
        self.minibatch: Callable[..., Any] = twin or minibatch
        may_be_kept = self.overridden or self.chain.own_passes  # user code may keep its arguments
        memory = NewArrays if may_be_kept else Workspace
        samples = prod(net.input_shape) * batch_size
        self.together = max(1, min(SEGMENT, backend.gathered_at_once // samples))  # batches
        self.count = SEGMENT  # steps of this run
        self.context: Any = memory(backend, net.dtype) if twin else backend.xp
        optimizer.bind(net.params, scratch=self.grads.flat)
        columns = range(len(optimizer.settings))
        self.settings = backend.zeros((SEGMENT, len(columns)), net.dtype)
        self.settings_of = [[self.settings[i, k, ...] for k in columns] for i in range(SEGMENT)]
        self._own_settings: Sequence[float] = ()  # those that every row holds, if all are the optimizer's own
        why = "" if capture else "capture=False"
        if self.overridden:
            why = f"{type(net).__name__} overrides loss or gradient"
        why = why or self.chain.own_passes or backend.why_not_captured(net.dtype) or ""
        why = why or self.communicator.why_not_captured(backend)
        changed = [net.params.flat, *optimizer.arrays, *self.chain.state]
        self.run = backend.captured(changed, [self.losses], why, self.communicator.all)

    def restart(self, net: Network) -> None:
        """Begin anew from another network's parameters and state, with the optimizer's state at 0.

        The values are copied into the arrays of this trainer's own network. So a second training run costs
        no new memory, and a backend replays what it recorded during the first.

        Parameters
        ----------
        net : Network
            With the same layers, on the same backend and in the same dtype. It does not change.

        Raises
        ------
        ValueError
            If its parameters or its state have other names, shapes, dtypes or another backend. Nothing has
            changed then.
        """
        own, other = ([*each.params.items(), *each.state.items()] for each in (self.net, net))
        forms = [[(name, array.shape, array.dtype) for name, array in each] for each in (own, other)]
        if net.backend is not self.backend or forms[0] != forms[1]:
            rule = "net must have the parameters and the state of the trainer's network"
            raise ValueError(f"Trainer.restart: {rule}, got {shown(net, 80)}")
        for (_, target), (_, source) in zip(own, other, strict=True):
            self.backend.write(target, source)
        self.optimizer.reset()

    def batch(self, i: int) -> Any:
        """Return the samples and targets of batch i. The first of several gathers those of all."""
        if self.together == 1:
            return self.minibatch(self.context, self.x, self.targets, self.indices[i, ...])
        first = i - i % self.together
        if i == first:
            rows = self.indices[i : min(i + self.together, self.count), ...]
            rows = self.backend.xp.reshape(rows, (rows.shape[0] * rows.shape[1],))
            self.gathered = self.minibatch(self.context, self.x, self.targets, rows)
        size = self.indices.shape[1]
        start = (i - first) * size
        x, targets = self.gathered
        return x[start : start + size, ...], targets[start : start + size, ...]

    def step(self, i: int) -> None:
        """Make one update on batch i."""
        x, targets = self.batch(i)
        self.chain.forward(x, targets, out=self.losses[i, ...])
        self.chain.backward()
        self.communicator.mean(self.grads.flat)
        self.optimizer.move(self.net.params, self.grads, self.settings_of[i])
        if self.recompute_loss:
            self.losses[i, ...] = self.chain.losses(x, targets)

    def step_as_overridden(self, i: int) -> None:
        """Make one update on batch i through the network's overridden `loss` and `gradient`."""
        x, targets = self.batch(i)
        if not self.recompute_loss:
            self.losses[i, ...] = self._own_loss(x, targets)
        where = f"{type(self.optimizer).__name__}.update"
        grads = gathered(where, self.net.params, self.net.gradient(x, targets))
        self.communicator.mean(grads.flat)
        self.optimizer.move(self.net.params, grads, self.settings_of[i])
        if self.recompute_loss:
            self.losses[i, ...] = self._own_loss(x, targets)

    def _own_loss(self, x: Array, targets: Array) -> Any:
        loss = self.net.loss_in_training(x, targets)
        require_one_number(f"{type(self.net).__name__}.loss", loss)
        return loss

    def start(
        self, batches: Any, settings: Sequence[Sequence[float]] | None = None
    ) -> Callable[[], list[float]]:
        """Launch one update per row of indices in `batches`.

        Return a function that waits for the device and returns the mean loss of each batch, over all ranks.

        Parameters
        ----------
        batches : array (count, batch_size)
            Indices of samples, on the host, the same on all ranks.
        settings : sequence of sequence of float, optional
            For each update the numbers in the order of `optimizer.settings`. By default those that the
            optimizer has now.
        """
        backend, parts = self.backend, []
        step, lock = self.step, self.chain.lock
        if self.overridden:
            step, lock = self.step_as_overridden, Lock()  # these methods take the network's lock themselves
        if self.communicator.size > 1:
            batches = batches[:, self.share]
        batches = backend.asarray(batches, "int64")
        total = batches.shape[0]
        given = None if settings is None or not total else backend.asarray(settings, self.net.dtype)
        if given is None:
            self._write_own_settings()
        for first in range(0, total, SEGMENT):
            count = self.count = min(SEGMENT, total - first)
            backend.write(self.indices[:count, ...], batches[first : first + count, ...])
            if given is not None:
                self._own_settings = ()
                backend.write(self.settings[:count, ...], given[first : first + count, ...])
            with lock:
                self.run(step, count, self.impure_layer)
            parts.append(backend.copy(self.losses[:count, ...]))
        if not parts:
            return list  # no losses
        every = parts[0] if len(parts) == 1 else backend.concat(parts)
        return lambda: self._means(every)

    def _means(self, losses: Array) -> list[float]:
        """Return the mean of each row over all ranks."""
        self.communicator.wait(self.backend)
        means = self.backend.to_numpy(losses).mean(axis=1, dtype="float64")
        self.communicator.mean(means)
        return [*means.tolist()]

    def _write_own_settings(self) -> None:
        """Write the optimizer's settings into every row, unless they are there already."""
        values = [getattr(self.optimizer, name) for name in self.optimizer.settings]
        if values != self._own_settings:
            rows = self.backend.asarray([values] * self.settings.shape[0], self.net.dtype)
            self.backend.write(self.settings, rows)
            self._own_settings = values

    def impure_layer(self) -> str:
        """Return a sentence naming the first layer whose results differ between equal calls, or ""."""
        passes = []
        for _ in range(2):
            x, targets = self.batch(0)
            seen: list[tuple[Any, Array]] = []
            for stage in self.chain.body:
                x = stage.forward(x)
                seen.append((stage, x))
            seen.append((self.chain.last, self.chain.last.forward(x, targets)))
            dout: Any = 1.0 / targets.shape[0]
            for stage in self.chain.reversed:
                dout = stage.backward(dout)
                seen += [(stage, array) for array in (dout, *stage.grads) if array is not None]
            passes.append([(stage, self.backend.to_numpy(array).tobytes()) for stage, array in seen])
        for (stage, first), (_, second) in zip(*passes, strict=True):
            if first != second:
                name = type(stage.link.layer).__name__
                return f"{name} gives different results for the same input"
        return ""
