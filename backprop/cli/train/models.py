"""The models of `backprop train`: what each is by default, and what it does not leave to the options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
from click.core import ParameterSource

from backprop.cli.values import option_of, typed
from backprop.training import ITERATIONS


@dataclass(frozen=True)
class Model:
    """Values of options by name: the defaults, and those that no option can change.

    has_one_hidden: it has one hidden layer of Affine, no more and no fewer.
    """

    defaults: Mapping[str, Any]
    fixed: Mapping[str, Any]
    has_one_hidden: bool = True


PLAIN = {"iterations": ITERATIONS, "optimizer": "sgd", "shuffle": "draw", "schedule": None}
OF_IMAGES = {"iterations": 3000, "optimizer": "adam", "shuffle": "epochs", "schedule": "one-cycle"}
RELU = {"activation": "relu", "batch_norm": False, "dropout": 0.0}
MODELS = {
    "two-layer": Model({**PLAIN, "hidden": (50,)}, RELU),
    "multi-layer": Model({**PLAIN, "hidden": (50,)}, {}, has_one_hidden=False),
    # He's rule, since from the book's 0.01 the filters learn little in the first epochs.
    "simple-conv": Model({**OF_IMAGES, "hidden": (100,), "init": "he"}, RELU),
    "deep-conv": Model({**OF_IMAGES, "hidden": (50,)}, {**RELU, "dropout": 0.5, "init": "he"}),
}


def completed(context: click.Context, options: dict[str, Any]) -> dict[str, Any]:
    """Return the values of all options, with the model's where none was typed.

    Without --model, it is two-layer, or multi-layer if another option needs it.
    Raises click.UsageError for an option that has no effect with the model that was typed.
    """
    if options["model"] is None:
        model = _implied(options)
    else:
        model = options["model"]
        _require_effect(context, model, options)
    chosen = MODELS[model]
    values = {**options, "model": model, **chosen.fixed}
    for name, default in chosen.defaults.items():
        if values[name] is None and not (name == "iterations" and options["epochs"]):
            values[name] = default
    return values


def _implied(options: Mapping[str, Any]) -> str:
    """Return the model that these options can only mean."""
    is_plain = all(options[name] == value for name, value in RELU.items())
    return "two-layer" if is_plain and len(options["hidden"] or "1") == 1 else "multi-layer"


def _require_effect(context: click.Context, model: str, options: Mapping[str, Any]) -> None:
    """Raise click.UsageError for an option that was typed, but not for this model."""
    sizes = options["hidden"]
    if MODELS[model].has_one_hidden and sizes is not None and len(sizes) > 1:
        got = typed(",".join(map(str, sizes)))
        raise click.UsageError(f"--hidden must be one number with --model {model}, got {got}", context)
    for option in context.command.params:
        name = str(option.name)
        was_typed = context.get_parameter_source(name) != ParameterSource.DEFAULT
        if was_typed and name in MODELS[model].fixed:
            others = [each for each in MODELS if name not in MODELS[each].fixed]
            rule = f"{option_of(option)} has no effect with --model {model}"
            raise click.UsageError(f"{rule}, only with {', '.join(others)}", context)
