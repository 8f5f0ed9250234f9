"""What to say of an exception of a user's own code: one line that says where, of 200 characters at most."""

from pathlib import Path
from traceback import walk_tb
from typing import NamedTuple

from backends import cut
from backprop.cli.own_folders import OwnFolders, why_missing

MOST = 184  # characters of a line, beside a path and "backprop check: "
ABOVE = "_backprop_own_file"  # a package around the user's, so that no name of theirs is taken already
SAID = ("check_gradients: ", "graph_of: ", "network_graph: ")  # the line begins with where it was already


class Fault(Exception):
    """An exception of the user's own code, in one line that says where."""


class Place(NamedTuple):
    """Where a call was."""

    file: str
    line: int
    function: str


def places(error: BaseException) -> list[Place]:
    """The calls that an exception went through, the innermost last."""
    return [
        Place(frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in walk_tb(error.__traceback__)
    ]


def said(error: BaseException) -> str:
    """The message of an exception, in one line."""
    try:
        return " ".join(str(error).split())
    except Exception as fault:  # of an exception of the user's
        return f"(its message fails with {type(fault).__name__})"


class Faults:
    """Makes faults of the exceptions of a user's file.  shown: the file as the user gave it."""

    def __init__(self, shown: Path, folders: OwnFolders) -> None:
        self.shown = shown
        self.folders = folders

    def told(self, error: BaseException, more: str) -> Fault | None:
        """An exception by its last place in the user's code; None for one that was never there.

        more: what to add to its message.
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
            return self.at(file, where, "the file ends the program; keep that for if __name__ == '__main__':")
        if error.__cause__ and said(error).startswith(SAID):
            error = error.__cause__  # where it was and what it said is enough
        return self.at(file, where, summary(error), more or why_missing(error))

    def unloaded(self, error: BaseException) -> Fault:
        """An exception that kept the file from being run at all."""
        if isinstance(error, (RecursionError, MemoryError)):
            return self.at(str(self.shown), ": ", "Python cannot compile it, it is nested too deeply")
        where = ":1: " if isinstance(error, SyntaxError) else ": "
        return self.at(str(self.shown), where, summary(error))

    def at(self, file: str, where: str, message: str, more: str = "") -> Fault:
        """A fault at a place in a file."""
        path = str(self.shown if Path(file) == self.folders.file else file)
        return Fault(" ".join(path.split()) + where + cut(message, MOST - len(where + more)) + more)


def summary(error: BaseException) -> str:
    """The kind of an exception and what it says."""
    kind = cut(type(error).__name__, 40)
    return f"{kind}: {said(error)}".removesuffix(": ").replace(f"{ABOVE}.", "")
