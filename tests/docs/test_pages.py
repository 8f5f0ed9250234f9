"""The pages of docs/ say what is true: their examples run, the table of twins is the one that there is."""

import ast
import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

from backprop.gradient_check import diagnoses, report, screen, styles

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", ["guides/own_layers.md", "guides/gradient_check.md"])
def test_the_examples_do_what_they_say(name):
    result = doctest.testfile(str(DOCS / name), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0


def test_the_table_of_twins_is_the_one_that_the_command_prints():
    page = (DOCS / "code" / "inside.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("<!-- python -m backends --markdown -->\n")
    table, _, _ = rest.partition("<!-- end -->")
    command = [sys.executable, "-m", "backends", "--markdown"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert table == printed


def test_a_reader_needs_at_most_ten_ideas_for_a_step():
    page = (DOCS / "code" / "inside.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("| idea |")
    rows = [line for line in rest.partition("\n\n")[0].splitlines() if line.startswith("| ")]
    assert len(rows) <= 10


def test_the_step_is_shown_as_it_is():
    page = (DOCS / "code" / "inside.md").read_text(encoding="utf-8")
    code = page.partition("```python\ndef step(self, i):\n")[2].partition("```")[0]
    source = (ROOT / "backprop" / "training" / "step.py").read_text(encoding="utf-8")
    assert all(line in source for line in code.splitlines())


KNOWN = {  # what is named in a row of the guide, and the names that the check knows for it
    "the passes": {*styles.FORWARD, *styles.BACKWARD},
    "a function and its derivative": {*styles.FUNCTION, *styles.DERIVATIVE},
    "forward's arguments": {*styles.TRAINING},
    "backward's arguments": {*styles.RATES},
    "results that are not returned": {*styles.OUTPUTS, *styles.INPUT_GRADIENTS},
    "gradients of a parameter `W`": set.union(*styles.gradient_names("W")),
    "parameters in dictionaries": {*styles.PARAMETERS, *styles.OF_GRADIENTS, *styles.gradient_names("W")[0]},
}


@pytest.mark.parametrize("row", KNOWN)
def test_the_names_in_the_guide_are_recognized(row):
    page = (DOCS / "guides" / "gradient_check.md").read_text(encoding="utf-8")
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
    found = {*report.PASSING, *report.WITHOUT_NUMBERS, *screen.WORDS, *diagnoses.OF_ANY_GAP}
    for file in Path(report.__file__).parent.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Verdict":
                found |= kinds_of(call.args[0], tree)
    return found


def test_every_verdict_has_a_row_in_the_guide():
    page = (DOCS / "guides" / "gradient_check.md").read_text(encoding="utf-8")
    section = page.partition("## The verdicts")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([a-z, ]+) \| .* \|$", section, re.MULTILINE)
    rows = [row for row in rows if row != "verdict"]
    assert sorted(rows) == sorted(verdicts())


@pytest.mark.parametrize("name", ["guides/own_layers.md", "guides/gradient_check.md", "code/inside.md"])
def test_links_lead_to_files(name):
    page = (DOCS / name).read_text(encoding="utf-8")
    links = [link.partition(")")[0] for link in page.split("](")[1:]]
    assert links and all((DOCS / name).parent.joinpath(link).exists() for link in links if "://" not in link)
