"""A layer or network from a user's own file, given an input."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from backends import Backend
from backprop.cli.own_file import OwnFile
from backprop.gradient_check import requirements, signatures, styles
from backprop.gradient_check.reach import reach
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
        if made_up and isinstance(error, IndexError) and "integer" in str(error):
            return "; it was given random numbers, and a function that returns (object, x) gives it integers"
        of_input = isinstance(error, (ValueError, IndexError, AssertionError))
        if made_up and of_input and "forward" in called and "backward" not in called:
            return f"; the input had shape {made_up}, and --shape gives it another"
        return ""

    with file.loaded(hint) as found:
        obj, *inputs = _object_and_inputs(file, found)
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
    if isinstance(found, type) or inspect.isroutine(found):  # a layer may be callable as well
        found = file.called(found)
    made = found if isinstance(found, tuple) else (found,)
    if not made:
        raise file.wrong(f"{file.name} must return an object, or a tuple of it and its inputs, got ()")
    return made


# -------------------------------------------------------------------------------------------------- its input


def _shape_for(obj: Any) -> tuple[int, ...]:
    """A shape that the parameters or other arrays suggest: W of x W first, else b of x + b."""
    arrays = [*reach(getattr(obj, "params", None)).arrays.values(), *reach(obj).arrays.values()]
    of_matrices = [each.array.shape[0] for each in arrays if len(each.array.shape) == 2]
    of_vectors = [each.array.shape[0] for each in arrays if len(each.array.shape) == 1]
    return SAMPLES, [*of_matrices, *of_vectors, FEATURES][0]


def _input(file: OwnFile, obj: Any, shape: tuple[int, ...], rng: Any, backend: Backend) -> Any:
    """Normal random numbers: on the host where the object has arrays, which say where they must go."""
    kind = type(obj).__name__
    if requirements.is_network(obj):
        raise file.wrong(
            f"{kind} is a network and needs samples and labels; name a function that returns all, "
            f"def make(): return {kind}(...), x, t"
        )
    forward, _ = styles.passes(obj)
    if forward:
        method = getattr(obj, forward)
        try:
            signatures.of_forward(method, 1)(inspect.signature(method).bind, [None])
        except TypeError as error:
            raise file.wrong(
                f"{kind}.{forward} needs other arguments than x ({error}); name a function that "
                f"returns all, def make(): return {kind}(...), x, labels"
            ) from None
    x = rng.standard_normal(shape)
    return x if reach(obj).arrays else backend.asarray(x)
