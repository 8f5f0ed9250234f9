"""BACKPROP_REQUIRE_GPU=1: a test that lacks a GPU fails; one that lacks anything else is skipped."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import pytest
from backends.testing import backend_or_skip

pytestmark = pytest.mark.gpu

def test_of_the_gpu():
    backend_or_skip("cupy")

@pytest.mark.skipif(True, reason="MNIST is not here")
def test_of_mnist():
    backend_or_skip("cupy")

def test_of_another_library():
    pytest.importorskip("no_such_library")

@pytest.mark.xfail
def test_that_fails_as_expected():
    assert False
"""


@pytest.fixture
def outcomes(tmp_path):
    """outcomes(what, **variables): how many tests passed, failed, …, where CuPy cannot be imported."""
    (tmp_path / "cupy.py").write_text("raise ImportError('a broken CuPy')")
    (tmp_path / "torch.py").write_text("")  # a PyTorch that finds nothing

    def run(*what, **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BACKPROP_")}
        environment |= {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), **variables}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, what)],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        last = done.stdout.strip().splitlines()[-1]
        counts = {what: int(count) for count, what in re.findall(r"(\d+) (\w+)", last.partition(" in ")[0])}
        return counts, done.stdout

    return run


@pytest.fixture
def made_up(tmp_path):
    folder = tmp_path / "made_up"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = gpu: made up")
    (folder / "conftest.py").write_text("from backends.testing import pytest_runtest_makereport")
    (folder / "test_made_up.py").write_text(TESTS)
    return folder


def test_without_the_variable_all_of_them_are_skipped(made_up, outcomes):
    assert outcomes(made_up)[0] == {"skipped": 3, "xfailed": 1}


def test_with_it_only_the_missing_gpu_is_a_failure(made_up, outcomes):
    counts, output = outcomes(made_up, BACKPROP_REQUIRE_GPU="1")
    assert counts == {"failed": 1, "skipped": 2, "xfailed": 1}
    assert "test_of_the_gpu was skipped although BACKPROP_REQUIRE_GPU=1: no usable GPU: " in output
    assert "a broken CuPy" in output


def test_a_test_of_pytorch_on_the_device_asks_for_the_gpu_first(outcomes):
    test = "tests/backends/test_gpu_faults.py::test_tensors_of_pytorch_on_the_device"
    assert outcomes(test)[0] == {"skipped": 1}
