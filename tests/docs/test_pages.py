"""The pages of docs/ say what is true: their examples run, the table of twins is the one that there is."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", ["own_layers.md"])
def test_the_examples_do_what_they_say(name):
    result = doctest.testfile(str(DOCS / name), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0


def test_the_table_of_twins_is_the_one_that_the_command_prints():
    page = (DOCS / "inside.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("<!-- python -m backends --markdown -->\n")
    table, _, _ = rest.partition("<!-- end -->")
    command = [sys.executable, "-m", "backends", "--markdown"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert table == printed


def test_a_reader_needs_at_most_ten_ideas_for_a_step():
    page = (DOCS / "inside.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("| idea |")
    rows = [line for line in rest.partition("\n\n")[0].splitlines() if line.startswith("| ")]
    assert len(rows) <= 10


def test_the_step_is_shown_as_it_is():
    page = (DOCS / "inside.md").read_text(encoding="utf-8")
    code = page.partition("```python\ndef step(self, i):\n")[2].partition("```")[0]
    source = (ROOT / "backprop" / "training" / "step.py").read_text(encoding="utf-8")
    assert all(line in source for line in code.splitlines())


@pytest.mark.parametrize("name", ["own_layers.md", "inside.md"])
def test_links_lead_to_files(name):
    page = (DOCS / name).read_text(encoding="utf-8")
    links = [link.partition(")")[0] for link in page.split("](")[1:]]
    assert links and all((DOCS / link).exists() for link in links if "://" not in link)
