"""A layer or network from a user's own file, given an input."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from backends import Backend, describe
from backprop.cli.own_file import OwnFile
from backprop.layers import Layer

SAMPLES = 5
FEATURES = 3  # where no parameter tells how many


def shape_of(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """The callback of --shape: positive integers with commas between them."""
    if value is None:
        return None
    try:
        shape = tuple(int(size) for size in value.split(","))
    except ValueError:
        shape = (0,)
    if min(shape) < 1:
        raise click.BadParameter(f"give positive integers, as in 4,3, got {value!r}", context, parameter)
    return shape


@contextmanager
def own_layer(
    named: str, shape: tuple[int, ...] | None, rng: Any, backend: Backend
) -> Iterator[tuple[Any, ...]]:
    """The object that PATH:NAME stands for, with its inputs, inside a `with` block.

    Where it brings no inputs, it gets normal random numbers of a shape: the one given, or one that fits its
    parameters.  rng: a numpy.random.Generator.  backend: for objects that have no arrays of their own.
    Raises click.UsageError for what cannot be checked, Fault for an exception of the user's code, also
    where it happens inside the block.
    """
    file = OwnFile(named, "--file", "my_layer.py:MyLayer")
    made_up: tuple[int, ...] | None = None

    def hint(error: BaseException, called: set[str]) -> str:
        if made_up and "for this input" in str(error):
            return ": random numbers of either sign; a function that returns (object, x) gives it another"
        of_input = isinstance(error, (ValueError, IndexError, AssertionError))
        if made_up and of_input and "forward" in called and "backward" not in called:
            return f"; the input had shape {made_up}, and --shape gives it another"
        return ""

    with file.loaded(hint) as found:
        obj, *inputs = _object_and_inputs(file, found)
        _require_dictionaries(file, obj)
        if inputs and shape is not None:
            raise file.wrong(f"--shape has no use: {file.name} brings inputs of its own")
        if not inputs:
            made_up = shape or _shape_for(obj)
            if isinstance(obj, Layer):
                obj.build(made_up[1:], rng, "float64", backend)
            inputs = [_input(file, obj, made_up, rng, backend)]
        yield obj, *inputs


# ------------------------------------------------------------------------------------------------- the object


def _object_and_inputs(file: OwnFile, found: Any) -> tuple[Any, ...]:
    """What the name stands for, called if it is a class or a function."""
    if isinstance(found, type) or (callable(found) and not _has_passes(found)):
        found = file.called(found)
    made = found if isinstance(found, tuple) else (found,)
    if not made:
        raise file.wrong(f"{file.name} must return an object, or a tuple of it and its inputs, got ()")
    return made


def _has_passes(obj: Any) -> bool:
    return hasattr(obj, "forward") or hasattr(obj, "loss")


def _require_dictionaries(file: OwnFile, obj: Any) -> None:
    for attribute in ("params", "grads"):
        value = getattr(obj, attribute, {})
        if not isinstance(value, Mapping):
            kind = type(obj).__name__
            raise file.wrong(f"{kind}.{attribute} must be a dictionary by name, got {describe(value)}")


# -------------------------------------------------------------------------------------------------- its input


def _shape_for(obj: Any) -> tuple[int, ...]:
    """A shape that the parameters suggest: W of x W first, else b of x + b."""
    shapes = [tuple(getattr(array, "shape", ())) for array in getattr(obj, "params", {}).values()]
    of_matrices = [shape[0] for shape in shapes if len(shape) == 2]
    of_vectors = [shape[0] for shape in shapes if len(shape) == 1]
    return SAMPLES, [*of_matrices, *of_vectors, FEATURES][0]


def _input(file: OwnFile, obj: Any, shape: tuple[int, ...], rng: Any, backend: Backend) -> Any:
    """Normal random numbers: on the host where the object has parameters, which say where they must go."""
    kind = type(obj).__name__
    if hasattr(obj, "loss") and hasattr(obj, "gradient"):
        raise file.wrong(
            f"{kind} is a network and needs samples and labels; name a function that returns all, "
            f"def make(): return {kind}(...), x, t"
        )
    if hasattr(obj, "forward"):
        try:
            inspect.signature(obj.forward).bind(None)
        except TypeError as error:
            raise file.wrong(
                f"{kind}.forward needs other arguments than x ({error}); name a function that "
                f"returns all, def make(): return {kind}(...), x, labels"
            ) from None
    x = rng.standard_normal(shape)
    return x if getattr(obj, "params", None) else backend.asarray(x)
