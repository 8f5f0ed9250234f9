"""The Japanese README has the commands, code and figures of the English one; every link leads somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH, JAPANESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/README.ja.md"))


def code(of):
    """The lines of all code blocks, without comments, and with the English notebook."""
    lines = [
        line
        for block in re.findall(r"^```\w+\n(.*?)^```", of, re.MULTILINE | re.DOTALL)
        for line in block.split("\n")
    ]
    bare = (re.sub(r"\s+# (?!doctest).*", "", line).rstrip() for line in lines)
    return [line.replace("chapter5.ja", "chapter5") for line in bare if line]


def test_its_code_is_that_of_the_other():
    assert set(code(JAPANESE)) <= set(code(ENGLISH)) and len(code(JAPANESE)) > 60


def test_its_figures_are_those_of_the_other():
    """Every number with a decimal point or an exponent."""
    figures = [set(re.findall(r"\d+\.\d+(?:e-?\d+)?|\d+e-?\d+", text)) for text in (JAPANESE, ENGLISH)]
    assert figures[0] <= figures[1] and len(figures[0]) > 15


def anchors(text):
    """What GitHub makes of the headings."""
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", text, re.M)
    }


@pytest.mark.parametrize(
    "name", ["README.md", "docs/README.ja.md", "docs/tutorial/chapter5.md", "docs/tutorial/chapter5.ja.md"]
)
def test_every_link_leads_somewhere(name):
    file = ROOT / name
    links = re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8"))
    for link in links:
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve()
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link
    assert links


def test_each_leads_to_the_other():
    assert "(docs/README.ja.md)" in ENGLISH and "(../README.md)" in JAPANESE


@pytest.mark.parametrize("text", [ENGLISH, JAPANESE], ids=["English", "Japanese"])
def test_every_file_that_is_named_is_there(text):
    named = re.findall(r"`((?:backprop|backends|tests|docs|benchmarks)/[\w/.-]+)`", text)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_so_are_those_that_the_table_names_beside_them():
    """A name without a folder is a neighbour of one in the same row."""
    for row in re.findall(r"^\| .* \|$", ENGLISH, re.MULTILINE):
        names = re.findall(r"`([\w/.-]+\.(?:py|cu|h|js))`", row)
        folders = [(ROOT / path).parent for path in names if (ROOT / path).exists()]
        folders += [ROOT / path for path in re.findall(r"`([\w/]+/)`", row)]
        for name in names if folders else ():
            places = [ROOT, ROOT / "backprop", *folders]
            assert any((place / name).exists() for place in places), f"{name} in: {row}"
