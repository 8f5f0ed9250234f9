"""The pages say what is true: their examples run, their options exist, their tables are complete."""

import ast
import doctest
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from backprop.gradient_check import diagnoses, report, screen, styles

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = sorted(path.name for path in (DOCS / "guides").glob("*.md"))
INSIDE = (DOCS / "code" / "inside.md").read_text(encoding="utf-8")
WITHOUT_EXAMPLES = {"benchmarks.md", "command_line.md", "tested_where.md"}


def text_of(guide):
    return (DOCS / "guides" / guide).read_text(encoding="utf-8")


def blocks(page, language=r"\w+"):
    """Return the code blocks of a page, of one language or of any."""
    return re.findall(rf"^```(?:{language})\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", GUIDES)
def test_the_examples_do_what_they_say(name):
    result = doctest.testfile(str(DOCS / "guides" / name), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted == 0 if name in WITHOUT_EXAMPLES else result.attempted >= 8


@pytest.mark.parametrize("name", GUIDES)
def test_its_python_is_an_example_or_at_least_python(name):
    """What does not run here, as on a GPU, is compiled."""
    for block in blocks(text_of(name), "python"):
        if not block.startswith(">>> "):
            compile(block, name, "exec")


@pytest.mark.parametrize("name", GUIDES)
def test_its_code_fits_a_terminal_and_the_site(name):
    assert [line for line in "".join(blocks(text_of(name))).splitlines() if len(line) > 88] == []


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_is_one_topic(name):
    prose = re.sub(r"^```.*?^```$", "", text_of(name), flags=re.MULTILINE | re.DOTALL)
    (title,) = re.findall(r"^# .*", prose, re.MULTILINE)
    assert prose.startswith(title)


def commands(page):
    """Return the command lines of this library in a page's blocks, each as (command, arguments)."""
    text = "\n".join(blocks(page, "sh|text"))
    found = re.findall(r"^(?:\$ )?(?:\w+=\S+ +)*backprop ([a-z]+)\b([^#|&\n]*)", text, re.MULTILINE)
    return [(command, arguments) for command, arguments in found if command != "trian"]  # a typing error


@pytest.fixture
def command_line():
    """The group of all commands."""
    pytest.importorskip("click")
    return import_module("backprop.cli").cli


def test_every_option_that_is_shown_exists(command_line):
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("benchmarks/*.md")]
    shown = [each for page in pages for each in commands(page.read_text(encoding="utf-8"))]
    assert len(shown) > 30
    for command, arguments in shown:
        options = {flag for each in command_line.commands[command].params for flag in each.opts}
        assert set(re.findall(r"(?<!\S)--?[a-z][\w-]*", arguments)) <= options, (command, arguments)


def test_the_guide_to_the_command_line_is_complete(command_line):
    """Every command has a section, every exit code that the help names a row, every variable, too."""
    page = text_of("command_line.md")
    sections = set(re.findall(r"^## (\w+)$", page, re.MULTILINE))
    assert sections >= command_line.commands.keys()
    codes = set(re.findall(r"\b(\d+)\s+[a-z]", command_line.help.partition("Exit codes:")[2]))
    assert codes == set(re.findall(r"^\| (\d+) \|", page, re.MULTILINE)) and len(codes) == 7
    files = [*(ROOT / "backprop").rglob("*.py"), *(ROOT / "backends").rglob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    variables = set(re.findall(r"\bBACKPROP_[A-Z_]+\b", code))
    named = set(re.findall(r"^\| `(BACKPROP_[A-Z_]+)`", page, re.MULTILINE))
    assert named == variables - {"BACKPROP_COMPLETE"}  # the shell's, which no one sets by hand


def test_the_page_about_where_it_ran_promises_nothing():
    page = text_of("tested_where.md")
    rows = re.findall(r"^\| (.*) \| (.*) \| (.*) \|$", page.partition("\n## ")[0], re.MULTILINE)
    assert len(rows) >= 11
    assert "NVIDIA" in rows[-1][1] and "GPU" in rows[-1][0]  # by hand: no change is tested there
    for what, where, when in rows:
        assert what and where and re.fullmatch(r"every change|20\d\d-\d\d-\d\d|`pytest -m slow`", when)


def test_the_table_of_twins_is_the_one_that_the_command_prints():
    _, _, rest = INSIDE.partition("<!-- python -m backends --markdown -->\n")
    table, _, _ = rest.partition("<!-- end -->")
    command = [sys.executable, "-m", "backends", "--markdown"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert table == printed


def test_the_tables_of_the_model_are_those_that_the_command_prints():
    """All of them, in their order; and no other, but the assumptions."""
    page = (DOCS / "scaling.md").read_text(encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.ranks.model", "--markdown"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    own = page.partition("<!-- the tables of python -m benchmarks.ranks.model --markdown -->")[2]
    own = own.partition("<!-- end -->")[0]
    found = [each for each in own.split("\n\n") if each.startswith("| ") and "| assumption |" not in each]
    assert found == printed.strip().split("\n\n") and len(found) == 6


def test_the_code_of_the_page_on_scaling_fits_a_terminal():
    page = (DOCS / "scaling.md").read_text(encoding="utf-8")
    code = "".join(blocks(page)).splitlines()
    assert code and [line for line in code if len(line) > 80] == []


def test_a_reader_needs_at_most_ten_ideas_for_a_step():
    _, _, rest = INSIDE.partition("| idea |")
    rows = [line for line in rest.partition("\n\n")[0].splitlines() if line.startswith("| ")]
    assert 1 < len(rows) <= 10


def test_the_step_is_shown_as_it_is():
    code = INSIDE.partition("```python\ndef step(self, i):\n")[2].partition("```")[0]
    source = (ROOT / "backprop" / "training" / "step.py").read_text(encoding="utf-8")
    assert code and all(line in source for line in code.splitlines())


@pytest.mark.parametrize("floor", ["floor0.md", "floor2.md", "floor3.md"])
def test_the_code_of_a_floor_is_that_of_the_library(floor):
    """But for type annotations, which the pages leave out."""
    page = (DOCS / "code" / floor).read_text(encoding="utf-8")
    files = [*(ROOT / "backprop").rglob("*.py"), *(ROOT / "backends").rglob("*.py")]
    lines = [line.strip() for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    source = {re.sub(r"^(\w+): \w+ = ", r"\1 = ", line) for line in lines}
    shown = [line.strip() for block in blocks(page, "python") for line in block.splitlines()]
    bodies = [line for line in shown if line and not line.startswith("def ")]
    assert bodies and [line for line in bodies if line not in source] == []


KNOWN = {  # what is named in a row of the guide, and the names that the check knows for it
    "the passes": {*styles.FORWARD, *styles.BACKWARD},
    "a function and its derivative": {*styles.FUNCTION, *styles.DERIVATIVE},
    "forward's arguments": {*styles.TRAINING},
    "backward's arguments": {*styles.RATES},
    "results that are not returned": {*styles.OUTPUTS, *styles.INPUT_GRADIENTS},
    "gradients of a parameter `W`": set.union(*styles.gradient_names("W")),
    "parameters in dictionaries": {
        *styles.PARAMETERS,
        *styles.GRADIENT_CONTAINERS,
        *styles.gradient_names("W")[0],
    },
}


@pytest.mark.parametrize("row", KNOWN)
def test_the_names_in_the_guide_are_recognized(row):
    page = text_of("gradient_check.md")
    (cell,) = re.findall(rf"^\| {re.escape(row)} \| (.*) \|$", page, re.MULTILINE)
    named = {*re.findall(r"`(\w+)`", cell)} - {"W"}
    assert named and {name for name in named if not {name, styles.plain(name)} & KNOWN[row]} == set()


def kinds_of(given, tree):
    """The words that an expression stands for, as far as the file tells."""
    if isinstance(given, ast.IfExp):
        return kinds_of(given.body, tree) | kinds_of(given.orelse, tree)
    if isinstance(given, ast.Name):
        values = [each.value for each in ast.walk(tree) if isinstance(each, ast.Assign)]
        targets = [each.targets[0] for each in ast.walk(tree) if isinstance(each, ast.Assign)]
        named = [v for t, v in zip(targets, values, strict=True) if getattr(t, "id", "") == given.id]
        return set().union(*(kinds_of(each, tree) for each in named))
    return {given.value} if isinstance(given, ast.Constant) else set()


def verdicts():
    """Every kind of verdict in the code: of the tables, and what `Verdict(...)` is called with."""
    found = {*report.PASSING, *report.WITHOUT_NUMBERS, *screen.WORDS, *diagnoses.TESTS}
    for file in Path(report.__file__).parent.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Verdict":
                found |= kinds_of(call.args[0], tree)
    return found


def test_every_verdict_has_a_row_in_the_guide():
    page = text_of("gradient_check.md")
    section = page.partition("## The verdicts")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([a-z, ]+) \| .* \|$", section, re.MULTILINE)
    rows = [row for row in rows if row != "verdict"]
    assert sorted(rows) == sorted(verdicts())
