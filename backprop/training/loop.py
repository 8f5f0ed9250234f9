"""The training loop: batches in, losses out, and between them evaluations, the callback, reasons to stop."""

import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import copy_context
from math import prod
from typing import Any

from backprop.arrays.checks import is_bool
from backprop.training.batches import Epochs, WithReplacement
from backprop.training.checkpoint_writer import CheckpointWriter, NoCheckpoints
from backprop.training.early_stopping import EarlyStopping
from backprop.training.evaluation import evaluate
from backprop.training.history import Diverged, History
from backprop.training.interruptions import Interruptions
from backprop.training.ranks import average_state, require_same_parameters
from backprop.training.rates import Rates
from backprop.training.sets import Sets
from backprop.training.step import Trainer


class Run:
    """A training run, ready to go.

    Parameters
    ----------
    trainer : Trainer
    sets : Sets
    batches : WithReplacement or Epochs
    total : int
        Number of updates.
    every : int
        Number of updates between evaluations; 0 means never.
    history : History
    rates : Rates, optional
    stopping : EarlyStopping, optional
    callback : callable, optional
    writer : CheckpointWriter, optional
        Writes checkpoints.
    held : array, optional
        Host indices of the samples that are held out, for checkpoints.
    """

    def __init__(
        self,
        trainer: Trainer,
        sets: Sets,
        batches: WithReplacement | Epochs,
        total: int,
        every: int,
        history: History,
        rates: Rates | None = None,
        stopping: EarlyStopping | None = None,
        callback: Callable[[History], Any] | None = None,
        writer: CheckpointWriter | NoCheckpoints | None = None,
        held: Any = None,
    ) -> None:
        self.trainer, self.sets, self.batches, self.history = trainer, sets, batches, history
        self.communicator = trainer.communicator
        self.total, self.every, self.done = total, every, 0
        self.rates, self.stopping, self.callback = rates, stopping, callback
        self.writer, self.held = writer, held
        self.begun = time.perf_counter()
        self.context = copy_context()  # for the callback: NumPy's warnings as the caller set them

    def __call__(self) -> None:
        """Train. However it ends, leave the generator and the best weights as `train` promises."""
        backend, shapes = self.trainer.backend, self.trainer.net.params.shapes.values()
        try:
            products = self.trainer.indices.shape[1] * max(map(prod, shapes))
            with Interruptions() as signals, backend.threads_for(products), backend.quiet():
                self._loop(signals)
        except BaseException as error:
            if not hasattr(error, "history"):  # as that of a run within the callback has
                with suppress(AttributeError):  # an exception may have slots
                    error.history = self.history  # type: ignore[attr-defined]
            raise
        finally:
            self.history.seconds = time.perf_counter() - self.begun
            self.batches.rewind(self.done)
            if self.stopping is not None:
                self.stopping.restore()

    def _loop(self, signals: Interruptions) -> None:
        at, drawn = 0, self._draw() if self.done < self.total else ()
        while True:
            due = self.done == self.total or (self.every and self.done % self.every == 0)
            if due and self.history.iterations[-1:] != [self.done]:  # unless a stopped run is resumed
                self._evaluate()
            self._call_back()
            if self.done == self.total or self.history.stopped:
                break
            count = len(drawn) - at
            if self.every:
                count = min(count, self.every - self.done % self.every)
            if self.writer is not None:
                count = min(count, self.writer.every - self.done % self.writer.every)
            losses, rates = self._start(drawn[at : at + count])
            at, self.done = at + count, self.done + count
            if at == len(drawn) and self.done < self.total:  # draw while the device works on the last ones
                at, drawn = 0, self._draw()
            self.history.loop = self.trainer.run.how
            self._record(losses(), rates)
            average_state(self.trainer.net, self.communicator)
            waiting = self.communicator.any(signals.waiting)
            if self.writer is not None:
                self.history.seconds = time.perf_counter() - self.begun
                self.writer.keep(self, always=waiting)
            if waiting:
                signals.answer()
        if self.every and self.history.iterations[-1] < self.done:
            self._evaluate()  # the callback has stopped the run between two evaluations
        if self.writer is not None and self.history.stopped:
            self.writer.keep(self, always=True)

    def _draw(self) -> Any:
        return self.batches.draw(min(self.trainer.backend.iterations_at_once, self.total - self.done))

    def _start(self, batches: Any) -> tuple[Callable[[], list[float]], Iterable[float]]:
        """Launch the updates; return the function that waits for their losses, and their rates."""
        if self.rates is None:
            return self.trainer.start(batches), [self.trainer.optimizer.learning_rate] * len(batches)
        settings = self.rates.settings(self.done, len(batches))
        at = self.trainer.optimizer.settings.index("learning_rate")
        return self.trainer.start(batches, settings), [row[at] for row in settings]

    def _record(self, losses: Iterable[float], rates: Iterable[float]) -> None:
        """Append losses and rates; raise Diverged at the first loss that is NaN or infinite."""
        history = self.history
        for loss, rate in zip(losses, rates, strict=True):
            history.loss.append(loss)
            history.learning_rate.append(rate)
            if not math.isfinite(loss):
                what = f"the loss of iteration {len(history.loss)} is {loss}"
                if len(history.loss) == 1 and not self.trainer.recompute_loss:
                    cause = "no update was made before it: check the data, the initial weights and the layers"
                    raise Diverged(f"train: {what}; {cause}", history)
                raise self._diverged(what)

    def _evaluate(self) -> None:
        net = self.trainer.net
        if not net.backend.all_finite(net.params.flat):
            raise self._diverged("a parameter is no longer finite")
        if self.every:
            require_same_parameters(net, self.communicator, self.done)
            evaluate(net, self.history, self.done, self.sets, self.trainer.scores, self.communicator)
        if self.stopping is not None:
            self._stop(self.stopping.saw(self.history))

    def _call_back(self) -> None:
        self.history.seconds = time.perf_counter() - self.begun
        answer: Any = None
        if self.callback is not None and (self.done or self.every):
            with self.trainer.backend.users_threads():
                answer = self.context.run(self.callback, self.history)
        if self.communicator.any(is_bool(answer) and bool(answer)):
            self._stop("the callback returned True")

    def _stop(self, why: str) -> None:
        """End the run for this reason, unless it is at its end."""
        if self.done < self.total and not self.history.stopped:
            self.history.stopped = why

    def _diverged(self, what: str) -> Diverged:
        rates = self.history.learning_rate
        rate = rates[-1] if rates else self.trainer.optimizer.learning_rate
        cause = f"the likely cause is the learning rate, {rate:g}: try {min(0.1 * rate, 0.1):g}"
        return Diverged(f"train: training diverged: {what}; {cause}", self.history)
