"""An object from a user's own file: loaded, given an input, and any fault of it told in one line."""

import difflib
import inspect
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from backends import Backend, describe

MODULE = "_backprop_own_layer"  # a name that no other module has, whatever the file is called
SAMPLES = 5
FEATURES = 3  # where no parameter tells how many


class Fault(Exception):
    """An exception of the user's own code, in one line that says where."""


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
    path, name = _split(named)
    made_up: tuple[int, ...] | None = None
    try:
        with _imported(path) as module:
            obj, *inputs = _object_and_inputs(module, path, name)
            _require_dictionaries(obj)
            if inputs and shape is not None:
                raise _wrong(f"--shape has no use: {name} brings inputs of its own")
            if not inputs:
                made_up = shape or _shape_for(obj)
                inputs = [_input(obj, made_up, rng, backend)]
            yield obj, *inputs
    except click.UsageError:
        raise
    except (Exception, SystemExit) as error:
        told = _told(error, path, made_up)
        if told is None:
            raise
        raise told from error


# ------------------------------------------------------------------------------------------------- the object


def _split(named: str) -> tuple[Path, str]:
    """PATH and NAME; the path may have a drive letter, and so a colon of its own."""
    file, _, name = named.rpartition(":")
    if not file or not name.isidentifier():
        raise _wrong(f"--file must be PATH:NAME, as in my_layer.py:MyLayer, got {named!r}")
    path = Path(file)
    if not path.is_file():
        raise _wrong(f"--file: {file}: {'no file but a folder' if path.is_dir() else 'no such file'}")
    return path, name


@contextmanager
def _imported(path: Path) -> Iterator[ModuleType]:
    """The file as a module; its folder can be imported from meanwhile, also by what it calls later."""
    full = path.resolve()
    loader = SourceFileLoader(MODULE, str(full))
    module = module_from_spec(ModuleSpec(MODULE, loader, origin=str(full)))
    before = sys.path[:]
    sys.path.insert(0, str(full.parent))
    sys.modules[MODULE] = module  # dataclasses and pickle look there
    try:
        loader.exec_module(module)
        yield module
    finally:
        sys.path[:] = before
        del sys.modules[MODULE]


def _object_and_inputs(module: ModuleType, path: Path, name: str) -> tuple[Any, ...]:
    """What the name stands for, called if it is a class or a function."""
    if not hasattr(module, name):
        own = [known for known, value in vars(module).items() if getattr(value, "__module__", "") == MODULE]
        near = difflib.get_close_matches(name, own, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(own)}" if own else ""
        raise _wrong(f"--file: {path} has no {name}{hint}")
    found = getattr(module, name)
    if isinstance(found, type) or (callable(found) and not _has_passes(found)):
        _require_no_arguments(found, name)
        found = found()
    made = found if isinstance(found, tuple) else (found,)
    if not made:
        raise _wrong(f"--file: {name} must return an object, or a tuple of it and its inputs, got ()")
    return made


def _has_passes(obj: Any) -> bool:
    return hasattr(obj, "forward") or hasattr(obj, "loss")


def _require_no_arguments(found: Any, name: str) -> None:
    try:
        inspect.signature(found).bind()
    except TypeError as error:
        raise _wrong(
            f"--file: {name} cannot be called without arguments ({error}); write a function beside it that "
            f"calls it, def make(): return {name}(...), and name that"
        ) from None


def _require_dictionaries(obj: Any) -> None:
    for attribute in ("params", "grads"):
        value = getattr(obj, attribute, {})
        if not isinstance(value, Mapping):
            kind = type(obj).__name__
            raise _wrong(f"--file: {kind}.{attribute} must be a dictionary by name, got {describe(value)}")


# -------------------------------------------------------------------------------------------------- its input


def _shape_for(obj: Any) -> tuple[int, ...]:
    """A shape that the parameters suggest: W of x W first, else b of x + b."""
    shapes = [tuple(getattr(array, "shape", ())) for array in getattr(obj, "params", {}).values()]
    of_matrices = [shape[0] for shape in shapes if len(shape) == 2]
    of_vectors = [shape[0] for shape in shapes if len(shape) == 1]
    return SAMPLES, [*of_matrices, *of_vectors, FEATURES][0]


def _input(obj: Any, shape: tuple[int, ...], rng: Any, backend: Backend) -> Any:
    """Normal random numbers: on the host where the object has parameters, which say where they must go."""
    kind = type(obj).__name__
    if hasattr(obj, "loss") and hasattr(obj, "gradient"):
        raise _wrong(
            f"--file: {kind} is a network and needs samples and labels; name a function that returns all, "
            f"def make(): return {kind}(...), x, t"
        )
    if hasattr(obj, "forward"):
        try:
            inspect.signature(obj.forward).bind(None)
        except TypeError as error:
            raise _wrong(
                f"--file: {kind}.forward needs other arguments than x ({error}); name a function that "
                f"returns all, def make(): return {kind}(...), x, labels"
            ) from None
    x = rng.standard_normal(shape)
    return x if getattr(obj, "params", None) else backend.asarray(x)


# -------------------------------------------------------------------------------------------- what went wrong


def _wrong(message: str) -> click.UsageError:
    return click.UsageError(message, click.get_current_context())


def _told(
    error: BaseException, path: Path, made_up: tuple[int, ...] | None
) -> Fault | click.UsageError | None:
    """An exception as one line: by its place in the user's code, else by its message, if that says all.

    None for what is neither: a fault of this library, which keeps its traceback.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError):
        place = f"{_shown(error.filename or str(path), path)}:{error.lineno or 1}"
        return Fault(f"{place}: {type(error).__name__}: {error.msg}")
    hint = ""
    if made_up and isinstance(error, (ValueError, IndexError, AssertionError)):
        called = {frame.name for frame in frames}
        if "forward" in called and "backward" not in called:
            hint = f"; the input had shape {made_up}, and --shape gives it another"
    folder = path.resolve().parent
    own = [frame for frame in frames if Path(frame.filename).parent == folder]  # the file and its neighbours
    if own:
        place = f"{_shown(own[-1].filename, path)}:{own[-1].lineno}: "
        place += "" if own[-1].name == "<module>" else f"in {own[-1].name}: "
        if isinstance(error, SystemExit):
            return Fault(f"{place}the file ends the program; keep that for __name__ == '__main__'")
        return Fault(f"{place}{type(error).__name__}: {error}".removesuffix(": ") + hint)
    if made_up and "for this input" in str(error):
        hint = ": random numbers of either sign; a function that returns (object, x) gives it another"
    if isinstance(error, (TypeError, ValueError)):
        return _wrong(f"--file: {str(error).removeprefix('check_gradients: ')}{hint}")
    return None


def _shown(file: str, path: Path) -> str:
    """A file's name; the user's own one as it was given."""
    return str(path if Path(file) == path.resolve() else file)
