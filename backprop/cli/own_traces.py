"""What running a user's file leaves in this process, and how all is put back."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from backprop.cli.own_fault import ABOVE
from backprop.cli.own_folders import OwnFolders, working_directory

BY_CODE = ("built-in", "frozen")  # where modules come from that have no file
OBJECTS = ("path", "argv", "modules", "stdin", "stdout", "stderr")  # of sys


@contextmanager
def no_traces(folders: OwnFolders) -> Iterator[None]:
    """Put back sys.path, sys.argv, sys.modules, the standard streams and the working directory.

    Modules that were installed stay, since some cannot be imported twice; those of the user's go.
    """
    objects = {name: getattr(sys, name) for name in OBJECTS}
    path, arguments, modules = sys.path[:], sys.argv[:], {**sys.modules}
    folder = working_directory()
    try:
        yield
    finally:
        for name, value in objects.items():
            setattr(sys, name, value)
        sys.path[:], sys.argv[:] = path, arguments
        for name, module in [*sys.modules.items()]:
            if name not in modules and (str(name).startswith(ABOVE) or _is_users(module, folders)):
                del sys.modules[name]
        sys.modules.update(modules)
        if folder is not None:
            with suppress(OSError):
                os.chdir(folder)


def _is_users(module: Any, folders: OwnFolders) -> bool:
    if not isinstance(module, ModuleType):
        return True
    file, spec = (vars(module).get(name) for name in ("__file__", "__spec__"))
    return file in folders if isinstance(file, str) else getattr(spec, "origin", None) not in BY_CODE
