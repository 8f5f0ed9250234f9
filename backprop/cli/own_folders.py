"""Which folders a user's own file imports from, its name there, and what to say of what is not found."""

import ast
import os
import sys
import warnings
from importlib.util import find_spec
from os.path import exists, isdir, isfile  # which say no, rather than raise, of names too long or with a NUL
from pathlib import Path

import backends

OURS = ("backprop", "backends")
PYTHONS_AND_OURS = {Path(os.__file__).parent, Path(backends.__file__).parent, Path(__file__).parents[1]}


class OwnFolders:
    """The folders that go on the path for a file, of which the whole path is given.

    on_path: the file's own, the working directory, the one above its topmost package, and any above the file
    that has what it imports and is found nowhere else; in the order in which they are searched.
    package: the names of the packages around the file, if it has relative imports.
    root: the folder above its topmost package.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        imported, level = _imports(file)
        above = [*file.parents]
        depth = next(i for i, folder in enumerate(above) if not (folder / "__init__.py").exists())
        depth = min(max(depth, level), len(above) - 1)  # a package may be without an __init__.py
        self.root = above[depth]
        self.package = [folder.name for folder in reversed(above[:depth])] if level else []
        self.on_path = [file.parent, Path(working_directory() or self.root), self.root]
        self.on_path += [found for name in imported if (found := self._folder_with(name, above))]

    def __contains__(self, file: str) -> bool:
        """Return whether a file of the user's is meant, and not one that was installed among them."""
        path = Path(file)
        if path.parent == self.on_path[0]:
            return True
        return any(folder in path.parents for folder in self.on_path[2:]) and not _is_installed(path)

    def _folder_with(self, name: str, above: list[Path]) -> Path | None:
        """Return the nearest folder above that has what is imported by this name, if it is needed."""
        if name in sys.modules or find_spec(name):
            return None
        return next((f for f in above if isdir(f / name) or isfile(f / f"{name}.py")), None)


def _imports(file: Path) -> tuple[list[str], int]:
    """Return the top-level names that a file imports, and how many folders up its relative imports go."""
    try:
        with warnings.catch_warnings(action="ignore"):  # running it warns
            nodes = [*ast.walk(ast.parse(file.read_bytes()))]
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):  # which running it tells better
        return [], 0
    sources = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in sources if node.module and not node.level]
    level = max((node.level for node in sources), default=0)
    return sorted({name.partition(".")[0] for name in names}), level


def _is_installed(file: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & {*file.parts} or PYTHONS_AND_OURS & {*file.parents})


def what_instead(file: str) -> str:
    """What is wrong with a path, and which one may be meant: people also write that of the module."""
    near = [each for each in (f"{file}.py", f"{file.replace('.', '/')}.py") if isfile(each)]
    hint = f"; did you mean {near[0]}?" if near else ""
    kind = "no file but a folder" if isdir(file) else "not a regular file" if exists(file) else "no such file"
    return kind + hint


def working_directory() -> str | None:
    """The working directory, unless it is gone."""
    try:
        return os.getcwd()
    except OSError:
        return None


def why_missing(error: BaseException) -> str:
    """Where a module was looked for in vain."""
    if not isinstance(error, ModuleNotFoundError):
        return ""
    top = str(error.name).partition(".")[0]
    if top in OURS:
        return f"; here {top} is this library, and a package of yours by that name cannot be imported"
    return "; it is neither installed beside backprop nor in a folder above the file"
