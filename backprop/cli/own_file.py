"""A user's own file: loaded, and what it names found in it."""

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import click

from backends import cut, shown
from backprop.cli.near import near
from backprop.cli.outputs import require_not_written
from backprop.cli.own_fault import ABOVE, MOST, SAID, Fault, Faults, places, said
from backprop.cli.own_folders import OwnFolders, what_instead
from backprop.cli.own_traces import no_traces

ALONE = (  # a network that was named without data
    "{0} is a network and needs samples and labels; name a function that returns all, "
    "def make(): return {0}(...), x, t"
)
Hint = Callable[[BaseException, set[str]], str]


class Loader(SourceFileLoader):
    """Compiles the file each time: kept bytecode would be stale if the file was changed within a second."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


class OwnFile:
    """What PATH:NAME stands for.  option: where the user gave it.  example: how it is given rightly.

    The path may have a drive letter, and so a colon of its own.
    """

    def __init__(self, named: str, option: str, example: str) -> None:
        self.option = option
        file, _, self.name = os.path.expanduser(named).rpartition(":")
        if not file or not self.name.isidentifier():
            raise self.wrong(f"must be PATH:NAME, as in {example}, got {shown(named)}", " ")
        self.path = Path(file)
        if not os.path.isfile(file):
            raise self.wrong("", f": {file}: {what_instead(file)}")
        require_not_written(option, self.path)
        self.folders = OwnFolders(self.path.resolve())
        self.faults = Faults(self.path, self.folders)

    @contextmanager
    def loaded(self, hint: Hint = lambda error, called: "") -> Iterator[Any]:
        """The object itself, inside a `with` block, after which the process is as it was.

        hint: what to add to an exception's message; from it, and the names of the functions it went through.
        Raises click.UsageError for what cannot be used, Fault for an exception of the user's code, also where
        it happens inside the block.
        """
        try:
            with no_traces(self.folders):
                yield self._found(self._module())
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            told = self._told(error, hint)
            if told is None:
                raise
            raise told from error

    def called(self, found: Any) -> Any:
        """What a class or function gives without arguments.  Raises click.UsageError where it needs some."""
        try:
            inspect.signature(found).bind()
        except TypeError as error:
            name = cut(self.name, 15)
            rule = f"{name} needs arguments ({cut(said(error), 45)})"
            cure = f"name one that calls it, def make(): return {name}(...)"
            pair = "" if isinstance(found, type) else "; forward and backward functions go to check_function"
            raise self.wrong(f"{rule}; {cure}{pair}") from None
        return found()

    def wrong(self, message: str, before: str = ": ") -> click.UsageError:
        """An error of the call, in one line of 200 characters at most.

        before: what stands between the option and the message as it is, such as a path.
        """
        line = self.option + before + cut(message, MOST - len(self.option) - 2)
        return click.UsageError(" ".join(line.split()), click.get_current_context(silent=True))

    def _module(self) -> ModuleType:
        """The file as a module. From now on one can import from its folders, also in what it calls later."""
        sys.path[:0] = map(str, self.folders.on_path)
        sys.argv[:] = [str(self.path)]  # ours mean nothing to a parser of theirs
        try:
            return self._executed()
        except Exception as error:
            if self.faults.told(error, ""):
                raise
            raise self.faults.unloaded(error) from error

    def _executed(self) -> ModuleType:
        """The file as a new module in its package."""
        above = ModuleType(ABOVE)
        above.__path__ = [str(self.folders.root)]
        sys.modules[ABOVE] = above
        package = import_module(".".join([ABOVE, *self.folders.package])).__name__
        name, file = f"{package}.{self.path.stem.replace('.', '_')}", str(self.folders.file)
        loader = Loader(name, file)
        spec = ModuleSpec(name, loader, origin=file)
        spec.has_location = True  # so that it has its __file__
        module = module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and pickle look there
        loader.exec_module(module)
        return module

    def _found(self, module: ModuleType) -> Any:
        if hasattr(module, self.name):
            return getattr(module, self.name)
        values = vars(module)
        owners = {name: getattr(value, "__module__", None) for name, value in values.items()}
        its = values.get("__name__")
        own = [name for name, owner in owners.items() if isinstance(owner, str) and owner == its]
        meant = near(self.name, own)
        hint = f"did you mean {cut(meant)}?" if meant else f"it has {cut(', '.join(own))}"
        raise self.wrong(f"has no {cut(self.name)}" + (f"; {hint}" if own else ""), f": {self.path} ")

    def _told(self, error: BaseException, hint: Hint) -> Fault | click.UsageError | None:
        """An exception as one line: by its place in the user's code, else by its message, if that says all.

        None for what is neither: a fault of this library, which keeps its traceback.
        """
        more = hint(error, {place.function for place in places(error)})
        if fault := self.faults.told(error, more):
            return fault
        if isinstance(error, (TypeError, ValueError)):
            message = said(error)
            for where in SAID:
                message = message.removeprefix(where)
            return self.wrong(cut(message, MOST - len(self.option) - 2 - len(more)) + more)
        return None
