"""The words of `backprop train` for a run: how it will train, and what came of it."""

from collections.abc import Callable
from typing import Any

import click

from backends import Backend
from backprop.cli.data import SAMPLE
from backprop.cli.train.models import MODELS
from backprop.cli.train.settings import Settings
from backprop.cli.wording import counted
from backprop.optimizers import Optimizer
from backprop.training import History


def in_hidden_layers(settings: Settings) -> str:
    """Return what is in each hidden layer beside Affine; "" if that is the book's ReLU, or not to choose."""
    if "init" in MODELS[settings.model].fixed:
        return ""
    parts = [settings.activation]
    if settings.batch_norm:
        parts.insert(0, "synchronized batch norm" if settings.sync_batch_norm else "batch norm")
    if settings.dropout:
        parts.append(f"dropout {settings.dropout:g}")
    if settings.init is not None:
        rule = settings.init if isinstance(settings.init, str) else f"{settings.init:g}"
        parts.append(f"init {rule}")
    return "" if parts == ["relu"] else ", ".join(parts)


def beside_the_rate(settings: Settings, optimizer: Optimizer) -> str:
    """Return what changes the training beside rate and batch size; "" for plain gradient descent."""
    parts = []
    if settings.optimizer != "sgd":
        parts.append(settings.optimizer)
    if optimizer.weight_decay:
        parts.append(f"weight decay {optimizer.weight_decay:g}")
    if settings.schedule is not None:
        parts.append(settings.schedule)
    if settings.shuffle == "epochs":
        parts.append("shuffled epochs")
    if settings.label_smoothing:
        parts.append(f"label smoothing {settings.label_smoothing:g}")
    if settings.patience is not None:
        parts.append(f"patience {settings.patience:,}")
    return ", ".join(parts)


def in_json(
    settings: Settings, optimizer: Optimizer, dtype: Any, seed: int, iterations: int
) -> dict[str, Any]:
    """Return the settings for the JSON, with the values that defaults stand for."""
    hidden = settings.hidden
    return {
        "data": settings.data,
        "data_dir": settings.data_dir,
        "iterations": iterations,
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "learning_rate": optimizer.learning_rate,
        "model": settings.model,
        "hidden": hidden[0] if len(hidden) == 1 else [*hidden],
        "dtype": str(dtype),
        "precision": settings.precision,
        "seed": seed,
        "activation": settings.activation,
        "batch_norm": settings.batch_norm,
        "sync_batch_norm": settings.sync_batch_norm,
        "dropout": settings.dropout,
        "init": settings.init,
        "optimizer": settings.optimizer,
        "weight_decay": optimizer.weight_decay,
        "schedule": settings.schedule,
        "shuffle": settings.shuffle,
        "label_smoothing": settings.label_smoothing,
        "validation": settings.held_out,
        "patience": settings.patience,
    }


def summarize(
    history: History,
    settings: Settings,
    seed: int,
    name: str,
    backend: Backend,
    say: Callable[[str], None],
    diverged: bool,
) -> None:
    """Print what came of a run. The last line, the accuracies, is printed even if `say` is silent."""
    count = len(history.loss)
    recent = history.loss[-100:]
    speed = count / history.seconds
    rate = "" if diverged else f" ({speed:,.{0 if speed >= 10 else 1}f} per second)"
    say(f"{counted(count, 'iteration')} in {history.seconds:.1f} s{rate}, seed {seed}")
    if not backend.on_host:
        say(
            f"steps: {history.loop}; precision: {history.precision}; "
            f"warm-up before: {history.warmup_seconds:.2f} s"
        )
    if recent and not diverged:  # else the loss is NaN or infinite, as the error says
        batches = "batch" if len(recent) == 1 else f"{len(recent)} batches"
        say(f"loss {sum(recent) / len(recent):.4g}, mean of the last {batches}")
    if history.stopped and settings.patience is not None:
        say(f"stopped early: {counted(settings.patience, 'evaluation')} without a lower validation loss")
    best = history.best_iteration
    if best is not None:
        loss = history.validation_loss[history.iterations.index(best)]
        say(f"best: iteration {best:,}, validation loss {loss:.4g}; its weights are kept")
    last = history.iterations[-1] if best is None else best
    if diverged and not last:  # only the untrained network was evaluated
        return
    at = history.iterations.index(last)
    when = "" if last == count else f" after {counted(last, 'iteration')}"
    if best is not None:
        when = f" at iteration {best:,}"
    held_out = f"val {history.validation_accuracy[at]:.4f}, " if history.validation_accuracy else ""
    click.echo(
        f"accuracy{' on the sample' if name == SAMPLE else ''}{when}: "
        f"train {history.train_accuracy[at]:.4f}, {held_out}test {history.test_accuracy[at]:.4f}"
    )
