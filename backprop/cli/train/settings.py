"""All options of `backprop train`, and their values as one record."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from backprop.cli.data import data_dir_option, data_option
from backprop.cli.options import backend_option, dtype_option, json_option, precision_option, seed_option
from backprop.cli.outputs import OutputFile
from backprop.cli.plotting import plot_option
from backprop.cli.train.models import MODELS
from backprop.cli.train.network import ACTIVATIONS
from backprop.cli.train.optimizer import OPTIMIZERS
from backprop.cli.train.schedule import SUMMARY, ScheduleName
from backprop.cli.values import Directory, NonNegative, OneOf, Positive, Share, Sizes, Whole, WordOrNumber
from backprop.training.batches import SHUFFLES

COUNT = Whole(1, 10**9)
DEFAULTS, IMAGES = MODELS["two-layer"].defaults, MODELS["simple-conv"].defaults
HELD_OUT = 0.1  # what --patience holds out without --validation


@dataclass(frozen=True)
class Settings:
    """The values of all options, in the order of the help."""

    data: str
    data_dir: str | None
    iterations: int | None
    epochs: int | None
    batch_size: int
    shuffle: str
    optimizer: str
    learning_rate: float | None
    schedule: str | None
    weight_decay: float | None
    label_smoothing: float
    model: str
    hidden: tuple[int, ...]
    activation: str
    batch_norm: bool
    dropout: float
    init: str | float | None
    validation: float | None
    patience: int | None
    sync_batch_norm: bool
    processes: int | None
    dtype: str | None
    precision: str
    backend: str | None
    seed: int | None
    save: Path | None
    checkpoint: str | None
    checkpoint_every: int | None
    resume: bool
    plot: Path | None
    plot_mistakes: Path | None
    plot_weights: Path | None
    json_file: Path | None
    quiet: bool

    @property
    def held_out(self) -> float | None:
        """The share of the training set that is held out for validation, or None."""
        return HELD_OUT if self.validation is None and self.patience is not None else self.validation

    @property
    def without_files(self) -> "Settings":
        """The settings of a rank that writes no files."""
        return replace(
            self, save=None, plot=None, plot_mistakes=None, plot_weights=None, json_file=None, quiet=True
        )

    @property
    def pictures(self) -> dict[str, Path | None]:
        """The files of the pictures by option."""
        return {
            "--plot": self.plot,
            "--plot-mistakes": self.plot_mistakes,
            "--plot-weights": self.plot_weights,
        }


OPTIONS = (
    data_option,
    data_dir_option,
    click.option(
        "--iterations",
        type=COUNT,
        help=f"Number of updates.  [default: {DEFAULTS['iterations']}, or {IMAGES['iterations']} for "
        "simple-conv and deep-conv]",
    ),
    click.option(
        "--epochs",
        type=COUNT,
        help="Number of epochs instead of --iterations; one has samples // batch size updates.",
    ),
    click.option("--batch-size", type=COUNT, default=100, show_default=True, help="Samples per batch."),
    click.option(
        "--shuffle",
        type=OneOf([*SHUFFLES]),
        help="draw: with replacement. epochs: each sample once per epoch, in random order.  "
        f"[default: {DEFAULTS['shuffle']}, or {IMAGES['shuffle']} for simple-conv and deep-conv]",
    ),
    click.option(
        "--optimizer",
        type=OneOf([*OPTIMIZERS]),
        help="How the weights follow the gradient.  "
        f"[default: {DEFAULTS['optimizer']}, or {IMAGES['optimizer']} for simple-conv and deep-conv]",
    ),
    click.option(
        "--learning-rate",
        type=Positive(),
        help="Learning rate.  [default: 0.1 for sgd; 0.01 for momentum, nesterov and adagrad; 0.001 for "
        "rmsprop, adam and adamw]",
    ),
    click.option(
        "--schedule",
        type=ScheduleName(),
        help="How the learning rate changes; EVERY and STEPS are iterations.  "
        f"[default: constant, or {IMAGES['schedule']} for simple-conv and deep-conv]\n\n\b\n"
        + "\n".join(SUMMARY),
    ),
    click.option(
        "--weight-decay",
        type=NonNegative(),
        help="Draws the weights towards 0, but no biases.  [default: 0.01 for adamw, else 0]",
    ),
    click.option(
        "--label-smoothing",
        metavar="SHARE",
        type=Share(or_zero=True),
        default=0.0,
        help="Share of each label that is spread over all classes.",
    ),
    click.option(
        "--model",
        type=OneOf([*MODELS]),
        help="The networks of the book's chapters 5 to 8.  "
        "[default: two-layer, or multi-layer if another option needs it]",
    ),
    click.option(
        "--hidden",
        type=Sizes(),
        help="Units of each hidden layer, from the input on; only multi-layer has several.  "
        "[default: 50, or 100 for simple-conv]",
    ),
    click.option(
        "--activation",
        type=OneOf([*ACTIVATIONS]),
        default="relu",
        show_default=True,
        help="Activation behind each hidden layer.",
    ),
    click.option("--batch-norm", is_flag=True, help="BatchNorm in front of each activation."),
    click.option(
        "--dropout",
        metavar="RATIO",
        type=Share(or_zero=True),
        default=0.0,
        help="Share of values that Dropout sets to 0 behind each activation.",
    ),
    click.option(
        "--init",
        metavar="RULE",
        type=WordOrNumber("he", "xavier", "zeros"),
        help="Initial weights: he, xavier, zeros, or a standard deviation.  [default: 0.01 for two-layer, "
        "as in the book; he for simple-conv; else he, or xavier for sigmoid, tanh and the last layer]",
    ),
    click.option(
        "--validation",
        metavar="SHARE",
        type=Share(),
        help="Share of the training set to hold out and evaluate on.  "
        f"[default: {HELD_OUT} with --patience, else none]",
    ),
    click.option(
        "--patience",
        type=COUNT,
        help="Stop after N evaluations without a lower validation loss, and keep the best weights.",
    ),
    click.option(
        "--sync-batch-norm",
        is_flag=True,
        help="With several processes: BatchNorm over the batch of all of them.",
    ),
    click.option(
        "--processes",
        type=Whole(1, 10**4),
        help="Train on N processes of this machine, by MPI; each takes its share of every batch.",
    ),
    dtype_option,
    precision_option,
    backend_option,
    seed_option,
    click.option(
        "--save",
        metavar="FILE",
        type=OutputFile(dash=False),
        help="Write the trained network to FILE, in the format safetensors.",
    ),
    click.option(
        "--checkpoint",
        type=Directory(),
        help="Directory for files from which the run can be resumed; the last three are kept.",
    ),
    click.option(
        "--checkpoint-every", type=COUNT, help="Iterations between two of them.  [default: an epoch]"
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Go on from the newest file in the --checkpoint directory; give the same options again.",
    ),
    plot_option("--plot", "Plot losses and accuracies: png, svg or pdf; needs matplotlib."),
    plot_option("--plot-mistakes", "Draw test images that the network gets wrong."),
    plot_option("--plot-weights", "Draw the weights or the filters of the first layer as images."),
    json_option,
    click.option("--quiet", "-q", is_flag=True, help="Print only the last line: the accuracies."),
)


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all options to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
