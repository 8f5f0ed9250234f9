"""A user's own file: loaded, what it names found in it, and any fault of it told in one line."""

import difflib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from backprop.cli.own_folders import OwnFolders, what_instead, why_missing

ABOVE = "_backprop_own_file"  # a package around the user's, so that no name of theirs is taken already
SAID = ("check_gradients: ", "graph_of: ", "network_graph: ")  # the line begins with where it was already
Hint = Callable[[BaseException, set[str]], str]


class Fault(Exception):
    """An exception of the user's own code, in one line that says where."""


class OwnFile:
    """What PATH:NAME stands for.  option: where the user gave it.  example: how it is given rightly.

    The path may have a drive letter, and so a colon of its own.
    """

    def __init__(self, named: str, option: str, example: str) -> None:
        self.option = option
        file, _, self.name = named.rpartition(":")
        if not file or not self.name.isidentifier():
            raise self.wrong(f"must be PATH:NAME, as in {example}, got {named!r}", "")
        self.path = Path(file)
        if not self.path.is_file():
            raise self.wrong(f"{file}: {what_instead(file)}")
        self.folders = OwnFolders(self.path.resolve())

    @contextmanager
    def loaded(self, hint: Hint = lambda error, called: "") -> Iterator[Any]:
        """The object itself, inside a `with` block.

        hint: what to add to an exception's message; from it, and the names of the functions it went through.
        Raises click.UsageError for what cannot be used, Fault for an exception of the user's code, also where
        it happens inside the block.
        """
        try:
            with self._imported() as module:
                yield self._found(module)
        except click.UsageError:
            raise
        except (Exception, SystemExit) as error:
            told = self._told(error, hint)
            if told is None:
                raise
            raise told from error

    def called(self, found: Any) -> Any:
        """What a class or function gives without arguments.  Raises click.UsageError where it needs some."""
        try:
            inspect.signature(found).bind()
        except TypeError as error:
            rule = f"{self.name} cannot be called without arguments ({error})"
            made = f"def make(): return {self.name}(...)"
            cure = f"write a function beside it that calls it, {made}, and name that"
            pair = "" if isinstance(found, type) else "; forward and backward functions go to check_function"
            raise self.wrong(f"{rule}; {cure}{pair}") from None
        return found()

    def wrong(self, message: str, colon: str = ":") -> click.UsageError:
        """An error of the call."""
        return click.UsageError(f"{self.option}{colon} {message}", click.get_current_context())

    @contextmanager
    def _imported(self) -> Iterator[ModuleType]:
        """The file as a module; its folders can be imported from meanwhile, also by what it calls later."""
        path, arguments = sys.path[:], sys.argv[:]
        sys.path[:0] = map(str, self.folders.on_path)
        sys.argv[:] = [str(self.path)]  # ours mean nothing to a parser of theirs
        try:
            yield self._executed()
        finally:
            sys.path[:], sys.argv[:] = path, arguments
            for name in [name for name in sys.modules if name.split(".")[0] == ABOVE]:
                del sys.modules[name]

    def _executed(self) -> ModuleType:
        """The file as a new module in its package."""
        above = ModuleType(ABOVE)
        above.__path__ = [str(self.folders.root)]
        sys.modules[ABOVE] = above
        package = import_module(".".join([ABOVE, *self.folders.package])).__name__
        full, name = str(self.path.resolve()), f"{package}.{self.path.stem}"
        loader = SourceFileLoader(name, full)
        module = module_from_spec(ModuleSpec(name, loader, origin=full))
        sys.modules[name] = module  # dataclasses and pickle look there
        loader.exec_module(module)
        return module

    def _found(self, module: ModuleType) -> Any:
        if not hasattr(module, self.name):
            its = module.__name__
            own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == its]
            near = difflib.get_close_matches(self.name, own, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(own)}" if own else ""
            raise self.wrong(f"{self.path} has no {self.name}{hint}")
        return getattr(module, self.name)

    def _told(self, error: BaseException, hint: Hint) -> Fault | click.UsageError | None:
        """An exception as one line: by its place in the user's code, else by its message, if that says all.

        None for what is neither: a fault of this library, which keeps its traceback.
        """
        frames = traceback.extract_tb(error.__traceback__)
        if isinstance(error, SyntaxError):
            place = f"{self._shown(error.filename or str(self.path))}:{error.lineno or 1}"
            return Fault(f"{place}: {type(error).__name__}: {error.msg}")
        more = hint(error, {frame.name for frame in frames})
        if own := [frame for frame in frames if frame.filename in self.folders]:
            return self._fault_at(own[-1], error, more)
        if isinstance(error, (TypeError, ValueError)):
            message = str(error)
            for where in SAID:
                message = message.removeprefix(where)
            return self.wrong(message + more)
        return None

    def _fault_at(self, frame: traceback.FrameSummary, error: BaseException, more: str) -> Fault:
        """An exception that went through the user's code, and there last through this frame."""
        place = f"{self._shown(frame.filename)}:{frame.lineno}: "
        place += "" if frame.name == "<module>" else f"in {frame.name}: "
        if isinstance(error, SystemExit):
            return Fault(f"{place}the file ends the program; keep that for if __name__ == '__main__':")
        if error.__cause__ and str(error).startswith(SAID):
            error = error.__cause__  # where it was and what it said is enough
        message = f"{type(error).__name__}: {error}".removesuffix(": ").replace(f"{ABOVE}.", "")
        return Fault(place + message + (more or why_missing(error)))

    def _shown(self, file: str) -> str:
        """A file's name; the user's own one as it was given."""
        return str(self.path if Path(file) == self.path.resolve() else file)
