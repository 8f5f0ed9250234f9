"""What the tests of backends share: they leave every choice as they found it, and can make up a library."""

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from cuda_emulator import RawModule

from backends import load, registry, selection

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def as_found(monkeypatch):
    """Nothing is chosen when a test starts; what it chooses and registers is forgotten when it ends."""
    monkeypatch.delenv("BACKPROP_BACKEND", raising=False)
    load("numpy")
    monkeypatch.setattr(selection, "_set", None)
    monkeypatch.setattr(selection, "_said", set())
    monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))
    monkeypatch.setattr(registry, "_by_type", dict(registry._by_type))
    monkeypatch.setattr(registry, "_unavailable", {})


@pytest.fixture
def put_cupy(monkeypatch):
    """Put a module in the place of cupy; None is as if it were not installed."""

    def put(module):
        registry._loaded.pop("cupy", None)
        registry._unavailable.pop("cupy", None)
        monkeypatch.setitem(sys.modules, "cupy", module)
        return module

    return put


@pytest.fixture
def python():
    """Run code in a fresh interpreter that looks for modules in `path` first."""

    def run(code, path="", **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BACKPROP_")}
        environment |= {"PYTHONPATH": os.pathsep.join([str(path), str(ROOT)]), **variables}
        return subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


class Library(types.ModuleType):
    """A namespace over NumPy with a class of arrays of its own, which refuse to meet NumPy's."""

    def __init__(self, name):
        super().__init__(name)
        self.RawModule = RawModule
        wrap = self.wrap

        class ndarray(np.ndarray):
            def __array_ufunc__(self, ufunc, method, *inputs, out=(), **options):
                if any(type(value) is np.ndarray for value in inputs):
                    raise TypeError(f"{ufunc.__name__} of {name}'s arrays and NumPy's")
                if out:
                    options["out"] = tuple(map(np.asarray, out))
                result = getattr(ufunc, method)(*map(plain, inputs), **options)
                return out[0] if out else wrap(result)

        ndarray.__module__ = name
        self.ndarray = ndarray

    def wrap(self, value):
        is_numpys = isinstance(value, np.ndarray | np.generic)
        return np.asarray(value).view(self.ndarray) if is_numpys else value

    def __getattr__(self, name):
        value = getattr(np, name)
        if isinstance(value, type) or not callable(value):
            return value
        return lambda *arguments, **options: self.wrap(value(*arguments, **options))


def plain(value):
    return np.asarray(value) if isinstance(value, np.ndarray) else value


@pytest.fixture
def library():
    """Make a library of that name, for a test that needs arrays which are not NumPy's."""
    return Library
