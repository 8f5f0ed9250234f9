"""Loading a user's own file, and finding a name in it."""

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

from backends import cut
from backprop.arrays.near import near
from backprop.cli.outputs import require_not_written
from backprop.cli.own_cleanup import cleaned_up
from backprop.cli.own_fault import MAX_LENGTH, PARENT, PREFIXES, Fault, Faults, message_of, places
from backprop.cli.own_folders import OwnFolders, why_not_a_file
from backprop.cli.values import BeyondHelp, typed

NEEDS_DATA = (  # for a network without samples
    "{0} is a network and needs samples and labels; name a function that returns all three, "
    "def make(): return {0}(...), x, t"
)
Hint = Callable[[BaseException, set[str]], str]


class Loader(SourceFileLoader):
    """A loader that never uses cached bytecode, which is stale if the file changed within a second."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


class OwnFile:
    """The object that PATH:NAME stands for. The path may have a drive letter, and so another colon.

    option: where the user gave it.  example: a valid value, for errors.
    """

    def __init__(self, named: str, option: str, example: str) -> None:
        self.option = option
        file, _, self.name = os.path.expanduser(named).rpartition(":")
        if not file or not self.name.isidentifier():
            rule = f"{option} must be PATH:NAME, as in {example}, got {typed(named)}"
            raise click.UsageError(rule, click.get_current_context(silent=True))
        self.path = Path(file)
        if not os.path.isfile(file):
            raise self.error("", f": {file}: {why_not_a_file(file)}")
        require_not_written(option, self.path)
        self.folders = OwnFolders(self.path.resolve())
        self.faults = Faults(self.path, self.folders)

    @contextmanager
    def loaded(self, hint: Hint = lambda error, called: "") -> Iterator[Any]:
        """Load the file and yield the object; restore the process after the `with` block.

        hint: a function of an exception and the names of the functions it passed through. It returns what to
        add to the message.
        Raises click.UsageError for an unusable object, and Fault for an exception of the user's code, also
        inside the block.
        """
        try:
            with cleaned_up(self.folders):
                yield self._found(self._module())
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            line = self._in_one_line(error, hint)
            if line is None:
                raise
            raise line from error

    def call(self, found: Any) -> Any:
        """Call a class or function without arguments; raise click.UsageError if it needs some."""
        try:
            inspect.signature(found).bind()
        except TypeError as error:
            name = cut(self.name, 15)
            rule = f"{name} needs arguments ({cut(message_of(error), 45)})"
            cure = f"name one that calls it, def make(): return {name}(...)"
            pair = "" if isinstance(found, type) else "; forward and backward functions go to check_function"
            raise self.error(f"{rule}; {cure}{pair}") from None
        return found()

    def error(self, message: str, before: str = ": ") -> click.UsageError:
        """Return a usage error, one line of at most 200 characters, not counting a path.

        before: what stands between the option and the message and is never cut, such as a path.
        """
        line = self.option + before + cut(message, MAX_LENGTH - len(self.option) - 2)
        return BeyondHelp(" ".join(line.split()), click.get_current_context(silent=True))

    def _module(self) -> ModuleType:
        """Return the file as a module. Its folders stay importable, also for imports in later calls."""
        sys.path[:0] = map(str, self.folders.on_path)
        sys.argv[:] = [str(self.path)]  # their parser must not see our arguments
        try:
            return self._executed()
        except Exception as error:
            if self.faults.user_code_fault(error, ""):
                raise
            raise self.faults.loading_fault(error) from error

    def _executed(self) -> ModuleType:
        """Execute the file as a new module in its package, and return it."""
        parent = ModuleType(PARENT)
        parent.__path__ = [str(self.folders.root)]
        sys.modules[PARENT] = parent
        package = import_module(".".join([PARENT, *self.folders.package])).__name__
        name, file = f"{package}.{self.path.stem.replace('.', '_')}", str(self.folders.file)
        loader = Loader(name, file)
        spec = ModuleSpec(name, loader, origin=file)
        spec.has_location = True  # so that it gets a __file__
        module = module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and pickle look there
        loader.exec_module(module)
        return module

    def _found(self, module: ModuleType) -> Any:
        if hasattr(module, self.name):
            return getattr(module, self.name)
        values = vars(module)
        owners = {name: getattr(value, "__module__", None) for name, value in values.items()}
        module_name = values.get("__name__")
        own = [name for name, owner in owners.items() if isinstance(owner, str) and owner == module_name]
        meant = near(self.name, own)
        hint = f"did you mean {cut(meant)}?" if meant else f"it has {cut(', '.join(own))}"
        raise self.error(f"has no {cut(self.name)}" + (f"; {hint}" if own else ""), f": {self.path} ")

    def _in_one_line(self, error: BaseException, hint: Hint) -> Fault | click.UsageError | None:
        """Return an exception as one line: its place in the user's code, or the message of a refused call.

        None for anything else: that is a bug of this library, which keeps its traceback.
        """
        more = hint(error, {place.function for place in places(error)})
        if fault := self.faults.user_code_fault(error, more):
            return fault
        if isinstance(error, (TypeError, ValueError)):
            message = message_of(error)
            for prefix in PREFIXES:
                message = message.removeprefix(prefix)
            return self.error(cut(message, MAX_LENGTH - len(self.option) - 2 - len(more)) + more)
        return None
