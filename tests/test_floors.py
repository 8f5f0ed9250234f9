"""The house has floors: an import points down or stays at home, and each floor keeps to its own business.

Only the standard library is needed, so that this holds on any machine.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "backends": 0,
    "backprop.start": 0,  # what stands before all other imports
    "backprop.arrays": 1,
    "backprop.numerical": 1,
    "backprop.reporting": 1,
    "backprop.scalar": 2,
    "backprop.layers": 2,
    "backprop.losses": 2,
    "backprop.optimizers": 2,
    "backprop.data": 2,
    "backprop.networks": 3,
    "backprop.plots": 3,
    "backprop.training": 4,
    "backprop.gradient_check": 5,
    "backprop.race": 5,
    "backprop.graph": 5,
    "backprop": 5.5,  # the package itself: the public names, which the command line uses as everybody does
    "backprop.cli": 6,
    "backprop.__main__": 7,
    "tests": 8,
    "benchmarks": 8,
    "examples": 8,
}
SIBLINGS_MEET = 1  # the floor whose parts may know each other
ONE_UNIT = {"backprop.losses": "backprop.layers"}  # a loss is a layer with targets
LOOSE = {"backprop.__init__", "backprop.__main__"}  # the only files that lie in backprop itself
BEHIND_THE_REGISTRY = ("backends.numpy", "backends.cupy")  # loaded by name, when they are asked for
PARTS = "backends", "backprop"
FILES = [path for package in PARTS for path in sorted((ROOT / package).rglob("*.py"))]
GUARDED = {  # libraries, and the only modules that may import them
    "numpy": ("backends", "backprop.data", "backprop.arrays.initializers"),
    "cupy": ("backends.cupy",),
    "array_api_strict": ("backends.testing",),
    "pytest": ("backends.testing",),
}
MAY_PRINT = ("backends.__main__", "backprop.cli", "backprop.__main__", "backprop.data.make_sample")
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
    part = ".".join(parts[: 2 if parts[0].startswith("backprop") else 1])
    if part not in FLOORS:
        raise AssertionError(f"{part} has no floor: give it one in FLOORS")
    return ONE_UNIT.get(part, part), FLOORS[part]


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
                is_module = f"{base}.{name.name}" in MODULES or name.name not in names_of(base)
                yield f"{base}.{name.name}" if is_module else base
        elif isinstance(node, ast.Call) and called(node).endswith(("import_module", "__import__")):
            yield from (str(name.value) for name in node.args[:1] if isinstance(name, ast.Constant))


@cache
def names_of(package):
    """The names that a package's __init__ binds; of another module, all that one may ask for."""
    if package not in PACKAGES:
        return Everything()
    tree = ast.parse((ROOT / package.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))
    aliases = [a for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names]
    bound = {alias.asname or alias.name for alias in aliases}
    bound |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return bound | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


class Everything:
    """A container that contains everything."""

    def __contains__(self, name):
        return True


def called(node):
    return ast.unparse(node.func)


def strings(node):
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def violations(source, module):
    """Return what a module's source does that its floor forbids, each in a few words."""
    tree = ast.parse(source)
    home, floor = unit(module)
    for target in imported(tree, module):
        library = target.partition(".")[0]
        if library in GUARDED and not within(module, GUARDED[library]):
            yield f"{module} imports {target}"
        if library in (*PARTS, "tests", "benchmarks", "examples"):
            place, height = unit(target)
            if height > floor:
                yield f"{module} imports up: {target}"
            elif place != home and height == floor != SIBLINGS_MEET:
                yield f"{module} imports its sibling {target}"
            elif target == "backends.testing":
                yield f"{module} imports {target}, which is for tests"
            elif target not in MODULES:
                yield f"{module} imports {target}, which is not there"
            for backend in BEHIND_THE_REGISTRY:
                if within(target, [backend]) and not within(module, [backend]):
                    yield f"{module} imports {target}, which the registry loads"
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


def test_there_are_no_loose_modules():
    loose = {f"backprop.{path.stem}" for path in (ROOT / "backprop").glob("*.py")}
    assert loose == LOOSE


def test_every_part_has_a_floor_and_is_there():
    assert {unit(module) for module in MODULES}
    own = {part for part in FLOORS if part.startswith(("backends", "backprop"))}
    assert own <= MODULES


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_a_module_begins_with_its_idea(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{path} has no docstring"
    assert docstring.splitlines()[0].endswith((".", ":")), "the first line states the idea, in a sentence"


PLANTED = [  # a module, what is planted there, and what must be said of it
    ("backends.twins", "import backprop.arrays.checks", "imports up: backprop.arrays.checks"),
    ("backends.twins", "from backprop.arrays import checks", "imports up: backprop.arrays.checks"),
    ("backends.twins", "from backprop import TwoLayerNet", "imports up: backprop"),
    ("backprop.arrays.checks", "from backprop.layers import Affine", "imports up: backprop.layers"),
    ("backprop.arrays.checks", "from ..layers.affine import Affine", "imports up: backprop.layers.affine"),
    ("backprop.arrays.checks", "from .. import layers", "imports up: backprop.layers"),
    ("backprop.arrays.checks", "import backprop", "imports up: backprop"),
    ("backprop.layers.affine", "from ..networks import TwoLayerNet", "imports up: backprop.networks"),
    ("backprop.layers.affine", "from .. import training", "imports up: backprop.training"),
    ("backprop.layers.affine", "def f():\n    import backprop.cli.train", "imports up: backprop.cli.train"),
    ("backprop.layers", "from .. import networks", "imports up: backprop.networks"),
    ("backprop.layers", "from backprop.networks import Network", "imports up: backprop.networks"),
    ("backprop.losses.loss", "from ..networks.chain import Chain", "imports up: backprop.networks.chain"),
    ("backprop.arrays.arrays", "from backprop.losses import Loss", "imports up: backprop.losses"),
    ("backprop.training", "from backprop import train", "imports up: backprop"),
    ("backprop", "from backprop.cli import run", "imports up: backprop.cli"),
    ("backprop.cli.info", "from backprop.__main__ import main", "imports up: backprop.__main__"),
    ("backprop.arrays.checks", "importlib.import_module('backprop.layers')", "imports up: backprop.layers"),
    ("backprop.training", "from tests import conftest", "imports up: tests"),
    ("backends.numpy.affine", "import benchmarks.conftest", "imports up: benchmarks.conftest"),
    ("backprop.training", "from examples.own_layer import Swish", "imports up: examples.own_layer"),
    ("backprop.layers.affine", "from backprop.optimizers import SGD", "its sibling backprop.optimizers"),
    ("backprop.losses", "from backprop.optimizers import SGD", "its sibling backprop.optimizers"),
    ("backprop.optimizers.sgd", "from backprop.losses import Loss", "its sibling backprop.losses"),
    ("backprop.data.sample", "from ..layers import Affine", "its sibling backprop.layers"),
    ("backprop.graph.svg", "from .. import gradient_check", "its sibling backprop.gradient_check"),
    ("backprop.networks", "from backprop.plots import canvas", "its sibling backprop.plots"),
    ("backprop.training", "from backprop.graph import trace", "imports up: backprop.graph"),
    ("backprop.layers.relu", "import numpy as np", "imports numpy"),
    ("backprop.training", "def f():\n    from numpy.linalg import norm", "imports numpy.linalg"),
    ("backprop.data.idx", "import cupy", "imports cupy"),
    ("backends.twins", "import cupy.cuda", "imports cupy.cuda"),
    ("backprop.arrays.checks", "import pytest", "imports pytest"),
    ("backends.numpy.relu", "import cupy", "imports cupy"),
    ("backprop.arrays.arrays", "import numpy", "imports numpy"),
    ("backends.registry", "import backends.testing", "which is for tests"),
    ("backends.selection", "from backends.numpy import NumpyBackend", "which the registry loads"),
    ("backends", "from backends.cupy.backend import CupyBackend", "which the registry loads"),
    ("backends.cupy.relu", "from backends.numpy.relu import relu", "which the registry loads"),
    ("backprop.cli.blas", "from backends.numpy import threads", "which the registry loads"),
    ("backprop.cli.info", "from backends.kernels import Kernels", "which is not there"),
    ("backprop.layers.relu", "import backprop.layers.fused", "which is not there"),
    ("backprop.cli.info", "from backprop.arrays import fused", "which is not there"),
    ("backprop.training", "print(loss)", "prints: print(loss)"),
    ("backends.registry", "sys.stderr.write('hm')", "prints: sys.stderr.write"),
    ("backprop.data.mnist", "click.echo('hm')", "prints: click.echo"),
    ("backprop.arrays.checks", "isinstance(x, np.ndarray)", "asks for one library's arrays"),
    ("backprop.arrays.checks", "type(x) is xp.ndarray", "asks for one library's arrays"),
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
        ("backprop.layers.affine", "from ..arrays import checks\nfrom backends import Array"),
        ("backprop.layers", "from backprop.losses.softmax_cross_entropy import SoftmaxCrossEntropy"),
        ("backprop.losses.loss", "from backprop.layers.layer import Layer"),
        ("backprop.numerical.gradient", "from backprop.arrays import checks"),
        ("backprop.networks.network", "from backprop.layers import Affine\nimport backends.twins"),
        ("backends.registry", "import_module(module)"),
        ("backends.numpy", "from backends.numpy import affine"),
        ("backprop.cli.train", "import backprop\nfrom backprop import TwoLayerNet\nprint('done')"),
        ("backprop.gradient_check", "from backprop.numerical.gradient import numerical_gradient"),
        ("backprop.data.idx", "import numpy as np\nimport gzip"),
        ("backprop.layers.relu", "'''>>> print(numpy.ndarray)'''\nnames = ['cupy']"),
    ],
)
def test_what_is_allowed_passes(module, source):
    assert list(violations(source, module)) == []


def test_a_part_without_a_floor_is_told_of():
    with pytest.raises(AssertionError, match="backprop.attic has no floor"):
        list(violations("", "backprop.attic.box"))
