"""A user's own file: loaded, what it names found in it, and any fault of it told in one line."""

import difflib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import click

MODULE = "_backprop_own_file"  # a name that no other module has, whatever the file is called

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
            raise self.wrong(f"{file}: {'no file but a folder' if self.path.is_dir() else 'no such file'}")

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
            raise self.wrong(
                f"{self.name} cannot be called without arguments ({error}); write a function beside it that "
                f"calls it, def make(): return {self.name}(...), and name that"
            ) from None
        return found()

    def wrong(self, message: str, colon: str = ":") -> click.UsageError:
        """An error of the call."""
        return click.UsageError(f"{self.option}{colon} {message}", click.get_current_context())

    @contextmanager
    def _imported(self) -> Iterator[ModuleType]:
        """The file as a module; its folder can be imported from meanwhile, also by what it calls later."""
        full = self.path.resolve()
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

    def _found(self, module: ModuleType) -> Any:
        if not hasattr(module, self.name):
            own = [
                known for known, value in vars(module).items() if getattr(value, "__module__", "") == MODULE
            ]
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
        folder = self.path.resolve().parent
        own = [frame for frame in frames if Path(frame.filename).parent == folder]  # the file, its neighbours
        if own:
            place = f"{self._shown(own[-1].filename)}:{own[-1].lineno}: "
            place += "" if own[-1].name == "<module>" else f"in {own[-1].name}: "
            if isinstance(error, SystemExit):
                return Fault(f"{place}the file ends the program; keep that for __name__ == '__main__'")
            return Fault(f"{place}{type(error).__name__}: {error}".removesuffix(": ") + more)
        if isinstance(error, (TypeError, ValueError)):
            message = str(error)
            for where in SAID:
                message = message.removeprefix(where)
            return self.wrong(message + more)
        return None

    def _shown(self, file: str) -> str:
        """A file's name; the user's own one as it was given."""
        return str(self.path if Path(file) == self.path.resolve() else file)
