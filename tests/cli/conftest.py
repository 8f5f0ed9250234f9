"""The command line, called inside this process or as its own process, far from a user's settings."""

import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from backends import load, registry
from backprop.data.known import KNOWN

ROOT = Path(__file__).parents[2]


@dataclass
class Ran:
    """The outcome of a call."""

    code: int
    out: str
    err: str

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def error(self):
        """The one line on standard error."""
        (line,) = self.err.splitlines()
        return line


@pytest.fixture(autouse=True)
def new_user(tmp_path, monkeypatch):
    """An environment with nothing set, nothing cached and no network; the logger is restored afterwards."""
    for name in ("BACKEND", "DTYPE", "DATA_DIR"):
        monkeypatch.delenv(f"BACKPROP_{name}", raising=False)
    for name in ("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for known in KNOWN:
        monkeypatch.setattr(known, "mirrors", ("http://127.0.0.1:9/",))
    monkeypatch.setattr(logging.getLogger("backprop"), "level", logging.NOTSET)


@pytest.fixture
def call(capsys):
    """Call the command line in this process: `call("train", "--seed", 0)`."""

    def run_inside(*arguments):
        from backprop.cli import run

        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Ran(code, *capsys.readouterr())

    return run_inside


@pytest.fixture
def start():
    """Start `python -m backprop` with these arguments, as subprocess.Popen does, and end it in any case."""
    started = []

    def popen(*arguments, **options):
        # A process that was started in the background may ignore Ctrl-C, and so would its children.
        code = (
            "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
            "runpy.run_module('backprop', run_name='__main__')"
        )
        command = [sys.executable, "-c", code, *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        process = subprocess.Popen(command, env=environment, cwd=ROOT, **options)
        started.append(process)
        return process

    yield popen
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def call_outside(start):
    """Call the command line in its own process."""

    def run_outside(*arguments):
        process = start(*arguments)
        out, err = process.communicate(timeout=60)
        return Ran(process.returncode, out, err)

    return run_outside


@pytest.fixture
def mnist(tmp_path):
    """A directory with MNIST's four files, of 6 training and 4 test images."""
    rng, folder = np.random.default_rng(0), tmp_path / "mnist"
    folder.mkdir()
    for part, count in (("train", 6), ("t10k", 4)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        head = b"\0\0\x08\x03" + np.array(images.shape, ">u4").tobytes()
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        labels = np.arange(count, dtype=np.uint8)
        head = b"\0\0\x08\x01" + np.array(labels.shape, ">u4").tobytes()
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
    return folder


@pytest.fixture
def no_cupy(monkeypatch):
    """A machine without CuPy."""
    load("numpy")
    monkeypatch.setattr(registry, "_loaded", {"numpy": load("numpy")})
    monkeypatch.setattr(registry, "_unavailable", {})
    monkeypatch.setitem(sys.modules, "cupy", None)
