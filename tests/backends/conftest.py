"""Fixtures of the backend tests: registry and selection are restored, and libraries can be made up."""

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
    """Start with no backend selected, and restore selection and registry after the test."""
    monkeypatch.delenv("BACKPROP_BACKEND", raising=False)
    load("numpy")
    monkeypatch.setattr(selection, "_set", None)
    monkeypatch.setattr(selection, "_warned", set())
    monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))
    monkeypatch.setattr(registry, "_by_type", dict(registry._by_type))
    monkeypatch.setattr(registry, "_unavailable", {})


@pytest.fixture
def put_cupy(monkeypatch):
    """A function that puts a module in the place of cupy; None stands for CuPy not installed."""

    def put(module):
        registry._loaded.pop("cupy", None)
        registry._unavailable.pop("cupy", None)
        monkeypatch.setitem(sys.modules, "cupy", module)
        return module

    return put


@pytest.fixture
def python():
    """A function that runs code in a fresh interpreter, with `path` first in its module search path."""

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
    """A function that makes an array library of that name, whose arrays are not NumPy's."""
    return Library
