"""A layer or network from a user's own file, with an input."""

import functools
import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backends import Backend, cut, shown
from backprop.cli.own_fault import message_of
from backprop.cli.own_file import NEEDS_DATA, OwnFile
from backprop.gradient_check import requirements, signatures, styles
from backprop.gradient_check.copies import build
from backprop.gradient_check.reach import reach
from backprop.layers import Layer

SAMPLES = 5
MISSING = re.compile(r"\.compute\(\) missing .* arguments?: (.*)")
FEATURES = 3  # if no parameter determines the number


@contextmanager
def own_layer(
    named: str, shape: tuple[int, ...] | None, rng: Any, backend: Backend
) -> Iterator[tuple[Any, ...]]:
    """Yield the object that PATH:NAME stands for, and its inputs.

    If it returns no inputs, the input is normal random numbers in the given shape, or in one that fits its
    parameters.  rng: a numpy.random.Generator.  backend: for objects that have no arrays.
    Raises click.UsageError if it cannot be checked, and Fault for an exception of the user's code, also
    inside the `with` block.
    """
    file = OwnFile(named, "--file", "my_layer.py:MyLayer")
    made_up: tuple[int, ...] | None = None
    obj: Any = None

    def hint(error: BaseException, called: set[str]) -> str:
        message = message_of(error)
        if isinstance(obj, Layer) and (found := MISSING.search(message)):
            arrays = ", ".join(f"{name}=..." for name in re.findall(r"'(\w+)'", found[1]))
            made = cut(f"{type(obj).__name__}({arrays})", 50)
            return f"; name a function that returns the layer with its arrays, def make(): return {made}"
        if made_up and "for this input" in message:
            return ": normal random numbers; to choose x, name a function that returns (object, x)"
        if made_up and isinstance(error, IndexError) and "integer" in message:
            return "; x was random floats; for integers, name a function that returns (object, x)"
        of_input = isinstance(error, (ValueError, IndexError, AssertionError))
        if made_up and of_input and "forward" in called and "backward" not in called:
            return f"; the input had shape {made_up}; choose another with --shape"
        return ""

    with file.loaded(hint) as found:
        obj, *inputs = _object_and_inputs(file, found)
        if inputs and shape is not None:
            raise file.error(f"--shape has no effect: {file.name} returns its own inputs")
        if not inputs:
            made_up = shape or _shape_for(obj)
            if isinstance(obj, Layer) and not obj.params:
                build(obj, made_up[1:], rng, backend)
            inputs = [_input(file, obj, made_up, rng, backend)]
        yield obj, *inputs


# ------------------------------------------------------------------------------------------------- the object


def _object_and_inputs(file: OwnFile, found: Any) -> tuple[Any, ...]:
    """Return the object and its inputs, if any; call what was named if it is a class or a function."""
    # Not every callable is called: a layer may define __call__.
    if isinstance(found, (type, functools.partial)) or inspect.isroutine(found):
        found = file.call(found)
    made = found if isinstance(found, tuple) else (found,)
    if not made or made[0] is None or isinstance(found, list):
        rule = "must be or return an object, or a tuple (object, x, ...)"
        raise file.error(f"{cut(file.name, 40)} {rule}, got {shown(found)}")
    return made


# -------------------------------------------------------------------------------------------------- its input


def _shape_for(obj: Any) -> tuple[int, ...]:
    """Return the shape that the parameters or other arrays suggest: that of W in x W, else of b in x + b."""
    arrays = [*reach(getattr(obj, "params", None)).arrays.values(), *reach(obj).arrays.values()]
    of_matrices = [each.array.shape[0] for each in arrays if len(each.array.shape) == 2]
    of_vectors = [each.array.shape[0] for each in arrays if len(each.array.shape) == 1]
    return SAMPLES, [*of_matrices, *of_vectors, FEATURES][0]


def _input(file: OwnFile, obj: Any, shape: tuple[int, ...], rng: Any, backend: Backend) -> Any:
    """Return normal random numbers: on the host if the object has arrays, since those decide the backend."""
    kind = cut(type(obj).__name__, 30)
    if requirements.is_network(obj):
        raise file.error(NEEDS_DATA.format(kind))
    forward, _ = styles.passes(obj)
    if forward:
        method = getattr(obj, forward)
        try:
            signatures.forward_call(method, 1)(inspect.signature(method).bind, [None])
        except TypeError as error:
            raise file.error(
                f"{kind}.{forward} needs other arguments than x ({error}); name a function that "
                f"returns them too, def make(): return {kind}(...), x, ..."
            ) from None
    x = rng.standard_normal(shape)
    return x if reach(obj).arrays else backend.asarray(x)
