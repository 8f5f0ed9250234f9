"""Exceptions of a user's own code as one line that says where, in at most 200 characters."""

from pathlib import Path
from traceback import walk_tb
from typing import NamedTuple

from backends import cut
from backprop.cli.own_folders import OwnFolders, why_missing

MAX_LENGTH = 184  # characters of a line, besides a path and "backprop check: "
PARENT = "_backprop_own_file"  # a package around the user's modules, so that their names are never taken
PREFIXES = ("check_gradients: ", "graph_of: ", "network_graph: ")  # left out: the line says where


class Fault(Exception):
    """An exception of the user's own code. Its message is one line that says where."""


class Place(NamedTuple):
    """The place of a call: file, line and function."""

    file: str
    line: int
    function: str


def places(error: BaseException) -> list[Place]:
    """Return the places of the calls that an exception passed through, the innermost last."""
    return [
        Place(frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in walk_tb(error.__traceback__)
    ]


def message_of(error: BaseException) -> str:
    """Return the message of an exception, in one line."""
    try:
        return " ".join(str(error).split())
    except Exception as fault:  # __str__ may be the user's
        return f"(its message fails with {type(fault).__name__})"


class Faults:
    """The conversion of exceptions of a user's file to faults.  shown: the path as the user gave it."""

    def __init__(self, shown: Path, folders: OwnFolders) -> None:
        self.shown = shown
        self.folders = folders

    def user_code_fault(self, error: BaseException, more: str) -> Fault | None:
        """Return a fault at the last place in the user's code; None if the exception never passed it.

        more: added to the message.
        """
        if isinstance(error, SyntaxError) and str(error.filename) in self.folders:
            where = f":{error.lineno or 1}: "
            return self.at(str(error.filename), where, f"{type(error).__name__}: {error.msg}")
        own = next((place for place in reversed(places(error)) if place.file in self.folders), None)
        if own is None:
            return None
        file, line, function = own
        where = f":{line}: " + ("" if function == "<module>" else f"in {cut(function, 40)}: ")
        if isinstance(error, SystemExit):
            return self.at(file, where, "the file exits; put that under if __name__ == '__main__':")
        if error.__cause__ and message_of(error).startswith(PREFIXES):
            error = error.__cause__  # ours only repeats its place and message
        return self.at(file, where, summary(error), more or why_missing(error))

    def loading_fault(self, error: BaseException) -> Fault:
        """Return the fault of an exception that kept the file from running at all."""
        if isinstance(error, (RecursionError, MemoryError)):
            return self.at(str(self.shown), ": ", "Python cannot compile it: it is nested too deeply")
        where = ":1: " if isinstance(error, SyntaxError) else ": "
        return self.at(str(self.shown), where, summary(error))

    def at(self, file: str, where: str, message: str, more: str = "") -> Fault:
        """Return a fault at a place in a file."""
        path = str(self.shown if Path(file) == self.folders.file else file)
        return Fault(" ".join(path.split()) + where + cut(message, MAX_LENGTH - len(where + more)) + more)


def summary(error: BaseException) -> str:
    """Return the type and the message of an exception."""
    kind = cut(type(error).__name__, 40)
    return f"{kind}: {message_of(error)}".removesuffix(": ").replace(f"{PARENT}.", "")
