"""What the tests of backends share: they leave every choice as they found it, and can make up a library."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from emulated_cupy import emulated_backend
from library import Library

from backends import load, register, registry, selection
from backends.testing import backend_or_skip

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


@pytest.fixture
def emulated(monkeypatch):
    """The CuPy backend over an emulated CuPy."""
    return register(emulated_backend(monkeypatch))


@pytest.fixture(params=["emulated", pytest.param("cupy", marks=pytest.mark.gpu)])
def cuda(request, monkeypatch):
    """The CuPy backend, emulated and on a real GPU."""
    if request.param == "cupy":
        return backend_or_skip("cupy")
    return register(emulated_backend(monkeypatch))


@pytest.fixture
def library():
    """Make a library of that name, for a test that needs arrays which are not NumPy's."""
    return Library
