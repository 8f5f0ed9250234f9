"""Cleaning up after a user's file was run in this process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from backprop.cli.own_fault import PARENT
from backprop.cli.own_folders import OwnFolders, working_directory

FILELESS = ("built-in", "frozen")  # origins of modules without a file
RESTORED = ("path", "argv", "modules", "stdin", "stdout", "stderr")  # attributes of sys


@contextmanager
def cleaned_up(folders: OwnFolders) -> Iterator[None]:
    """Restore sys.path, sys.argv, sys.modules, the standard streams and the working directory afterwards.

    The user's modules are removed. Installed modules stay, since some cannot be imported twice.
    """
    objects = {name: getattr(sys, name) for name in RESTORED}
    path, arguments, modules = sys.path[:], sys.argv[:], {**sys.modules}
    folder = working_directory()
    try:
        yield
    finally:
        for name, value in objects.items():
            setattr(sys, name, value)
        sys.path[:], sys.argv[:] = path, arguments
        for name, module in [*sys.modules.items()]:
            if name not in modules and (str(name).startswith(PARENT) or _is_users(module, folders)):
                del sys.modules[name]
        sys.modules.update(modules)
        if folder is not None:
            with suppress(OSError):
                os.chdir(folder)


def _is_users(module: Any, folders: OwnFolders) -> bool:
    if not isinstance(module, ModuleType):
        return True
    file, spec = (vars(module).get(name) for name in ("__file__", "__spec__"))
    return file in folders if isinstance(file, str) else getattr(spec, "origin", None) not in FILELESS
