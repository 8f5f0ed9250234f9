"""The READMEs are short and true; the Japanese one has the code and figures of the English one."""

import doctest
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("README.md", "docs/README.ja.md")
ENGLISH, JAPANESE = ((ROOT / name).read_text(encoding="utf-8") for name in NAMES)
INDEX = (ROOT / "docs/index.md").read_text(encoding="utf-8")
OVERVIEW = (ROOT / "docs/guides/overview.ja.md").read_text(encoding="utf-8")
GUIDES = [path.read_text(encoding="utf-8") for path in (ROOT / "docs/guides").glob("*.md")]
both = pytest.mark.parametrize("text", [ENGLISH, JAPANESE], ids=["English", "Japanese"])


def blocks(of, language=r"\w+"):
    """The code blocks of a text, of one language or of any."""
    return re.findall(rf"^```{language}\n(.*?)^```", of, re.MULTILINE | re.DOTALL)


def code(of):
    """The lines of all code blocks, without comments, and with the English notebook."""
    lines = [line for block in blocks(of) for line in block.split("\n")]
    bare = (re.sub(r"\s+# (?!doctest).*", "", line).rstrip() for line in lines)
    return [line.replace("chapter5.ja", "chapter5") for line in bare if line]


def figures(of):
    """Every number with a decimal point, an exponent or a comma between its digits."""
    return set(re.findall(r"\d+\.\d+(?:e-?\d+)?|\d+e-?\d+|\d+(?:,\d{3})+", of))


@both
def test_it_is_short(text):
    assert len(text.splitlines()) <= 130


@both
def test_the_first_screen_goes_from_install_to_a_trained_network(text):
    """45 lines: those of a terminal of 80 columns, and of a code host's page."""
    lines = text.splitlines()[:45]
    screen = "\n".join(lines)
    assert "pictures/training.svg)" in screen
    assert "pip install ." in "".join(blocks(screen, "sh"))
    (python,) = blocks(screen, "python")
    examples = doctest.DocTestParser().get_examples(python)
    assert 8 <= len(examples) <= 12
    assert any("backprop.train(" in example.source for example in examples)


def test_it_fits_a_terminal_of_80_columns():
    """All but the picture, the long commands, and lines of links and tables."""
    wide = [line for line in ENGLISH.splitlines() if len(line) > 80]
    assert [line for line in wide if not line.startswith(("![", "python3 -m venv", "- **", "| "))] == []


def tagline(text):
    """The paragraph that begins with the tagline, on one line."""
    (paragraph,) = (part for part in text.split("\n\n") if part.startswith("Backpropagation you can read."))
    return " ".join(paragraph.split())


def test_the_site_begins_as_the_readme_does():
    assert tagline(INDEX) == tagline(ENGLISH)
    assert blocks(INDEX, "python") == blocks(ENGLISH, "python")[:1]
    assert blocks(INDEX, "sh") == blocks(ENGLISH, "sh")[:1]
    assert figures(INDEX) - figures(ENGLISH) == set()


def test_the_japanese_code_is_that_of_the_english_one():
    assert code(JAPANESE) == code(ENGLISH) and len(code(JAPANESE)) > 30


def test_the_japanese_figures_are_those_of_the_english_one():
    assert figures(JAPANESE) == figures(ENGLISH) and len(figures(JAPANESE)) > 15


def test_the_japanese_overview_has_the_code_of_the_guides():
    known = {line for text in (ENGLISH, *GUIDES) if text != OVERVIEW for line in code(text)}
    assert set(code(OVERVIEW)) - known == set() and len(code(OVERVIEW)) > 30


def test_the_japanese_overview_has_the_figures_of_the_guides():
    known = set().union(*(figures(text) for text in (ENGLISH, *GUIDES) if text != OVERVIEW))
    assert figures(OVERVIEW) - known == set() and figures(OVERVIEW)


def test_both_lead_to_the_same_pages():
    """But for the page that is Japanese alone."""

    def pages(name, text):
        links = re.findall(r"\]\(([^)\s#]+)", text)
        return {(ROOT / name).parent.joinpath(link).resolve() for link in links}

    english, japanese = map(pages, NAMES, (ENGLISH, JAPANESE))
    readmes = {(ROOT / name).resolve() for name in NAMES}
    assert japanese - readmes == english - readmes | {ROOT / "docs/guides/overview.ja.md"}


def test_every_guide_can_be_reached():
    guides = {path.name for path in (ROOT / "docs/guides").glob("*.md")}
    assert guides - set(re.findall(r"guides/([\w.]+\.md)", ENGLISH)) == {"overview.ja.md"}
    assert guides - set(re.findall(r"guides/([\w.]+\.md)", JAPANESE)) == set()


def test_the_command_of_continuous_integration_is_marked():
    marked = ENGLISH.partition("<!-- the command that continuous integration runs -->\n```sh\n")[2]
    command = marked.splitlines()[0]
    assert command.startswith("python3 -m venv .venv && ") and command.endswith("-m pytest -n auto")
    assert "integration runs" in (ROOT / ".ci/run").read_text(encoding="utf-8")


@both
def test_it_names_the_distribution_and_what_it_needs(text):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"`{project['name']}`" in text
    assert f"Python {project['requires-python'].removeprefix('>=')}" in text
    extras = set(re.findall(r'"\.\[(\w+)\]"', text))
    assert extras and extras <= project["optional-dependencies"].keys()


def test_its_measured_figures_are_those_of_the_benchmarks():
    measured = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    table = ENGLISH.partition("## Benchmarks")[2].partition("\n## ")[0]
    found = figures(table)
    assert len(found) >= 6 and {figure for figure in found if figure not in measured} == set()
    for file in re.findall(r"`python -m pytest (\S+)`", table):
        assert (ROOT / file).exists()


@both
def test_it_names_the_gpu_that_has_been_seen_and_when(text):
    (row,) = re.findall(r"^\|[^|]*GPU[^|]*\| (.*NVIDIA.*) \|$", text, re.MULTILINE)
    assert re.search(r"20\d\d-\d\d-\d\d", row)
