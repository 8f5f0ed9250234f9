"""A layer or network from a user's own file, given an input."""

import functools
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backends import Backend, cut, shown
from backprop.cli.own_fault import said
from backprop.cli.own_file import ALONE, OwnFile
from backprop.gradient_check import requirements, signatures, styles
from backprop.gradient_check.reach import reach
from backprop.layers import Layer

SAMPLES = 5
FEATURES = 3  # where no parameter tells how many


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
        message = said(error)
        if made_up and "for this input" in message:
            return ": random numbers of either sign; a function that returns (object, x) gives it another"
        if made_up and isinstance(error, IndexError) and "integer" in message:
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
    # A layer may be callable as well.
    if isinstance(found, (type, functools.partial)) or inspect.isroutine(found):
        found = file.called(found)
    made = found if isinstance(found, tuple) else (found,)
    if not made or made[0] is None or isinstance(found, list):
        rule = "must be or return an object, or a tuple (object, x, ...)"
        raise file.wrong(f"{cut(file.name, 40)} {rule}, got {shown(found)}")
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
    kind = cut(type(obj).__name__, 30)
    if requirements.is_network(obj):
        raise file.wrong(ALONE.format(kind))
    forward, _ = styles.passes(obj)
    if forward:
        method = getattr(obj, forward)
        try:
            signatures.of_forward(method, 1)(inspect.signature(method).bind, [None])
        except TypeError as error:
            raise file.wrong(
                f"{kind}.{forward} needs other arguments than x ({error}); name a function that "
                f"returns all, def make(): return {kind}(...), x, ..."
            ) from None
    x = rng.standard_normal(shape)
    return x if reach(obj).arrays else backend.asarray(x)
