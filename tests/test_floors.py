"""The house has floors: an import points down or stays at home, and each floor keeps to its own business.

Only the standard library is needed, so that this holds on any machine.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "backends": 0,
    "backprop.scalar": 2,
    "backprop.layers": 2,
    "backprop.optimizers": 2,
    "backprop.data": 2,
    "backprop.networks": 3,
    "backprop.plots": 3,
    "backprop.training": 4,
    "backprop.gradient_check": 5,
    "backprop.graph": 5,
    "backprop": 5.5,  # the package itself: the public names, which the command line uses as everybody does
    "backprop.cli": 6,
    "backprop.__main__": 7,
    "tests": 8,
    "benchmarks": 8,
}
SINGLE_FILE = 1  # all other files of backprop: duck-typed, they know no layer
FILES = [path for package in ("backends", "backprop") for path in sorted((ROOT / package).rglob("*.py"))]
GUARDED = {  # libraries, and the only modules that may import them
    "numpy": ("backends", "backprop.data", "backprop.initializers"),
    "cupy": ("backends.cupy_backend",),
    "array_api_strict": ("backends.testing",),
    "pytest": ("backends.testing",),
}
MAY_PRINT = ("backprop.cli", "backprop.__main__", "backprop.data.make_sample")
BACKEND_NAMES = {"numpy", "cupy", "gpu", "cuda"}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path) for path in FILES}
PACKAGES = {module_name(path) for path in FILES if path.name == "__init__.py"}


def within(module, places):
    return any(module == place or module.startswith(f"{place}.") for place in places)


def unit(module):
    """The part of the house that a module belongs to, and its floor."""
    parts = module.split(".")
    part = ".".join(parts[: 2 if parts[0] == "backprop" else 1])
    if part in FLOORS:
        return part, FLOORS[part]
    if part != module or module in PACKAGES:
        raise AssertionError(f"the package {part} has no floor: give it one in FLOORS")
    return part, SINGLE_FILE


def imported(tree, module):
    """The names of all modules that a module imports, anywhere in it."""
    package = module if module in PACKAGES else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for name in node.names:
                yield f"{base}.{name.name}" if f"{base}.{name.name}" in MODULES else base
        elif isinstance(node, ast.Call) and called(node).endswith(("import_module", "__import__")):
            yield from (str(name.value) for name in node.args[:1] if isinstance(name, ast.Constant))


def called(node):
    return ast.unparse(node.func)


def strings(node):
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def violations(source, module):
    """What a module's source does that its floor must not, each in a few words."""
    tree = ast.parse(source)
    home, floor = unit(module)
    for target in imported(tree, module):
        library = target.partition(".")[0]
        if library in GUARDED and not within(module, GUARDED[library]):
            yield f"{module} imports {target}"
        if library in ("backends", "backprop", "tests", "benchmarks"):
            place, height = unit(target)
            if height > floor:
                yield f"{module} imports up: {target}"
            elif place != home and height == floor > SINGLE_FILE:
                yield f"{module} imports its sibling {target}"
            elif target == "backends.testing":
                yield f"{module} imports {target}, which is for tests"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not within(module, MAY_PRINT):
            if called(node).split(".")[-1] in ("print", "pprint", "echo", "secho"):
                yield f"{module} prints: {ast.unparse(node)}"
            if called(node).endswith(("stdout.write", "stderr.write")):
                yield f"{module} prints: {ast.unparse(node)}"
        asks = isinstance(node, ast.Compare | ast.Match) or (
            isinstance(node, ast.Call) and called(node) in ("isinstance", "issubclass")
        )
        if floor > 0 and asks and "ndarray" in ast.unparse(node):
            yield f"{module} asks for one library's arrays: {ast.unparse(node)}"
        if floor > 0 and asks and strings(node) & BACKEND_NAMES:
            yield f"{module} asks which library runs: {ast.unparse(node)}"


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_a_module_keeps_to_its_floor(path):
    assert list(violations(path.read_text(encoding="utf-8"), module_name(path))) == []


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_a_module_begins_with_its_idea(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{path} has no docstring"
    assert docstring.splitlines()[0].endswith((".", ":")), "the first line states the idea, in a sentence"


PLANTED = [  # a module, what is planted there, and what must be said of it
    ("backends.kernels", "import backprop.checks", "imports up: backprop.checks"),
    ("backends.kernels", "from backprop import checks", "imports up: backprop.checks"),
    ("backends.kernels", "from backprop import TwoLayerNet", "imports up: backprop"),
    ("backprop.checks", "from backprop.layers import Affine", "imports up: backprop.layers"),
    ("backprop.checks", "from .layers.affine import Affine", "imports up: backprop.layers.affine"),
    ("backprop.checks", "from . import layers", "imports up: backprop.layers"),
    ("backprop.checks", "import backprop", "imports up: backprop"),
    ("backprop.layers.affine", "from ..networks import TwoLayerNet", "imports up: backprop.networks"),
    ("backprop.layers.affine", "from .. import training", "imports up: backprop.training"),
    ("backprop.layers.affine", "def f():\n    import backprop.cli.train", "imports up: backprop.cli.train"),
    ("backprop.layers", "from .. import networks", "imports up: backprop.networks"),
    ("backprop.training", "from backprop import train", "imports up: backprop"),
    ("backprop", "from backprop.cli import run", "imports up: backprop.cli"),
    ("backprop.cli.info", "from backprop.__main__ import main", "imports up: backprop.__main__"),
    ("backprop.checks", "importlib.import_module('backprop.layers')", "imports up: backprop.layers"),
    ("backprop.training", "from tests import conftest", "imports up: tests"),
    ("backends.numpy_backend", "import benchmarks.conftest", "imports up: benchmarks.conftest"),
    ("backprop.layers.affine", "from backprop.optimizers import SGD", "its sibling backprop.optimizers"),
    ("backprop.data.sample", "from ..layers import Affine", "its sibling backprop.layers"),
    ("backprop.graph.svg", "from .. import gradient_check", "its sibling backprop.gradient_check"),
    ("backprop.networks", "from backprop.plots import canvas", "its sibling backprop.plots"),
    ("backprop.training", "from backprop.graph import trace", "imports up: backprop.graph"),
    ("backprop.layers.relu", "import numpy as np", "imports numpy"),
    ("backprop.training", "def f():\n    from numpy.linalg import norm", "imports numpy.linalg"),
    ("backprop.data.idx", "import cupy", "imports cupy"),
    ("backends.kernels", "import cupy.cuda", "imports cupy.cuda"),
    ("backprop.checks", "import pytest", "imports pytest"),
    ("backends.registry", "import backends.testing", "which is for tests"),
    ("backprop.training", "print(loss)", "prints: print(loss)"),
    ("backends.registry", "sys.stderr.write('hm')", "prints: sys.stderr.write"),
    ("backprop.data.mnist", "click.echo('hm')", "prints: click.echo"),
    ("backprop.checks", "isinstance(x, np.ndarray)", "asks for one library's arrays"),
    ("backprop.checks", "type(x) is xp.ndarray", "asks for one library's arrays"),
    ("backprop.layers.relu", "if backend.name == 'cupy': pass", "asks which library runs"),
    ("backprop.layers.relu", "if x.__module__ in ('cupy', 'torch'): pass", "asks which library runs"),
]


@pytest.mark.parametrize(("module", "source", "words"), PLANTED)
def test_a_planted_fault_is_found(module, source, words):
    (violation,) = violations(source, module)
    assert violation.startswith(module) and words in violation


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("backprop.layers.affine", "from backprop.layers.layer import Layer\nfrom .relu import ReLU"),
        ("backprop.layers.affine", "from .. import checks\nfrom backends import Array"),
        ("backprop.networks.network", "from backprop.layers import Affine\nimport backends.kernels"),
        ("backprop.cli.train", "import backprop\nfrom backprop import TwoLayerNet\nprint('done')"),
        ("backprop.gradient_check", "from backprop.numerical_gradient import numerical_gradient"),
        ("backprop.data.idx", "import numpy as np\nimport gzip"),
        ("backprop.layers.relu", "'''>>> print(numpy.ndarray)'''\nnames = ['cupy']"),
    ],
)
def test_what_is_allowed_passes(module, source):
    assert list(violations(source, module)) == []


def test_a_package_without_a_floor_is_told_of():
    with pytest.raises(AssertionError, match="the package backprop.attic has no floor"):
        list(violations("", "backprop.attic.box"))
