"""The notebooks are those of their sources, say the same in both languages, and their numbers are true."""

import ast
import copy
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backprop.race.recipes import recipe_for

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial"
CHAPTERS = ["chapter5", "chapter6", "chapter7"]
NAMES = [f"{chapter}{language}" for chapter in CHAPTERS for language in ("", ".ja")]
PICTURES = {"chapter5": (6, 3), "chapter6": (0, 7), "chapter7": (0, 4)}  # graphs, and plots of matplotlib
TOOLS = 'the notebooks need jupytext, nbclient and ipykernel; pip install -e ".[docs]"'
LADDER = [92.4, 96.1, 96.3, 97.1, 97.3, 97.2]  # percent on all of MNIST, as the text of chapter 6 says
RECIPE = recipe_for(97, on_host=True)
VOUCHED_FOR = {  # numbers in the text that no cell shows, and who says that they are true
    "chapter5": {
        60_000: "backprop/data/mnist.py",
        10_000: "backprop/training/train.py",
        97: "test_all_of_mnist",
        11.6: "backprop/data/mnist.py: megabytes",
        92: "test_the_text_says_what_the_sample_gives",
        16: "sixteen decimal digits of a double; and operations, which a cell shows",
        11: "a tax of 11 %, which a cell has as 1.11",
    },
    "chapter6": {
        10_000: "backprop/training/train.py",
        97: "test_all_of_mnist",
        1_200: "examples/fastest_97.py",
        RECIPE.batch_size: "backprop/race/recipes.py",
        **dict.fromkeys(LADDER, "test_the_ladder_on_all_of_mnist"),
    },
    "chapter7": {
        99: "section 7.5 of the book",
        18: "the weights of two kernels of 3 by 3",
        25: "the weights of one of 5 by 5",
    },
}


@pytest.fixture(scope="module")
def tool():
    """docs/notebooks.py."""
    for library in ("jupytext", "nbclient", "ipykernel", "matplotlib"):
        pytest.importorskip(library, reason=TOOLS)
    from docs import notebooks

    return notebooks


def committed(name):
    """A committed notebook, as JSON's terms: nothing is needed to look at it."""
    return json.loads((TUTORIAL / f"{name}.ipynb").read_text(encoding="utf-8"))


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def notebook(name):
    return committed(name)


@pytest.fixture
def chapter(name):
    return name.removesuffix(".ja")


@pytest.fixture(params=CHAPTERS)
def both(request):
    """A chapter's notebooks in English and in Japanese."""
    return committed(request.param), committed(f"{request.param}.ja")


def cells(notebook, kind):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def text(of):
    return "".join(of)


def outputs(cell):
    """Everything that a cell prints and returns, as one text."""
    shown = [text(output.get("text") or output["data"].get("text/plain", "")) for output in cell["outputs"]]
    return "\n".join(shown)


def test_a_notebook_is_that_of_its_source(tool, name):
    source = TUTORIAL / f"{name}.md"
    there = tool.nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    assert tool.without_outputs(there) == tool.without_outputs(tool.from_source(source)), (
        "run python docs/notebooks.py"
    )


def test_it_was_executed_from_top_to_bottom(notebook):
    counts = [cell["execution_count"] for cell in cells(notebook, "code")]
    assert counts == list(range(1, len(counts) + 1))
    kinds = {output["output_type"] for cell in cells(notebook, "code") for output in cell["outputs"]}
    assert "error" not in kinds
    streams = {output.get("name") for cell in cells(notebook, "code") for output in cell["outputs"]}
    assert "stderr" not in streams


def test_it_has_its_pictures_and_is_not_too_large(notebook, chapter):
    data = [output.get("data", {}) for cell in cells(notebook, "code") for output in cell["outputs"]]
    kinds = ("image/svg+xml", "image/png")
    assert tuple(sum(kind in each for each in data) for kind in kinds) == PICTURES[chapter]
    assert len(json.dumps(notebook)) < 600_000


def without_words(code):
    """The code as a tree, without the words that it prints."""
    tree = ast.parse(code)
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]
    for part in (part for call in calls for part in ast.walk(call)):
        if isinstance(part, ast.JoinedStr):
            part.values = [value for value in part.values if isinstance(value, ast.FormattedValue)]
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            part.value = ""
    return ast.dump(tree)


def test_both_languages_have_the_same_code(both):
    english, japanese = (
        [without_words(text(cell["source"])) for cell in cells(each, "code")] for each in both
    )
    assert english == japanese
    english, japanese = ([cell["metadata"] for cell in cells(each, "code")] for each in both)
    assert english == japanese
    english, japanese = (re.findall(r"^#+ ", prose(each), re.MULTILINE) for each in both)
    assert english == japanese


def test_both_languages_have_the_same_numbers_and_formulas(both):
    """Of the outputs those with a point or an exponent; Japanese writes more of the others as digits."""
    english, japanese = (
        [re.findall(r"\d+\.\d+(?:e[+-]?\d+)?|\d+e[+-]?\d+", outputs(cell)) for cell in cells(each, "code")]
        for each in both
    )
    assert english == japanese
    english, japanese = (numbers(prose(each)) for each in both)
    assert english <= japanese
    english, japanese = (formulas(each) for each in both)
    assert english == japanese


def formulas(notebook):
    """The displayed formulas, without the full stop or comma of a sentence."""
    whole = "\n".join(text(cell["source"]) for cell in cells(notebook, "markdown"))
    return [formula.rstrip(".,") for formula in re.findall(r"\$\$(.*?)\$\$", whole, re.DOTALL)]


def prose(notebook):
    """The text without its formulas, its code, and the names and numbers of other things."""
    whole = "\n".join(text(cell["source"]) for cell in cells(notebook, "markdown"))
    for pattern in (r"```.*?```", r"\$\$.*?\$\$", r"\$[^$]+\$", r"`[^`]*`", r"\]\([^)]*\)"):
        whole = re.sub(pattern, " ", whole, flags=re.DOTALL)
    return re.sub(r"section \d|\d 節|chapter \d|\d 章|[Wb]\d", " ", whole)


def numbers(of):
    return {float(word.replace(",", "")) for word in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?", of)}


def test_every_number_in_the_text_is_computed(notebook, chapter):
    """Each is shown or used by a cell, or is vouched for elsewhere."""
    computed = set(range(11)) | set(VOUCHED_FOR[chapter])
    for cell in cells(notebook, "code"):
        computed |= numbers(outputs(cell).replace("_", "")) | numbers(text(cell["source"]).replace("_", ""))
        pictures = [output["data"].get("image/svg+xml", "") for output in cell["outputs"] if "data" in output]
        computed |= numbers(" ".join(re.findall(r">([^<]*)</text>", "".join(map(text, pictures)))))
    written = numbers(prose(notebook))
    assert written - computed == set() and len(written) > 15


def accuracies(notebook):
    """Return the accuracies that the training cell prints: on the training and on the test images."""
    (cell,) = [
        cell
        for cell in cells(notebook, "code")
        if "backprop.train(net, x_train, t_train, x_test" in text(cell["source"])
    ]
    train, test = re.findall(r"\d\.\d{4}", outputs(cell))
    return float(train), float(test)


@pytest.mark.parametrize("name", ["chapter5", "chapter5.ja"], indirect=True)
def test_the_text_says_what_the_sample_gives(notebook):
    train, test = accuracies(notebook)
    assert 0.915 <= test < 0.925, "about 92 %"
    assert train > 0.99, "almost by heart"


def rows(notebook, code):
    """Return the numbers with a decimal point in each printed line of the one cell with this code."""
    (cell,) = [cell for cell in cells(notebook, "code") if code in text(cell["source"])]
    lines = outputs(cell).splitlines()
    return [[float(word) for word in re.findall(r"\d+\.\d+", line)] for line in lines if "." in line]


@pytest.mark.parametrize("name", ["chapter6", "chapter6.ja"], indirect=True)
def test_the_text_of_chapter_6_says_what_its_cells_show(notebook):
    (_, slowest), *others = rows(notebook, "optimizers = {SGD")
    assert all(loss < 0.6 * slowest for _, loss in others), "SGD is clearly the slowest"
    scales = rows(notebook, "use_batchnorm=normalized")
    assert all(row[1] > 0.9 for row in scales), "with BatchNorm it learns at all of the scales"
    assert [row[0] for row in scales if row[-1] > 0.5 and len(row) == 3] == [0.1], "without at one"
    none, *remedies = rows(notebook, "remedies = {")
    assert none[0] == 1 and 0.78 < none[1] < 0.83, "every training image, four out of five test images"
    assert all(0.003 < row[1] - none[1] < 0.02 for row in remedies), "they gain a percent or so"
    ((more,),) = rows(notebook, "x_train, t_train, iterations=180")
    assert more > 0.08 + max(row[1] for row in remedies), "more images do"
    _, rates, decays = zip(*rows(notebook, "trials.sort"), strict=True)
    assert max(rates) < 6 * min(rates) and max(decays) > 1000 * min(decays) and max(decays) < 0.01
    ((suggestion,),) = rows(notebook, "learning_rate_range(net")
    assert 0.4 * min(rates) < suggestion < min(rates), "just short of that patch"
    book, *ladder = (row[-1] for row in rows(notebook, "ladder = {"))
    *climbing, he = ladder
    assert sorted(climbing) == climbing and abs(he - climbing[-1]) < 0.005
    assert climbing[0] - book > max(b - a for a, b in itertools.pairwise(climbing)), "the largest gain"


@pytest.mark.parametrize("name", ["chapter7", "chapter7.ja"], indirect=True)
def test_the_text_of_chapter_7_says_what_its_cells_show(notebook):
    shown = "".join(outputs(cell) for cell in cells(notebook, "code"))
    assert "False" not in shown and shown.count("True") == 5, "the derivation agrees with the layer"
    assert shown.count("all gradients agree") == 2
    (flat,), (convolution,) = rows(notebook, "before = net.params.copy()")
    assert convolution > flat + 0.02
    moved = rows(notebook, "def moved(x")
    assert all(ours > theirs + 0.02 for theirs, ours in moved), "the convolution minds less"
    assert moved[2][1] > moved[2][0] + 0.05 and moved[3][1] < 0.75, "but it does mind"


def test_a_difference_is_shown_with_a_few_words_around_it(tool):
    there = tool.nbformat.read(TUTORIAL / "chapter5.ipynb", as_version=4)
    here = copy.deepcopy(there)
    cell, picture = next(
        (cell, output.data)
        for cell in here.cells
        for output in cell.get("outputs", ())
        if "image/svg+xml" in output.get("data", {})
    )
    svg = picture["image/svg+xml"]
    picture["image/svg+xml"] = f"{svg[:500]}changed{svg[500:]}"
    (line,) = tool.differences(there, here)
    assert line.startswith(f"{cell.id}: '") and line.endswith(", from character 500 on")
    assert "changed" in line and repr(svg[450:500])[1:-1] in line and len(line) < 350


def test_a_change_of_an_output_is_found(tool):
    there = tool.nbformat.read(TUTORIAL / "chapter5.ipynb", as_version=4)
    assert tool.differences(there, there) == []
    for cell in range(len(there.cells)):
        for output in there.cells[cell].get("outputs", ()):
            here = copy.deepcopy(there)
            (changed,) = [o for o in here.cells[cell].outputs if o == output][:1]
            if "text" in changed:
                changed.text = changed.text.replace("e-", "e+").replace("0.", "0.0") + " "
            else:
                changed.data["text/plain"] += "?"
            (line,) = tool.differences(there, here)
            assert line.startswith(there.cells[cell].id)
    here = copy.deepcopy(there)
    here.cells[0].source += "!"
    assert tool.differences(there, here) == ["it is not the notebook of its source"]


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("accuracy: 0.9220", "accuracy: 0.9180", True),
        ("accuracy: 0.9220", "accuracy: 0.7000", False),
        ("accuracy: 0.9220", "share: 0.9220", False),
        ("{'b2': '2e-17'}", "{'b2': '9e-18'}", True),
        ("{'b2': '2e-17'}", "{'b2': '2e-07'}", False),
        ("h = 1e-02: 1e-06", "h = 1e-02: 2e-06", False),
        ("differ by at most 0e+00", "differ by at most nan", False),
    ],
)
def test_numbers_that_vary_must_be_close(tool, before, now, same):
    assert tool._about(before, now) is same


def executed(code, **environment):
    """Return the output of this code, run in the root without a user's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BACKPROP_")}
    options = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 300}
    return subprocess.run([sys.executable, *code], env=kept | environment, **options)


@pytest.mark.slow
def test_executed_here_they_say_what_they_said(tool):
    ran = executed(["docs/notebooks.py", "--check"])
    assert ran.returncode == 0, ran.stdout + ran.stderr


with_mnist = pytest.mark.skipif(
    not os.path.isdir(os.environ.get("BACKPROP_DATA_DIR", "")),
    reason="BACKPROP_DATA_DIR does not name a directory with MNIST",
)


@pytest.mark.slow
@with_mnist
def test_the_ladder_on_all_of_mnist(tmp_path):
    """The six figures of section 6 of chapter 6, to a tenth of a point or two, and the text has them."""
    pytest.importorskip("matplotlib")
    command = ["examples/fastest_97.py", "--data", "mnist", "-o", str(tmp_path / "ladder.svg")]
    ran = executed(command, BACKPROP_DATA_DIR=os.environ["BACKPROP_DATA_DIR"], PYTHONPATH=str(ROOT))
    assert ran.returncode == 0, ran.stderr
    means = [float(mean) for mean in re.findall(r"(\d+\.\d+)% +\d+\.\d+%$", ran.stdout, re.MULTILINE)]
    assert means[:6] == pytest.approx(LADDER, abs=0.2)
    for name in ("chapter6", "chapter6.ja"):
        said = re.search(r"92\.4.*?97\.3\D+97\.2 %", prose(committed(name)))
        assert said and [float(word) for word in re.findall(r"\d+\.\d", said.group())] == LADDER


@pytest.mark.slow
@with_mnist
def test_all_of_mnist(tool):
    """With all of MNIST the same cells reach 97 % of the test images, and the two curves stay close."""
    code = "from docs.notebooks import *; print(json.dumps(executed(FOLDER / 'tutorial' / 'chapter5.md')))"
    ran = executed(["-c", "import json;" + code], BACKPROP_DATA_DIR=os.environ["BACKPROP_DATA_DIR"])
    assert ran.returncode == 0, ran.stderr
    train, test = accuracies(json.loads(ran.stdout))
    assert 0.965 <= test < 0.975 and train - test < 0.02
