"""`import backprop` is light, needs NumPy alone, and says plainly what stands in its way."""

import importlib
import inspect
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Protocol

import pytest

import backprop
from backends import TWINS
from backprop import layers, losses, optimizers
from backprop.layers import Layer
from backprop.optimizers import Optimizer

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMMAND_LINE = ("click", "tqdm")
HEAVY = {
    "cupy",
    "difflib",
    "zipfile",
    "pooch",
    "requests",
    "matplotlib",
    "torch",
    "safetensors",
    "threadpoolctl",
    "pytest",
    "array_api_strict",
    *COMMAND_LINE,
}
PUBLIC = {
    "backprop": (
        "xp use_backend set_backend get_backend available_backends asarray to_numpy "
        "MulLayer AddLayer TwoLayerNet load_fashion_mnist load_mnist load_mnist_sample "
        "numerical_gradient check_gradients check_function Adapter train"
    ),
    "backprop.layers": "Layer Affine BatchNorm Dropout ReLU Sigmoid SoftmaxCrossEntropy",
    "backprop.losses": "Loss MeanSquaredError SoftmaxCrossEntropy",
    "backprop.optimizers": "Optimizer SGD Momentum",
    "backprop.networks": "Network TwoLayerNet",
    "backprop.training": "train Diverged History learning_rate_range LearningRateRange",
    "backprop.scalar": "MulLayer AddLayer SumLayer DivLayer ReciprocalLayer ExpLayer LogLayer SigmoidLayer",
    "backprop.plots": "plot_history plot_mistakes plot_weights",
    "backprop.graph": "trace graph_of network_graph Graph NetworkGraph Value",
}

# Makes every module that is neither Python's nor in `allowed` impossible to import.
BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed | sys.stdlib_module_names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""


def python(code, *arguments, cwd=ROOT, path=(ROOT,)):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BACKPROP_")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment | {"PYTHONPATH": os.pathsep.join(map(str, path))},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )


def with_only(*names):
    return f"allowed = {{'backprop', *{names!r}}}" + BLOCKER


def test_the_import_loads_nothing_heavy():
    ran = python(
        "import sys; before = set(sys.modules); import backprop;"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    loaded = set(ran.stdout.split())
    assert {"backprop", "backends", "numpy"} <= loaded, ran.stderr
    assert not loaded & HEAVY


def test_the_gradient_check_is_imported_when_it_is_asked_for():
    ran = python(
        "import sys, backprop; print('backprop.gradient_check' in sys.modules, 'Adapter' in dir(backprop));"
        "from backprop import *; print(check_gradients is backprop.gradient_check.check_gradients);"
        "print(hasattr(backprop, 'check_gradient'))"
    )
    assert ran.stdout.split() == ["False", "True", "True", "False"], ran.stderr


BARE = """
try:
    import click
except ModuleNotFoundError:
    print("blocked")
import backprop
train_set, test_set = backprop.load_mnist_sample()
net = backprop.TwoLayerNet(784, 5, 10, rng=0)
history = backprop.train(net, *train_set, *test_set, iterations=20, rng=0)
backprop.check_gradients(net, train_set[0][:3], train_set[1][:3]).assert_ok()
print(len(history.loss))
"""


def test_a_bare_checkout_with_only_numpy_trains_and_checks():
    ran = python(with_only("backends", "numpy") + BARE)
    assert ran.stdout.split() == ["blocked", "20"], ran.stderr


def import_error(ran):
    """The message of an uncaught ImportError, which is the last line."""
    kind, _, message = ran.stderr.splitlines()[-1].partition(": ")
    assert ran.returncode == 1 and kind in ("ImportError", "ModuleNotFoundError"), ran.stderr
    return message


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("backends.py", ""),
        ("backends.py", "def backend_of(): pass"),
        ("backends.py", "def backend_of("),
        ("backends/__init__.py", "import no_such_module"),
        ("backends/__init__.py", "raise ValueError"),
    ],
)
def test_a_module_that_shadows_backends_is_named(tmp_path, name, source):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(source)
    message = import_error(python("import backprop", cwd=tmp_path))
    assert str(file) in message and "rename or move" in message


def test_another_module_of_that_name_that_was_imported_before_is_named(tmp_path):
    """It is no longer on the path: what would be found there is ours."""
    (tmp_path / "backends.py").write_text("")
    theirs = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import backends; del sys.path[0]"
    message = import_error(python(f"{theirs}; import backprop"))
    assert str(tmp_path / "backends.py") in message and "rename or move" in message


def test_missing_backends_are_told_of(tmp_path):
    for package in ("backprop", "backprop/start"):
        (tmp_path / package).mkdir()
        file = f"{package}/__init__.py"
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    message = import_error(python(with_only("numpy") + "import backprop", cwd=tmp_path, path=()))
    assert "`backends`" in message and "reinstall backprop-xp" in message


def test_missing_numpy_is_not_mistaken_for_a_shadow():
    message = import_error(python(with_only("backends") + "import backprop"))
    assert "numpy" in message and "rename" not in message


def command_without(missing, *arguments):
    pytest.importorskip("click")
    others = {"click", "tqdm", "pooch", "platformdirs", "packaging", "requests", "threadpoolctl"} - {missing}
    code = with_only("backends", "numpy", *others) + "from backprop.__main__ import main\nsys.exit(main())"
    return python(code, *arguments)


@pytest.mark.parametrize("missing", ["click", "tqdm"])
def test_the_command_line_says_in_one_line_which_library_it_lacks(missing):
    ran = command_without(missing, "info")
    assert ran.returncode == 3
    (line,) = ran.stderr.splitlines()
    assert line.startswith("backprop: ") and line.endswith(f"needs {missing}: pip install {missing}")


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("pooch", "cache     downloading data needs pooch: pip install pooch"),
        ("threadpoolctl", "BLAS      unknown: threadpoolctl is not installed"),
    ],
)
def test_info_says_what_it_cannot_know(missing, words):
    ran = command_without(missing, "info")
    assert ran.returncode == 0, ran.stderr
    assert words in ran.stdout.splitlines()


def test_without_pooch_the_command_trains_on_the_sample():
    ran = command_without("pooch", "train", "--iterations", "1", "--hidden", "1")
    assert ran.returncode == 0, ran.stderr
    (line,) = [line for line in ran.stderr.splitlines() if "instead of MNIST" in line]
    assert "pooch" in line


def test_both_packages_are_typed():
    for package in ("backprop", "backends"):
        assert (ROOT / package / "py.typed").is_file()
        assert "py.typed" in PROJECT["tool"]["setuptools"]["package-data"][package]


def test_pyproject_lists_the_packages_that_there_are():
    found = [
        file.parent for package in ("backends", "backprop") for file in (ROOT / package).rglob("__init__.py")
    ]
    names = sorted(".".join(folder.relative_to(ROOT).parts) for folder in found)
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == names


def test_pyproject_ships_every_data_file():
    listed = PROJECT["tool"]["setuptools"]["package-data"]
    for package in PROJECT["tool"]["setuptools"]["packages"]:
        folder = ROOT / package.replace(".", "/")
        shipped = {file for pattern in listed.get(package, ()) for file in folder.glob(pattern)}
        plain = [each for each in folder.glob("[!_.]*/") if not list(each.rglob("*.py"))]  # no packages
        files = [file for each in (folder, *plain) for file in each.glob("[!.]*")]
        there = {file for file in files if file.is_file() and file.suffix != ".py"}
        assert there <= shipped, f"{package} has files that no pattern of package-data takes along"


def test_the_version_is_pyprojects():
    assert backprop.__version__ == PROJECT["project"]["version"]


@pytest.mark.parametrize("module", PUBLIC)
def test_the_public_names_exist(module):
    found = importlib.import_module(module)
    for name in PUBLIC[module].split():
        assert hasattr(found, name)
        assert name in getattr(found, "__all__", [name]), f"{module}.__all__ lacks {name}"


def modules():
    """The names of all modules of both packages."""
    for package in ("backends", "backprop"):
        for file in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FORMULAS = ("compute", "derive", "evaluate")  # the docstring of their class is theirs


def public_members(module):
    """The public functions, classes and methods that a module defines, by their full names.

    Left out are formulas, whose docstring is that of their class, twins, whose is that of their formula, and
    the members of protocols, which the Array API standard describes.
    """
    twins = {inspect.unwrap(twin.function) for twin in TWINS.values()}
    for name, value in vars(module).items():
        mine = getattr(value, "__module__", None) == module.__name__
        if name.startswith("_") or not mine or not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        if inspect.isroutine(value) and inspect.unwrap(value) in twins:
            continue
        has_formulas = inspect.isclass(value) and issubclass(value, Layer | Optimizer)
        yield f"{module.__name__}.{name}", value
        for attribute in vars(value) if inspect.isclass(value) and Protocol not in value.__bases__ else ():
            member = inspect.getattr_static(value, attribute)
            is_method = inspect.isroutine(member) or isinstance(member, property | classmethod | staticmethod)
            if has_formulas and attribute in FORMULAS:
                continue
            if not attribute.startswith("_") and is_method:
                yield f"{module.__name__}.{name}.{attribute}", getattr(value, attribute)


@pytest.mark.parametrize("name", list(modules()))
def test_everything_public_has_a_docstring(name):
    if name.startswith("backprop.cli"):
        pytest.importorskip("click"), pytest.importorskip("tqdm")
    module = importlib.import_module(name)
    assert module.__doc__
    missing = [path for path, value in public_members(module) if not inspect.getdoc(value)]
    assert missing == []


@pytest.mark.parametrize(
    "kind", [getattr(module, name) for module in (layers, losses, optimizers) for name in module.__all__]
)
def test_a_formula_stands_in_the_docstring_of_its_class(kind):
    assert any(sign in kind.__doc__ for sign in (" = ", " <- ", " ← ", "->")), kind.__doc__


@pytest.mark.parametrize("module", [backprop, layers, losses, optimizers], ids=lambda module: module.__name__)
def test_every_exported_class_has_a_docstring_of_its_own(module):
    exported = {name: getattr(module, name) for name in module.__all__}
    assert all(map(inspect.getdoc, exported.values()))
    classes = {name: value for name, value in exported.items() if inspect.isclass(value)}
    assert [name for name, value in classes.items() if not value.__doc__] == []
