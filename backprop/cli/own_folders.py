"""The folders that a user's own file imports from, its package, and errors for missing files."""

import ast
import os
import sys
import warnings
from importlib.util import find_spec
from os.path import exists, isdir, isfile  # False, not an error, for overlong names and NUL
from pathlib import Path

import backends

OURS = ("backprop", "backends")
NOT_THE_USERS = {Path(os.__file__).parent, Path(backends.__file__).parent, Path(__file__).parents[1]}


class OwnFolders:
    """The folders that go on sys.path for a file, given its absolute path.

    on_path: the file's folder, the working directory, the root, and the nearest folders above the file that
    have what it imports and Python does not find otherwise; in the order of the search.
    package: the names of the packages around the file, if it has relative imports.
    root: the folder above its topmost package.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        imported, level = _imports(file)
        above = [*file.parents]
        depth = next(i for i, folder in enumerate(above) if not (folder / "__init__.py").exists())
        depth = min(max(depth, level), len(above) - 1)  # a package may lack an __init__.py
        self.root = above[depth]
        self.package = [folder.name for folder in reversed(above[:depth])] if level else []
        self.on_path = [file.parent, Path(working_directory() or self.root), self.root]
        self.on_path += [found for name in imported if (found := self._folder_with(name, above))]

    def __contains__(self, file: str) -> bool:
        """Return whether a file is the user's, and not installed in one of these folders."""
        path = Path(file)
        if path.parent == self.on_path[0]:
            return True
        return any(folder in path.parents for folder in self.on_path[2:]) and not _is_installed(path)

    def _folder_with(self, name: str, above: list[Path]) -> Path | None:
        """Return the nearest folder above that has a module of this name, unless Python finds it."""
        if name in sys.modules or find_spec(name):
            return None
        return next((f for f in above if isdir(f / name) or isfile(f / f"{name}.py")), None)


def _imports(file: Path) -> tuple[list[str], int]:
    """Return the top-level names that a file imports, and the most levels that its relative imports go up."""
    try:
        with warnings.catch_warnings(action="ignore"):  # running the file warns again
            nodes = [*ast.walk(ast.parse(file.read_bytes()))]
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        # Running the file reports these better.
        return [], 0
    sources = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in sources if node.module and not node.level]
    level = max((node.level for node in sources), default=0)
    return sorted({name.partition(".")[0] for name in names}), level


def _is_installed(file: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & {*file.parts} or NOT_THE_USERS & {*file.parents})


def why_not_a_file(file: str) -> str:
    """Return what is wrong with a path, and the path that was probably meant, as for a module name."""
    near = [each for each in (f"{file}.py", f"{file.replace('.', '/')}.py") if isfile(each)]
    hint = f"; did you mean {near[0]}?" if near else ""
    if isdir(file):
        return f"a directory, not a file{hint}"
    return ("not a regular file" if exists(file) else "no such file") + hint


def working_directory() -> str | None:
    """Return the working directory; None if it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return None


def why_missing(error: BaseException) -> str:
    """Return why a module was not found, to add to the message; "" for another exception."""
    if not isinstance(error, ModuleNotFoundError):
        return ""
    top = str(error.name).partition(".")[0]
    if top in OURS:
        return f"; here {top} is this library, and a package of yours by that name cannot be imported"
    return "; it is neither installed beside backprop nor in a folder above the file"
