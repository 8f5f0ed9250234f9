"""The types of arrays: what the checker accepts and refuses in formulas, and in the programs of users."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from backends import Array, Namespace

ROOT = Path(__file__).parents[2]


class Empty(Protocol):
    """The members of every protocol."""


MEMBERS = sorted(vars(Array).keys() - vars(Empty).keys())
FUNCTIONS = sorted(name for name in vars(Namespace) if not name.startswith("_"))

FORMULA = """\
from typing import Any
from backends import Array, Namespace

def formula(xp: Namespace, x: Array, W: Array) -> Any:
    return {expression}
"""
ACCEPTED = (
    "xp.reshape(x, (x.shape[0], -1)) @ W.T + 1.0",
    "xp.where(xp.real(x) > 0, x, 0.0)",
    "x[:, None] == xp.arange(W.shape[0], dtype=x.dtype)",
    "1.0 / (1.0 + xp.exp(-x)) ** 2",
    "xp.mean(x * W, axis=(0, 2), keepdims=True)",
    "(x & 255 | x << 8) ^ (W >> 3)",
)
REFUSED = (
    "x.sum()",
    "x.reshape((2, 3))",
    "x.astype('float32')",
    "x.copy()",
    "x.dot(W)",
    "x.transpose()",
    "(x * W).sum(axis=0)",
    "(2.0 - x)[0].max()",
    "(x == W).all()",
    "xp.exp(x).clip(0.0, 1.0)",
    "len(x)",
    "xp.dot(x, W)",
    "xp.clip_by_norm(x, 1.0)",
    "xp.reshape(x, -1)",
    "xp.sum(x, 0)",
)

USERS = {
    "trains_by_hand": """\
import numpy as np
from numpy.typing import NDArray
import backprop
from backprop.optimizers import Momentum

net = backprop.TwoLayerNet(4, 3, 2, rng=0)
x, t = np.ones((2, 4)), np.array([0, 1])
grads = net.gradient(x, t)
net.params["W1"] -= 0.1 * grads["W1"]
for name in net.params:
    net.params[name] = net.params[name] - 0.1 * grads[name]
labels: NDArray[np.int64] = backprop.to_numpy(net.predict(x)).argmax(axis=1)
loss: float = float(net.loss(x, t))
optimizer = Momentum(0.1)
optimizer.update(net.params, grads)
optimizer.update({"w": np.ones(3)}, {"w": np.ones(3)})
history = backprop.train(net, x, t, iterations=10, optimizer=optimizer)
print(labels, loss, history.loss[-1], net.params["W1"].shape, backprop.xp.zeros(3))
""",
    "checks": """\
import numpy as np
from numpy.typing import NDArray
import backprop
from backprop.layers import Affine

def f(v: NDArray[np.float64]) -> float:
    return float((v * v).sum())

print(backprop.numerical_gradient(f, np.ones(3)).round(6))
print(backprop.numerical_gradient(lambda v: v[0] ** 2, backprop.xp.ones(3)))
layer = Affine(np.ones((3, 2)), np.zeros(2))
out = layer.forward(np.ones((5, 3)))
print(out.round(4), layer.backward(out).sum(), layer.grads["W"].shape)
backprop.check_gradients(layer, np.ones((5, 3))).assert_ok()
""",
    "own_layers": """\
from typing import Any
from backprop.layers import Layer
from backprop.losses import Loss
from backprop.optimizers import Optimizer

class Scale(Layer):
    def compute(self, xp: Any, x: Any, w: Any) -> Any:
        return x * w, (x, w)

    def derive(self, xp: Any, dout: Any, x: Any, w: Any) -> Any:
        return dout * w, xp.sum(dout * x, axis=0)

class AbsoluteError(Loss):
    def compute(self, xp: Any, y: Any, t: Any) -> Any:
        return xp.sum(xp.abs(y - t), axis=1), (y - t,)

    def derive(self, xp: Any, dout: float, difference: Any) -> Any:
        return dout * xp.sign(difference)

class SignDescent(Optimizer):
    def compute(self, xp: Any, w: Any, g: Any, rate: Any) -> Any:
        return w - rate * xp.sign(g), ()
""",
    "arrays_of_numpy": """\
import numpy as np
from numpy.typing import NDArray
from typing import Any
from backends import Array

a: Array = np.zeros(3)
b: Array = np.zeros(3, np.float32)
c: Array = np.zeros(3) > 0
d: Array = np.arange(3)
e: Array = np.zeros(3, np.complex128)

def typed(x: NDArray[Any]) -> Array:
    return x
""",
    "untyped": """\
# mypy: allow-untyped-defs
from backprop.layers import Layer

class Scale(Layer):
    def compute(self, xp, x, w):
        return xp.tanh(x) * w, (x, w)

    def derive(self, xp, dout, x, w):
        return dout * w, xp.sum(dout * x, axis=0)
""",
}


def test_the_arrays_and_the_namespace_of_every_backend_have_it_all(backend):
    array = backend.asarray([[1.0]], "float32")
    assert [name for name in MEMBERS if not hasattr(array, name)] == []
    assert [name for name in FUNCTIONS if not callable(getattr(backend.xp, name, None))] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_the_arguments_that_the_standard_gives_it(name):
    strict = pytest.importorskip("array_api_strict")
    _, *ours = inspect.signature(getattr(Namespace, name)).parameters.values()  # without self
    standard = inspect.signature(getattr(strict, name)).parameters
    by_position = [each.kind for each in standard.values() if each.kind is not each.KEYWORD_ONLY]
    assert [each.kind for each in ours if each.kind is not each.KEYWORD_ONLY] == by_position
    assert {each.name for each in ours if each.kind is not each.POSITIONAL_ONLY} <= {*standard}


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """Return the errors that one run of mypy finds in all programs, by the name of the program."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("programs")
    formulas = {f"accepted_{i}": FORMULA.format(expression=each) for i, each in enumerate(ACCEPTED)}
    formulas |= {f"refused_{i}": FORMULA.format(expression=each) for i, each in enumerate(REFUSED)}
    programs = {**formulas, **USERS}
    for name, text in programs.items():
        (folder / f"{name}.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--follow-imports=silent"]
    command += ["--no-error-summary", "--hide-error-context", f"--cache-dir={ROOT / '.mypy_cache'}"]
    command += [f"{name}.py" for name in programs]
    environment = {"MYPYPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and not done.stderr, done.stdout + done.stderr
    found = {name: [] for name in programs}
    for line in done.stdout.splitlines():
        if ": error:" in line:
            found[line.partition(".py:")[0]].append(line)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("i", range(len(ACCEPTED)), ids=ACCEPTED)
def test_a_formula_in_the_functions_of_the_array_api_is_accepted(errors, i):
    assert errors[f"accepted_{i}"] == []


@pytest.mark.slow
@pytest.mark.parametrize("i", range(len(REFUSED)), ids=REFUSED)
def test_a_formula_that_goes_beyond_the_array_api_is_refused(errors, i):
    assert len(errors[f"refused_{i}"]) == 1, errors[f"refused_{i}"]


@pytest.mark.slow
@pytest.mark.parametrize("name", USERS)
def test_a_program_of_a_user_is_accepted(errors, name):
    assert errors[name] == []
