"""`backprop graph`: each graph in each format, a user's own function, and every wrong call in one line."""

import json
import re
from xml.etree import ElementTree

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

from backprop import TwoLayerNet, load_mnist_sample
from backprop.cli.drawing import NAMES
from backprop.graph import graph_of, network_graph
from backprop.graph.book import GRAPHS


@pytest.fixture
def out(tmp_path):
    """A function that names a file in a new folder."""
    return lambda name: tmp_path / name


@pytest.mark.parametrize("name", NAMES)
def test_every_graph_in_every_format(call, out, name):
    for suffix, start in (
        (".svg", "<svg "),
        (".html", "<!doctype html>"),
        (".mmd", "flowchart "),
        (".dot", "digraph "),
    ):
        file = out(name + suffix)
        ran = call("graph", name, "-o", file)
        assert (ran.code, ran.err) == (0, "")
        assert ran.lines == [f"{name}: written to {file}"]
        assert file.read_text(encoding="utf-8").startswith(start)
    ElementTree.parse(out(name + ".svg"))


def test_what_is_drawn_is_what_the_library_draws(call, out):
    options = {
        ".svg": lambda graph: graph.to_svg(local=True, digits=6),
        ".htm": lambda graph: graph.to_html(digits=6),
        ".MMD": lambda graph: graph.to_mermaid(local=True, digits=6),
        ".dot": lambda graph: graph.to_dot(local=True, digits=6),
    }
    for suffix, draw in options.items():
        file = out("graph" + suffix)
        local = [] if suffix == ".htm" else ["--local"]
        assert call("graph", "apple-orange", "--output", file, *local, "--digits", 6).code == 0
        assert file.read_text(encoding="utf-8") == draw(graph_of(GRAPHS["apple-orange"]))


def test_the_network_is_that_of_the_seed_on_100_digits(call, out):
    (x, t), _ = load_mnist_sample()
    for seed in (0, 7):
        assert call("graph", "two-layer-net", "-o", out("net.svg"), "--seed", seed).code == 0
        expected = network_graph(TwoLayerNet(rng=seed), x[:100], t[:100]).to_svg()
        assert out("net.svg").read_text(encoding="utf-8") == expected


def test_the_json_holds_all_digits(call, out):
    call("graph", "apple", "-o", out("apple.svg"), "--json", out("apple.json"))
    document = json.loads(out("apple.json").read_text())
    assert document["command"] == "graph" and document["backend"] == "numpy"
    assert document["settings"]["graph"] == "apple" and document["settings"]["digits"] == 4
    values = {value["name"]: value for value in document["graph"]["values"]}
    assert values["price"]["value"] == 220.00000000000003 and values["apple"]["gradient"] == 2.2


def test_a_graph_replaces_the_file_that_was_there(call, out):
    out("apple.svg").write_text("old")
    assert call("graph", "apple", "-o", out("apple.svg")).code == 0
    assert out("apple.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_it_runs_as_a_process(call_outside, out):
    ran = call_outside("graph", "sigmoid", "-o", out("sigmoid.svg"))
    assert (ran.code, ran.err) == (0, "") and out("sigmoid.svg").exists()


def test_the_help_names_every_graph_and_fits_a_terminal(call):
    ran = call("graph", "--help")
    assert ran.code == 0 and max(map(len, ran.lines)) <= 80
    assert all(f"  {name} " in ran.out for name in [*NAMES, "FILE.py:NAME"])
    assert "  backprop graph apple -o apple.svg\n" in ran.out, "a line of its own, to be copied"


# ------------------------------------------------------------------------------------- a user's own graph

OWN = """
import numpy as np
from backprop import AddLayer, MulLayer, TwoLayerNet
from backprop.graph import graph_of, network_graph, trace
from backprop.scalar import DivLayer, LogLayer

def price(apples=3, each=120.0):
    total = MulLayer().forward(apples, each)
    return total

def own_backward(x=2.0, y=3.0):
    layer = MulLayer()
    layer.forward(x, y)
    layer.backward(10.0)

def make_graph():
    with trace() as graph:
        a, b = 2.0, 3.0
        AddLayer().forward(a, b)
    return graph

ready = make_graph()
net = TwoLayerNet(6, 4, 3, rng=0)
triple = net, np.ones((2, 6)), [0, 2]

def make_triple():
    return triple

def make_picture():
    return network_graph(*triple)

def needs(x): return MulLayer().forward(x, 2)
def divides(x=0.0): return DivLayer().forward(1.0, x)
def logarithm(x=-1.0):
    return LogLayer().forward(x)
def early(x=1.0):
    y = MulLayer().forward(x, z)
    z = 2.0
def by_name(x=1.0):
    with trace() as graph:
        MulLayer().forward(x, 2)
    return graph["price"]
def backward_first(x=1.0): MulLayer().backward(1.0)
def nothing(x=1.0): return x
def text(x="one"): return MulLayer().forward(x, 2)
def array(): return MulLayer().forward(np.ones(3), 2)
def empty():
    with trace() as graph: pass
    return graph
def wrong_batch(): return net, np.ones((2, 5)), [0, 2]
def quits(): raise SystemExit(3)
class Klass: pass
def huge(x=1e308): return MulLayer().forward(x, 10.0)
number = 3
"""


@pytest.fixture
def own(call, tmp_path):
    """Draw NAME of a user's own file: `own(NAME)`; {path} on standard error is the file's."""
    path = tmp_path / "my_graph.py"
    path.write_text(OWN, encoding="utf-8")

    def run(name, suffix=".svg", *options):
        file = tmp_path / f"{name}{suffix}"
        ran = call("graph", f"{path}:{name}", "-o", file, *options)
        ran.err = ran.err.replace(str(path), "{path}")
        ran.file = file
        return ran

    return run


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("price", [">apples<", ">each<", ">total<", ">360<", ">120<"]),
        ("own_backward", [">x<", ">y<", ">30<", ">20<", ">10<"]),
        ("make_graph", [">a<", ">b<", ">5<"]),
        ("ready", [">a<", ">b<", ">5<"]),
        ("triple", [">Affine1<", ">28 parameters<"]),
        ("make_triple", [">Affine1<", ">28 parameters<"]),
        ("make_picture", [">Affine1<", ">28 parameters<"]),
    ],
)
def test_a_graph_of_ones_own(own, name, texts):
    for suffix in (".svg", ".html"):
        ran = own(name, suffix)
        assert (ran.code, ran.err) == (0, "")
        written = ran.file.read_text(encoding="utf-8")
        assert all(text in written for text in texts)


FAULTS = {  # a name, and what must be said of it, {N} being a line of the file
    "needs": "GRAPH: needs needs a number for every parameter (missing a required argument: 'x'); give",
    "divides": "{N}: in divides: ZeroDivisionError: DivLayer.forward: y must not be 0, got 1.0 / 0.0",
    "logarithm": "{N}: in logarithm: ValueError: LogLayer.forward: x must be above 0, got -1.0",
    "early": "{N}: in early: UnboundLocalError: cannot access local variable 'z'",
    "by_name": "{N}: in by_name: KeyError: \"Graph: no value is named 'price'; the names are: x",
    "backward_first": "{N}: in backward_first: RuntimeError: MulLayer.backward: call forward first",
    "nothing": "GRAPH: nothing must be a function that runs scalar layers, or that returns a Graph or",
    "text": "GRAPH: Graph.input: a graph holds real numbers, but x is str; trace single numbers",
    "array": "{N}: in array: TypeError: MulLayer.forward: a graph holds real numbers, but np.ones(3)",
    "empty": "GRAPH: empty: nothing was recorded; run the layers' forward inside `with trace()`",
    "wrong_batch": "GRAPH: x must have shape (N, …) with 6 values per sample, got (2, 5)",
    "quits": "{N}: in quits: the file exits; put that under if __name__ == '__main__':",
    "net": "GRAPH: TwoLayerNet is a network and needs samples and labels; name a function that returns",
    "Klass": "GRAPH: Klass must be a function that runs scalar layers, or that returns a Graph or",
    "number": "GRAPH: number must be a function that runs scalar layers",
    "prise": "GRAPH: {path} has no prise; did you mean price?",
    "no-name": "GRAPH must be PATH:NAME, as in my_graph.py:price, got",
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_ones_own_is_one_line_and_leaves_no_file(own, name):
    ran = own(name)
    assert (ran.code, ran.out) == (2, "")
    said = re.sub(r"\{path\}:\d+", "{N}", ran.error)
    assert said.startswith(f"backprop graph: {FAULTS[name]}")
    assert not ran.file.exists()


def test_the_line_of_a_fault_is_the_users(own):
    line = OWN.splitlines().index("    return LogLayer().forward(x)") + 1
    assert own("logarithm").error.startswith(f"backprop graph: {{path}}:{line}: in logarithm: ")


def test_a_page_that_cannot_be_played_is_a_wrong_call(own):
    assert own("huge").code == 0
    ran = own("huge", ".html")
    assert (ran.code, ran.file.exists()) == (2, False)
    assert ran.error.startswith("backprop graph: GRAPH: to_html: all numbers must be finite, but × to the")


WRONG = {  # arguments that are wrong, and what must be said of them
    "no graph": ([], "GRAPH is missing"),
    "no output": (["apple"], "--output is missing; name a file, as in -o apple.svg, or print with -o -"),
    "a typo": (["aple", "-o", "{out}/a.svg"], "there is no graph aple; did you mean apple?"),
    "no such graph": (
        ["pear", "-o", "{out}/a.svg"],
        "apple, apple-orange, sigmoid, softmax-loss, two-layer-net, or",
    ),
    "no such file": (["{out}/my.py:f", "-o", "{out}/a.svg"], "my.py: no such file"),
    "a folder": (["{out}:f", "-o", "{out}/a.svg"], "a directory, not a file"),
    "a suffix": (["apple", "-o", "{out}/a.png"], "must end in one of .svg, .html, .htm, .mmd, .dot"),
    "no suffix": (["apple", "-o", "{out}/a"], "must end in one of .svg, .html, .htm, .mmd, .dot"),
    "no digits": (["apple", "-o", "{out}/a.svg", "--digits", "0"], "--digits"),
    "too many digits": (["apple", "-o", "{out}/a.svg", "--digits", "18"], "--digits"),
    "an unwritable folder": (["apple", "-o", "{out}/no/a.svg"], "No such file or directory"),
    "a folder as file": (["apple", "-o", "{out}/folder.svg"], "Is a directory"),
    "a file as folder": (["apple", "-o", "{out}/file/a.svg"], "Not a directory"),
    "one file for both": (["apple", "-o", "{out}/a.svg", "--json", "{out}/a.svg"], "must be different files"),
    "an unwritable json": (["apple", "-o", "{out}/a.svg", "--json", "{out}/no/a.json"], "--json"),
    "no such backend": (
        ["two-layer-net", "-o", "{out}/a.svg", "--backend", "torch"],
        "numpy, cupy, auto",
    ),
    "no such option": (["apple", "-o", "{out}/a.svg", "--size", "3"], "--size"),
    "a seed of nothing random": (
        ["apple", "-o", "{out}/a.svg", "--seed", "5"],
        "--seed has no effect without two-layer-net",
    ),
    "a backend of no arrays": (
        ["apple", "-o", "{out}/a.svg", "--backend", "numpy"],
        "--backend has no effect with apple",
    ),
    "what a page shows anyway": (
        ["apple", "-o", "{out}/a.HTM", "--local"],
        "--local has no effect with html",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_is_one_line_and_leaves_no_file(call, tmp_path, name):
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    arguments, words = WRONG[name]
    ran = call("graph", *(argument.format(out=tmp_path) for argument in arguments))
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith("backprop graph: ") and words in ran.error
    cannot_help = any(reason in ran.error for reason in ("o such file", "directory,", "a directory"))
    assert ran.error.endswith("(see backprop graph --help)") or cannot_help or len(ran.error) > 160
    assert sorted(tmp_path.rglob("*")) == before


def test_a_missing_backend_is_exit_code_3(call, out, no_cupy):
    ran = call("graph", "two-layer-net", "-o", out("net.svg"), "--backend", "cupy")
    assert (ran.code, ran.out) == (3, "") and "CuPy is not installed" in ran.error
    assert not out("net.svg").exists()
