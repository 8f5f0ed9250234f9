"""`backprop check`: the gradient check as a table, and its verdict as the exit code."""

import gc
import json
import re
import signal
import sys

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

import backprop
from backends import use_backend
from backends.testing import backend_or_skip
from backprop import layers, losses, networks
from backprop.cli.check_cases import CASES
from backprop.layers import ReLU
from backprop.scalar import DivLayer

FAST = ("check", "--mode", "fast")


def fits(ran):
    """Return whether the output fits a terminal."""
    return max(map(len, ran.lines)) <= 80


@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_table_has_a_row_for_every_parameter_and_the_input(call, method):
    ran = call(*FAST, "--method", method)
    assert (ran.code, ran.err) == (0, "")
    title, header, *rows, verdict = ran.lines
    assert title.startswith("TwoLayerNet: backward against ")
    assert header.split()[:2] == ["array", "entries"]
    names_and_sizes = [row.split()[:2] for row in rows]
    assert names_and_sizes == [["W1", "39200"], ["b1", "50"], ["W2", "500"], ["b2", "10"], ["x", "2352"]]
    assert all(row.endswith(" ok") for row in rows)
    assert verdict == "all gradients agree"
    assert fits(ran)


def test_every_entry_is_checked_by_the_complex_step_unless_told_otherwise(call, monkeypatch):
    check_gradients, asked = backprop.check_gradients, []

    def fast(*arguments, **options):
        asked.append((options["method"], options["mode"]))
        return check_gradients(*arguments, **options | {"mode": "fast"})

    monkeypatch.setattr(backprop, "check_gradients", fast)
    assert call("check").code == 0
    assert asked == [("complex", "full")]


def test_a_wrong_backward_fails_with_exit_code_1(call, monkeypatch):
    right = ReLU.backward
    monkeypatch.setattr(ReLU, "backward", lambda self, dout: right(self, dout) * 1.001)
    ran = call(*FAST)
    assert ran.code == 1 and ran.err == ""
    verdicts = {row.split()[0]: row.split()[-1] for row in ran.lines[2:7]}
    assert verdicts == {"W1": "WRONG", "b1": "WRONG", "W2": "ok", "b2": "ok", "x": "WRONG"}
    assert "all gradients agree" not in ran.out
    said = " ".join(ran.out.split())
    assert "the fault is in ReLU1" in said and "constant factor: backward is 1.001 times" in said
    assert fits(ran)


def test_a_nan_in_a_gradient_fails_too(call, monkeypatch, tmp_path):
    right = ReLU.backward
    monkeypatch.setattr(ReLU, "backward", lambda self, dout: right(self, dout) * float("nan"))
    file = tmp_path / "check.json"
    assert call(*FAST, "--json", file).code == 1
    report = json.loads(file.read_text())["report"]
    assert report["ok"] is False and report["arrays"][0]["backward"] is None


def test_the_json_holds_the_report(call, tmp_path):
    file = tmp_path / "check.json"
    assert call(*FAST, "--seed", 7, "--json", file).code == 0
    document = json.loads(file.read_text())
    assert document["command"] == "check" and document["backend"] == "numpy"
    settings = document["settings"]
    assert (settings["method"], settings["mode"], settings["seed"]) == ("complex", "fast", 7)
    report = document["report"]
    assert report["ok"] is True
    assert [array["name"] for array in report["arrays"]] == ["W1", "b1", "W2", "b2", "x"]
    assert all(array["max_difference"] <= array["limit"] for array in report["arrays"])


def test_a_seed_repeats_the_check(call):
    first, second, other = (call(*FAST, "--seed", seed).out for seed in (1, 1, 2))
    assert first == second != other


def test_the_help_tells_the_seed_that_is_used(call, tmp_path):
    file = tmp_path / "check.json"
    call(*FAST, "--json", file)
    seed = json.loads(file.read_text())["settings"]["seed"]
    shown = " ".join(call("check", "--help").out.split())
    assert f"[default: {seed}" in shown or f"seed {seed}" in call(*FAST).out


def test_it_runs_as_a_process(call_outside):
    ran = call_outside(*FAST, "--seed", 0)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[-1] == "all gradients agree"


def test_the_help_shows_how_to_check_a_layer_of_ones_own(call):
    ran = call("check", "--help")
    assert "backprop check --file my_layer.py:MyLayer\n" in ran.out, "a line of its own, to be copied"
    shown = " ".join(ran.out.split())
    assert all(name in shown for name in CASES)
    assert all(option in shown for option in ("--layer NAME", "--file PATH:NAME", "--shape N,D", "--all"))
    assert "which takes seconds" not in shown


# ---------------------------------------------------------------------- layers and networks of the library


NO_LAYERS = {"Layer", "Loss", "FileError", "to_torch"}
OF_THE_LIBRARY = sorted({*layers.__all__, *losses.__all__, *networks.__all__} - NO_LAYERS)


@pytest.mark.parametrize("name", [*OF_THE_LIBRARY, "MulLayer", "AddLayer", "ExpLayer"])
def test_a_layer_by_name_has_a_report_for_every_case(call, tmp_path, name):
    file = tmp_path / "check.json"
    ran = call("check", "--layer", name, "--json", file)
    assert (ran.code, ran.err) == (0, "") and fits(ran)
    count = len(CASES[name])
    headings = [line for line in ran.lines if line.startswith("case ")]
    assert headings == [f"case {i} of {count}: {case.what}" for i, case in enumerate(CASES[name], 1)]
    assert ran.lines.count(f"{name}: backward against the complex step, every entry") == count
    assert ran.lines.count("all gradients agree") == count
    assert ran.lines[-1] == f"{name}: {f'all {count} cases agree' if count > 1 else 'its case agrees'}"
    document = json.loads(file.read_text())
    assert document["settings"]["layer"] == name and "report" not in document
    named = [(report["name"], report["case"]) for report in document["reports"]]
    assert named == [(name, case.what) for case in CASES[name]]
    assert all(report["ok"] and report["arrays"] for report in document["reports"])


def test_both_inputs_of_a_scalar_layer_are_checked(call, tmp_path):
    file = tmp_path / "check.json"
    call("check", "--layer", "MulLayer", "--json", file)
    for report in json.loads(file.read_text())["reports"]:
        assert [array["name"] for array in report["arrays"]] == ["x", "y"]


def test_method_and_mode_reach_every_case(call):
    ran = call(*FAST, "--layer", "Sigmoid", "--method", "central")
    title = "Sigmoid: backward against central differences, along a random direction"
    assert ran.code == 0 and ran.lines.count(title) == len(CASES["Sigmoid"])


def test_a_seed_gives_the_cases_other_numbers(call):
    first, second, other = (call("check", "--layer", "Affine", "--seed", seed).out for seed in (1, 1, 2))
    assert first == second != other


def test_a_wrong_layer_fails_by_name(call, monkeypatch):
    right = ReLU.backward
    monkeypatch.setattr(ReLU, "backward", lambda self, dout: right(self, dout) * 1.001)
    ran = call("check", "--layer", "ReLU")
    assert (ran.code, ran.err) == (1, "") and fits(ran)
    wrong, total = re.fullmatch(r"(\d+) of (\d+) cases failed", ran.lines[-1]).groups()
    assert int(wrong) == ran.out.count("  WRONG\n")
    assert 0 < int(wrong) < int(total) == len(CASES["ReLU"]), "of zeros the factor cannot be seen"
    assert "constant factor: backward is 1.001 times" in " ".join(ran.out.split())
    assert call("check", "--layer", "Sigmoid").code == 0


def test_all_is_a_table_with_a_row_for_each_name(call, tmp_path):
    file = tmp_path / "check.json"
    ran = call("check", "--all", "--json", file)
    assert (ran.code, ran.err) == (0, "") and fits(ran)
    header, *rows, verdict = ran.lines
    assert header.split() == ["subject", "cases", "arrays", "entries", "max", "|diff|", "/", "limit"]
    cells = {row.split()[0]: row.split()[1:] for row in rows}
    assert list(cells) == list(CASES)
    for name, (cases, arrays, entries, largest, word) in cells.items():
        assert int(cases) == len(CASES[name]) <= int(arrays) <= int(entries)
        assert 0.0 < float(largest) <= 1.0 and word == "ok"
    assert verdict == "all gradients agree"
    document = json.loads(file.read_text())
    assert document["settings"]["all"] is True
    named = [(report["name"], report["case"]) for report in document["reports"]]
    assert named == [(name, case.what) for name in CASES for case in CASES[name]]


def test_all_shows_the_reports_of_what_is_wrong(call, monkeypatch):
    right = ReLU.backward
    monkeypatch.setattr(ReLU, "backward", lambda self, dout: right(self, dout) * 1.001)
    ran = call("check", "--all", "--mode", "fast")
    assert (ran.code, ran.err) == (1, "") and fits(ran)
    verdicts = {row.split()[0]: row.split()[-1] for row in ran.lines[1 : 1 + len(CASES)]}
    with_relu = {"ReLU", "Network", "TwoLayerNet", "SimpleConvNet", "DeepConvNet"}
    assert {name for name, word in verdicts.items() if word == "WRONG"} == with_relu
    assert "\n\nReLU, images\nReLU: backward against " in ran.out
    assert "\nSigmoid, " not in ran.out and "all gradients agree" not in ran.out
    wrong, total = re.fullmatch(r"(\d+) of (\d+) cases failed", ran.lines[-1]).groups()
    assert int(wrong) == len(re.findall(r": backward against ", ran.out))
    assert int(total) == sum(map(len, CASES.values()))


def test_a_missing_gradient_is_wrong_in_the_table_too(call, monkeypatch):
    monkeypatch.setattr(DivLayer, "backward", lambda self, dout: None)  # one that no other is built of
    ran = call("check", "--all", "--mode", "fast")
    assert ran.code == 1 and fits(ran)
    (row,) = [line.split() for line in ran.lines if line.startswith("DivLayer ")]
    assert row[4:] == ["-", "WRONG"]
    assert "x: missing gradient" in ran.out


def test_the_cases_are_made_on_the_backend_in_force(call, monkeypatch):
    backend, check_gradients, seen = backend_or_skip("array_api_strict"), backprop.check_gradients, []

    def watched(obj, *inputs, **options):
        seen.append(type(inputs[0]))
        return check_gradients(obj, *inputs, **options)

    monkeypatch.setattr(backprop, "check_gradients", watched)
    with use_backend(backend):
        assert call("check", "--layer", "Affine", "--mode", "fast").code == 0
    assert set(seen) == {backend.array_type}


# ------------------------------------------------------------------------------------- a user's own layers

LINEAR = """
import numpy as np

class Linear:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.params = {"W": rng.normal(size=(4, 3)), "b": np.zeros(3)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.x.T @ dout
        self.grads["b"] = dout.sum(axis=0)
        return dout @ self.params["W"].T

"""


@pytest.fixture
def check_file(call, tmp_path):
    """Write a file and check NAME in it: `check_file(source, NAME, ...)`; on stderr, {path} is its path."""
    path = tmp_path / "my_layer.py"

    def run(source, name, *options):
        path.write_text(source, encoding="utf-8")
        ran = call("check", "--file", f"{path}:{name}", *options)
        if ran.out:
            assert fits(ran)
        ran.err = ran.err.replace(str(path), "{path}")
        return ran

    return run


def table_of(ran):
    """The entries and the word at the end of each array's row."""
    rows = [line.split() for line in ran.lines[2:]]
    rows = [row for row in rows if len(row) == 6 and row[-1] in ("ok", "WRONG", "-")]
    return {row[0]: (int(row[1]), row[-1]) for row in rows}


FORGETS = """
import numpy as np
from backprop.layers import Layer

class Forgets(Layer):
    def initial(self, shape, rng):
        return {"gain": np.ones(shape), "bias": np.zeros(shape)}, {}
    def compute(self, xp, x, gain, bias):
        return gain * x + bias * x * x, (x, gain, bias)
    def derive(self, xp, dout, x, gain, bias):
        dx = dout * (FORMULA)
        return dx, xp.sum(dout * x, axis=0), xp.sum(dout * x * x, axis=0)
"""


@pytest.mark.parametrize(
    ("formula", "word"),
    [("gain + 2.0 * bias * x", "ok"), ("1.0 + 2.0 * bias * x", "WRONG"), ("gain", "WRONG")],
)
def test_a_gain_of_1_and_a_bias_of_0_hide_nothing(check_file, formula, word):
    ran = check_file(FORGETS.replace("FORMULA", formula), "Forgets")
    assert table_of(ran)["x"][1] == word and ran.code == (word == "WRONG")


RIGHT = {  # a way to name it, what stands below LINEAR, and the entries of its input
    "Linear": ("", 20),
    "instance": ("instance = Linear()", 20),
    "make": ("def make(): return Linear()", 20),
    "make_all": ("def make_all(): return Linear(), np.ones((2, 4))", 8),
    "Shift": (
        """class Shift:
            def __init__(self): self.params, self.grads = {"b": np.arange(6.0)}, {}
            def forward(self, x): return x + self.params["b"]
            def backward(self, dout):
                self.grads["b"] = dout.sum(axis=0)
                return dout""",
        30,
    ),
    "Square": (
        """class Square:
            def forward(self, x):
                self.x = x
                return x * x
            def backward(self, dout): return 2.0 * dout * self.x""",
        15,
    ),
    "Callable": (
        """class Forward:
            def forward(self, x): return 3.0 * x
            def backward(self, dout): return 3.0 * dout
            def __call__(self): raise NotImplementedError
        \nCallable = Forward()""",
        15,
    ),
    "Scale": (
        """from backprop.layers import Layer
        \nclass Scale(Layer):
            def __init__(self): super().__init__(w=np.array([1.0, -2.0, 3.0]))
            def compute(self, xp, x, w): return x * w, (x, w)
            def derive(self, xp, dout, x, w): return dout * w, xp.sum(dout * x, axis=0)""",
        15,
    ),
    "unbuilt": (
        """from backprop.layers import Affine
        \ndef unbuilt(): return Affine(2)""",
        15,
    ),
    "loss": (
        """from backprop.losses import Loss
        \nclass Fourth(Loss):
            def compute(self, xp, y, t): return xp.sum((y - t) ** 4, axis=1), (y - t,)
            def derive(self, xp, dout, difference): return 4.0 * dout * difference**3
        \ndef loss(): return Fourth(), np.eye(3), np.ones((3, 3))""",
        9,
    ),
    "network": (
        """class Network:
            def __init__(self): self.params = {"w": np.array([1.0, 2.0])}
            def loss(self, x, t): return ((x @ self.params["w"] - t) ** 2).sum()
            def gradient(self, x, t): return {"w": 2.0 * x.T @ (x @ self.params["w"] - t)}
        \ndef network(): return Network(), np.eye(2), np.ones(2)""",
        None,
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_layer_of_ones_own_agrees(check_file, name):
    source, entries = RIGHT[name]
    ran = check_file(LINEAR + source, name)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0].endswith(": backward against the complex step, every entry")
    assert ran.lines[-1] == "all gradients agree"
    assert table_of(ran).get("x") == (entries and (entries, "ok"))


@pytest.mark.parametrize(("shape", "entries"), [("2,4", 8), ("2,1,4", 8), ("3,5,4", 60), ("1,4", 4)])
def test_the_shape_of_the_input_can_be_given(check_file, shape, entries):
    source = LINEAR.replace("self.x.T @ dout", "self.x.reshape(-1, 4).T @ dout.reshape(-1, 3)")
    source = source.replace("dout.sum(axis=0)", "dout.reshape(-1, 3).sum(axis=0)")
    assert table_of(check_file(source, "Linear", "--shape", shape))["x"] == (entries, "ok")


def test_a_seed_gives_the_input(check_file):
    first, second, other = (check_file(LINEAR, "Linear", "--seed", seed).out for seed in (1, 1, 2))
    assert first == second != other


def test_the_json_of_a_file_holds_its_report(check_file, tmp_path):
    file = tmp_path / "check.json"
    check_file(LINEAR, "Linear", "--json", file, "--shape", "2,4")
    document = json.loads(file.read_text())
    assert document["report"]["subject"] == "Linear" and document["report"]["ok"] is True
    assert document["settings"]["file"].endswith("my_layer.py:Linear")
    assert document["settings"]["shape"] == [2, 4]


def test_an_input_for_a_layer_without_arrays_is_made_on_the_backend_in_force(check_file):
    backend = backend_or_skip("array_api_strict")
    source = """class Ours:
            def forward(self, x):
                assert "array_api_strict" in type(x).__module__
                return 2.0 * x
            def backward(self, dout): return 2.0 * dout"""
    with use_backend(backend):
        assert check_file(source, "Ours").code == 0
        assert check_file(LINEAR, "Linear").code == 0, "this one is NumPy's, and gets NumPy's arrays"


WRONG = {  # what is replaced in LINEAR, by what, the arrays that are wrong, and what must be said
    "dout.sum(axis=0)": (
        "dout.mean(axis=0)",
        "b",
        ["constant factor: backward is 0.2 times the derivative", "1/N for N samples"],
    ),
    "return dout @": ("dout *= 2.0\n        return 0.5 * dout @", "", ["Linear: writes into dout"]),
    'self.grads["W"] =': ('self.grads["V"] =', "W", ["W: missing gradient"]),
    "self.x.T @ dout": ("(self.x.T @ dout).T", "W", ["W: wrong shape", "right when transposed"]),
    "return x @": ("self.n = getattr(self, 'n', 0) + 1\n        return self.n * x @", "", ["hidden state"]),
}


@pytest.mark.parametrize("right", WRONG)
def test_a_wrong_layer_of_ones_own_is_explained(check_file, right):
    wrong, arrays, words = WRONG[right]
    assert LINEAR.count(right) == 1
    ran = check_file(LINEAR.replace(right, wrong), "Linear")
    assert (ran.code, ran.err) == (1, "")
    assert "".join(name for name, (_, word) in table_of(ran).items() if word == "WRONG") == arrays
    assert all(word in " ".join(ran.out.split()) for word in words)


def test_a_file_can_import_its_neighbours_early_and_late(check_file, tmp_path):
    (tmp_path / "an_early_neighbour.py").write_text("def double(x): return 2.0 * x")
    (tmp_path / "a_late_neighbour.py").write_text("def triple(x): return 3.0 * x")
    source = """
import sys
from dataclasses import dataclass
from an_early_neighbour import double

@dataclass
class Sixfold:
    factor: float = 1.0
    def forward(self, x):
        from a_late_neighbour import triple
        return triple(double(self.factor * x))
    def backward(self, dout):
        return 6.0 * self.factor * dout
"""
    before = sys.path[:]
    ran = check_file(source, "Sixfold")
    assert (ran.code, ran.err) == (0, "")
    assert sys.path == before


# ------------------------------------------------------------------------ a repository around the file


FUNCTIONS = "def double(x): return 2.0 * x\n"

DOUBLE = """
class Double:
    def forward(self, x): return double(x)
    def backward(self, dout): return double(dout)
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Write files into a folder, by their paths in it; what is imported from them is forgotten afterwards."""
    folder, before = tmp_path / "repository", set(sys.modules)

    def write(files):
        for name, source in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(source)
        return folder

    yield write
    for name in set(sys.modules) - before:
        places = getattr(sys.modules[name], "__path__", [getattr(sys.modules[name], "__file__", None) or ""])
        if any(place.startswith(str(tmp_path)) for place in places):
            del sys.modules[name]


REPOSITORIES = {  # files, the one with the layer, and what else must be there
    "absolute imports from the root": {
        "common/layers.py": "from common.functions import double" + DOUBLE,
        "common/functions.py": FUNCTIONS,
    },
    "absolute imports of a neighbour folder": {
        "code/book/layers.py": "import tools.functions\ndouble = tools.functions.double" + DOUBLE,
        "tools/functions.py": FUNCTIONS,
    },
    "absolute imports of a package": {
        "nn/parts/layers.py": "from nn.functions import double" + DOUBLE,
        "nn/functions.py": FUNCTIONS,
        "nn/__init__.py": "",
        "nn/parts/__init__.py": "",
    },
    "relative imports in a package": {
        "nn/parts/layers.py": "from ..functions import double\nfrom . import other" + DOUBLE,
        "nn/functions.py": FUNCTIONS,
        "nn/__init__.py": "",
        "nn/parts/__init__.py": "",
        "nn/parts/other.py": "",
    },
    "relative imports without __init__.py": {
        "nn/layers.py": "from .functions import double" + DOUBLE,
        "nn/functions.py": FUNCTIONS,
    },
    "relative imports in a package with a name that is taken": {
        "backprop/layers.py": "from .functions import double" + DOUBLE,
        "backprop/functions.py": FUNCTIONS,
        "backprop/__init__.py": "",
    },
    "a neighbour with a name of the root": {
        "lib/layers.py": "from functions import double\nfrom setup_of_it import NAME" + DOUBLE,
        "lib/functions.py": FUNCTIONS,
        "setup_of_it.py": "NAME = 'it'",
    },
}


@pytest.mark.parametrize("start", ["root", "elsewhere", "beside"])
@pytest.mark.parametrize("kind", REPOSITORIES)
def test_a_file_is_loaded_as_its_repository_has_it(call, repository, tmp_path, monkeypatch, kind, start):
    root, (file, *_) = repository(REPOSITORIES[kind]), REPOSITORIES[kind]
    monkeypatch.chdir({"root": root, "elsewhere": tmp_path, "beside": (root / file).parent}[start])
    path = {"root": file, "elsewhere": root / file, "beside": "layers.py"}[start]
    before = sys.path[:]
    ran = call("check", "--file", f"{path}:Double")
    assert (ran.code, ran.err) == (0, "") and table_of(ran) == {"x": (15, "ok")}
    assert sys.path == before


def test_the_working_directory_is_on_the_path_wherever_the_file_is(call, repository, monkeypatch):
    root = repository({"code/layers.py": "import tools" + DOUBLE, "work/tools.py": ""})
    (root / "code" / "layers.py").write_text("from tools import double" + DOUBLE)
    (root / "work" / "tools.py").write_text(FUNCTIONS)
    monkeypatch.chdir(root / "work")
    assert call("check", "--file", "../code/layers.py:Double").code == 0


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (
            "from common.functions import double",
            "layers.py:1: ModuleNotFoundError: No module named 'common",
        ),
        ("from .functions import double", "layers.py:1: ModuleNotFoundError: No module named 'common"),
        ("import no_such_module", "layers.py:1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("from .other import double", "other.py:2: ZeroDivisionError: division by zero"),
    ],
)
def test_what_fails_to_be_imported_is_one_line(call, repository, monkeypatch, source, line):
    monkeypatch.chdir(repository({"common/layers.py": source + DOUBLE, "common/other.py": "\n1 / 0"}))
    ran = call("check", "--file", "common/layers.py:Double")
    assert (ran.code, ran.out) == (2, "") and ran.error.startswith("backprop check: ") and line in ran.error


def test_a_fault_in_another_folder_of_the_repository_is_told_with_its_place(call, repository, monkeypatch):
    faulty = "def double(x):\n  return x + no_such_name\n"
    root = repository({"lib/layers.py": "from tools.f import double" + DOUBLE, "tools/f.py": faulty})
    monkeypatch.chdir(root.parent)
    ran = call("check", "--file", "repository/lib/layers.py:Double")
    assert ran.code == 2 and "f.py:2: in double: NameError: name 'no_such_name'" in ran.error


DENSE = """
import numpy as np
class Dense:
    def __init__(self, D=4): self.W, self.b, self.dW, self.db = np.ones((D, 3)), np.zeros(3), None, None
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T
"""
LISTS = """
class Lists:
    def __init__(self): self.params, self.grads = [np.ones((4, 3))], [None]
    def forward(self, x):
        self.x = x
        return x @ self.params[0]
    def backward(self, dout):
        self.grads[0] = self.x.T @ dout
        return dout @ self.params[0].T
"""
NET = """
class Dense2:
    def __init__(self): self.layers = [Dense(6), Dense(3)]
    def forward(self, x): return self.layers[1].forward(self.layers[0].forward(x))
    def backward(self, dout): return self.layers[0].backward(self.layers[1].backward(dout))
"""
SHAPES = {  # a layer without dictionaries, its name, and the entries of its input
    "W": (DENSE, "Dense", 20),
    "weights": (DENSE.replace("W", "weights"), "Dense", 20),
    "a list": (DENSE + LISTS, "Lists", 20),
    "layers": (DENSE + NET, "Dense2", 30),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_attributes_and_layers_give_the_shape_of_the_input(check_file, kind):
    source, name, entries = SHAPES[kind]
    assert table_of(check_file(source, name))["x"] == (entries, "ok")


def test_a_partial_function_is_called(check_file):
    source = f"{DENSE}\nimport functools\nmake = functools.partial(Dense, 4)"
    assert table_of(check_file(source, "make"))["x"] == (20, "ok")


def test_constants_are_no_parameters(check_file):
    source = DENSE.replace("+ self.b", "* self.scale + self.b")
    source = source.replace("self.x.T @ dout,", "self.x.T @ (dout * self.scale),")
    source = source.replace("dout @ self.W", "(dout * self.scale) @ self.W")
    source = source.replace("None, None", "None, None; self.scale, self.shift = np.full(3, 2.0), np.ones(3)")
    source = source.replace("return x @ self.W", "return self.shift + x @ self.W")
    assert check_file(source, "Dense").code == 1, "neither is compared"
    assert check_file(source, "Dense", "--constants", "scale").code == 1
    ran = check_file(source, "Dense", "--constants", "scale", "--constants", "shift")
    assert (ran.code, ran.err) == (0, "")
    assert set(table_of(ran)) == {"W", "b", "x"}


FAULTS = {  # a file, the name in it, and the one line that tells what is wrong, without the prefix
    "syntax error": ("import sys\n\ndef f(:\n", "f", "{path}:3: SyntaxError: invalid syntax"),
    "null byte": ("x = '\0'", "x", "{path}:1: SyntaxError: .*null bytes"),
    "missing module": (
        "import no_such_module",
        "f",
        "{path}:1: ModuleNotFoundError: No module named '.*'; it is neither installed beside backprop nor .*",
    ),
    "a module of a package with our name": (
        "from backprop.no_such_module import f",
        "f",
        "{path}:1: ModuleNotFoundError: No module named '.*'; here backprop is this library, .*",
    ),
    "fails when imported": (
        "def f():\n  1 / 0\nf()",
        "f",
        "{path}:2: in f: ZeroDivisionError: division by zero",
    ),
    "a program": ("import sys\nsys.exit(0)", "f", "{path}:2: the file exits; .*__main__.*"),
    "fails when made": (
        "class A:\n  def __init__(self): self.b",
        "A",
        "{path}:2: in __init__: AttributeError: .*'b'",
    ),
    "fails in forward": (
        "class A:\n  def forward(self, x): return self.y\n  def backward(self, dout): return dout",
        "A",
        "{path}:2: in forward: AttributeError: .*'y'",
    ),
    "fails in what backward calls": (
        "class A:\n  def forward(self, x): return x\n  def backward(self, dout): return f(dout)\n"
        "def f(x):\n  raise ValueError('no\\nidea')",
        "A",
        "{path}:5: in f: ValueError: no idea",
    ),
    "without a message": (
        "class A:\n  def forward(self, x): raise RuntimeError\n  def backward(self, dout): return dout",
        "A",
        "{path}:2: in forward: RuntimeError",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_exception_of_ones_own_code_is_told_with_its_place(check_file, tmp_path, name):
    source, wanted, line = FAULTS[name]
    ran = check_file(source, wanted, "--json", tmp_path / "check.json")
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch("backprop check: " + line.replace("{path}", r"\{path\}"), ran.error)
    assert not (tmp_path / "check.json").exists()


@pytest.mark.parametrize(
    "line", ["x @ np.ones((7, 2))", "x[:, 6]", "x.reshape(1, 4)", "self.seven(x)"], ids=lambda line: line[:9]
)
def test_a_wrong_shape_of_the_input_is_told_with_the_cure(check_file, line):
    source = f"""
import numpy as np
class A:
    def seven(self, x):
        assert x.shape[1] == 7, "7 features"
        return x
    def forward(self, x):
        self.x = x
        return {line}
    def backward(self, dout):
        return dout
"""
    ran = check_file(source, "A")
    assert (ran.code, ran.out) == (2, "")
    assert re.match(
        r"backprop check: \{path\}:\d+: in (forward|seven): (Value|Index|Assertion)Error: ", ran.error
    )
    assert ran.error.endswith("; the input had shape (5, 3); choose another with --shape")


def test_numbers_of_words_are_not_blamed_on_the_shape(check_file):
    source = """
import numpy as np
class Embedding:
    def __init__(self): self.W = np.eye(6)
    def forward(self, ids): return self.W[ids]
    def backward(self, dout): pass
"""
    ran = check_file(source, "Embedding")
    assert ran.code == 2 and "--shape" not in ran.error
    assert ran.error.endswith("for integers, name a function that returns (object, x)")


PARSER = "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--size', {})\n"


def test_a_file_that_parses_arguments_gets_none_of_ours(check_file):
    source = PARSER.format("type=int, default=4") + "size = parser.parse_args().size\n"
    before = sys.argv[:]
    ran = check_file(source + LINEAR.replace("(4, 3)", "(size, 3)"), "Linear")
    assert (ran.code, ran.err) == (0, "") and table_of(ran)["x"] == (20, "ok") and sys.argv == before


def test_a_file_that_needs_arguments_is_told_where(check_file):
    ran = check_file(PARSER.format("required=True") + "parser.parse_args()\n" + LINEAR, "Linear")
    *usage, line = ran.err.splitlines()
    assert ran.code == 2 and "usage: my_layer.py" in usage[0]
    assert line.startswith("backprop check: {path}:4: the file exits; put that under")


def test_a_function_that_needs_arguments_is_sent_to_check_function(check_file):
    ran = check_file("def affine(x, w): return x @ w, (x, w)", "affine")
    assert ran.code == 2 and "forward and backward functions go to check_function" in ran.error


def test_an_adapter_is_named_like_a_layer(check_file):
    source = LINEAR.replace("forward", "run").replace("backward", "run_back")
    assert check_file(source, "Linear").code == 2
    made = "\nfrom backprop import Adapter\nmade = Adapter(Linear(), forward='run', backward='run_back')"
    ran = check_file(source + made, "made")
    assert (ran.code, ran.err) == (0, "") and table_of(ran)["x"] == (20, "ok")


def test_an_error_in_backward_is_not_blamed_on_the_shape(check_file):
    ran = check_file(LINEAR.replace("self.x.T @ dout", "self.x @ dout"), "Linear")
    assert ran.code == 2 and "in backward: ValueError: " in ran.error and "--shape" not in ran.error


def test_a_wrong_shape_for_a_layer_of_the_library_is_told_too(check_file):
    source = "from backprop.layers import Affine\ndef make(): return Affine.create(4, 2)\n"
    assert check_file(source, "make").code == 0
    ran = check_file(source, "make", "--shape", "5,3")
    assert ran.code == 2 and "Affine.forward: x must have shape (N, …) with 4 values" in ran.error
    assert "the input had shape (5, 3); choose another with --shape" in ran.error


UNUSABLE = {  # what stands below LINEAR, the name that is asked for, and what must be said
    "a typo": ("", "Liner", ["{path} has no Liner; did you mean Linear?"]),
    "nothing like it": ("", "Softmax", ["{path} has no Softmax; it has Linear"]),
    "needs arguments": (
        "class A:\n  def __init__(self, size): pass",
        "A",
        ["A needs arguments (missing a required argument: 'size')", "def make()"],
    ),
    "a layer without its arrays": (
        "from backprop.layers import Layer\nclass A(Layer):\n"
        "  def compute(self, xp, x, w, b): return x * w + b, ()\n"
        "  def derive(self, xp, dout): return dout",
        "A",
        [
            "missing 2 required positional",
            "that returns the layer with its arrays, def make(): return A(w=..., b=...)",
        ],
    ),
    "a number": ("A = 3", "A", ["int has no forward and no backward"]),
    "nothing": (
        "def make(): pass",
        "make",
        ["make must be or return an object, or a tuple (object, x, ...), got None"],
    ),
    "an empty tuple": ("def make(): return ()", "make", ["got ()"]),
    "a list": ("def make(): return [Linear(), 0]", "make", ["got [<_backprop_own_file"]),
    "a deep nest of lists": (  # minutes would pass over the places in it
        "class A(Linear):\n  def __init__(self):\n    super().__init__(); self.nest = []\n"
        "    for _ in range(100_000): self.nest = [self.nest]",
        "A",
        ["A cannot be copied: maximum recursion depth exceeded"],
    ),
    "no backward": (
        "class A:\n  def forward(self, x): return x",
        "A",
        ["A has no backward"],
    ),
    "parameters that are lists": (
        "class A(Linear):\n  def __init__(self): self.params = {'W': [1.0]}",
        "A",
        ["params['W'] must be an array, got list"],
    ),
    "a loss without labels": (
        "class A(Linear):\n  def forward(self, x, t): return x",
        "A",
        ["A.forward needs other arguments than x (missing a required argument: 't')", "def make()"],
    ),
    "a network without samples": (
        "class A:\n  def loss(self, x, t): return 0.0\n  def gradient(self, x, t): return {}",
        "A",
        ["A is a network and needs samples and labels", "def make()"],
    ),
    "no output": ("class A(Linear):\n  def forward(self, x): pass", "A", ["A.forward must return one array"]),
    "no number": (
        "class A(Linear):\n  def forward(self, x): return super().forward(x) * np.nan",
        "A",
        ["A returns nan at [0, 0]", "to choose x, name a function that returns (object, x)"],
    ),
}


@pytest.fixture
def no_collection():
    """Keep the garbage collector from running at the recursion limit.

    Callbacks in `gc.callbacks`, such as the one of Hypothesis, fail there, and Python reports that on stderr.
    """
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_cannot_be_checked_is_a_wrong_call(check_file, no_collection, kind):
    source, name, words = UNUSABLE[kind]
    ran = check_file(LINEAR + source, name)
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith("backprop check: --file: ") and "check_gradients:" not in ran.error
    assert len(ran.error) <= 200
    assert all(word in ran.error for word in words)


CALLS = {  # arguments, and what must be said
    "no name": (["--file", "{path}"], "PATH:NAME"),
    "an empty name": (["--file", "{path}:"], "PATH:NAME"),
    "no path": (["--file", ":Linear"], "PATH:NAME"),
    "a drive without a name": (["--file", r"C:\my_layer.py"], "PATH:NAME"),
    "no such file": (["--file", "{path}.txt:Linear"], "my_layer.py.txt: no such file"),
    "no such file on a drive": (["--file", r"C:\layers\my.py:Linear"], r"C:\layers\my.py: no such file"),
    "a folder": (["--file", "{folder}:Linear"], "a directory, not a file"),
    "two of them": (["--all", "--layer", "ReLU"], "one of --layer, --file and --all"),
    "another two": (["--all", "--file", "{path}:Linear"], "one of --layer, --file and --all"),
    "a third two": (["--layer", "ReLU", "--file", "{path}:Linear"], "one of --layer, --file and --all"),
    "no such layer": (["--layer", "relu"], "did you mean ReLU?"),
    "a shape of nothing": (["--shape", "4,3"], "--shape has no effect without --file"),
    "a constant of nothing": (["--constants", "W"], "--constants has no effect without --file"),
    "a shape of a layer": (["--layer", "ReLU", "--shape", "4,3"], "--shape has no effect without --file"),
    "an input that is there": (["--file", "{path}:both", "--shape", "4,3"], "--shape has no effect"),
    "no shape": (
        ["--file", "{path}:Linear", "--shape", "4x3"],
        "1,000,000 numbers in all, got 4x3",
    ),
    "an empty shape": (["--file", "{path}:Linear", "--shape", ""], "sizes >= 1"),
    "zeros in a shape": (["--file", "{path}:Linear", "--shape", "4,0"], "sizes >= 1"),
    "a file without its ending": (["--file", "{folder}/my_layer:Linear"], "did you mean {path}?"),
    "negative sizes": (["--file", "{path}:Linear", "--shape", "-1,3"], "sizes >= 1"),
}


@pytest.mark.parametrize("kind", CALLS)
def test_a_wrong_call_of_check_is_one_line_and_exit_code_2(call, tmp_path, kind):
    path = tmp_path / "my_layer.py"
    path.write_text(LINEAR + "def both(): return Linear(), np.ones((2, 4))")
    arguments, words = CALLS[kind]
    ran = call("check", *(each.format(path=path, folder=tmp_path) for each in arguments))
    assert (ran.code, ran.out) == (2, "")
    assert words.format(path=path) in ran.error


def test_a_fault_of_the_library_keeps_its_traceback(check_file, monkeypatch):
    def fault(*arguments, **options):
        raise RuntimeError("a bug")

    monkeypatch.setattr(backprop, "check_gradients", fault)
    with pytest.raises(RuntimeError, match="a bug"):
        check_file(LINEAR, "Linear")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_in_a_layer_of_ones_own_ends_it_in_one_line(start, tmp_path):
    path = tmp_path / "slow.py"
    path.write_text(
        "import time\nclass A:\n  def forward(self, x):\n    print('started', flush=True)\n"
        "    time.sleep(60)\n  def backward(self, dout): pass\n"
    )
    process = start("check", "--file", f"{path}:A")
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err.strip()) == (130, "backprop check: interrupted")


def test_a_file_is_checked_by_a_process_too(call_outside, tmp_path):
    path = tmp_path / "my_layer.py"
    path.write_text(LINEAR)
    ran = call_outside("check", "--file", f"{path}:Linear")
    assert (ran.code, ran.err, ran.lines[-1]) == (0, "", "all gradients agree")
