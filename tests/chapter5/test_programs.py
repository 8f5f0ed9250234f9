"""The chapter's three programs, run as they stand on every backend that they can have."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backends import load, to_numpy
from backends.testing import backend_or_skip
from backprop import TwoLayerNet, load_mnist_sample

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
PROGRAM_BACKENDS = ["numpy", pytest.param("cupy", marks=pytest.mark.gpu)]
needs_mnist = pytest.mark.skipif(
    not os.path.isdir(os.environ.get("BACKPROP_DATA_DIR", "")),
    reason="BACKPROP_DATA_DIR does not name a directory with MNIST",
)


@pytest.fixture(params=PROGRAM_BACKENDS)
def run(request):
    """A function that runs a program of the chapter in its own process; returns what it prints."""
    backend_or_skip(request.param)

    def run_program(name):
        env = {**os.environ, "BACKPROP_BACKEND": request.param, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-W", "error", FOLDER / name], env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run_program


def test_apples(run):
    assert run("apples.py") == [
        "apple_price: 200", "price: 220", "dApple: 2.2", "dApple_num: 110", "dTax: 200",
        "price: 715", "dApple: 2.2", "dApple_num: 110", "dOrange: 3.3000000000000003",
        "dOrange_num: 165", "dTax: 650",
    ]  # fmt: skip


# On a GPU that takes 50 s: it computes 79,520 losses and waits for each.
@needs_mnist
@pytest.mark.parametrize(
    "run", ["numpy", pytest.param("cupy", marks=[pytest.mark.gpu, pytest.mark.slow])], indirect=True
)
def test_gradient_check(run):
    differences = dict(line.split(":") for line in run("gradient_check.py"))
    assert list(differences) == ["W1", "b1", "W2", "b2"]
    assert all(float(difference) < 1e-7 for difference in differences.values())


@needs_mnist
def test_training(run):
    lines = [list(map(float, line.split())) for line in run("train_neuralnet.py")]
    assert len(lines) == 17
    train_accuracy, test_accuracy = lines[-1]
    assert 0.965 <= test_accuracy <= 0.975
    assert 0.97 <= train_accuracy <= 0.985


def check_gradients_of_seed(seed):
    """The chapter's gradient check with the weights of one seed, on the bundled digits."""
    (x, t), _ = load_mnist_sample(one_hot_label=True)
    net = TwoLayerNet(rng=seed, backend=load("numpy"))
    numerical, backprop = net.numerical_gradient(x[:3], t[:3]), net.gradient(x[:3], t[:3])
    for name in ("W1", "b1", "W2", "b2"):
        assert np.abs(to_numpy(backprop[name]) - to_numpy(numerical[name])).mean() < 1e-7, (seed, name)


def test_gradient_check_with_a_fixed_seed():
    check_gradients_of_seed(0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 103))
def test_gradient_check_with_a_hundred_seeds(seed):
    check_gradients_of_seed(seed)
