"""Every link in the Markdown of the repository leads somewhere, and every file that a page names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = "backends", "backprop", "benchmarks", "docs", "examples", "tests"
INSIDE = [path for part in PARTS for path in (ROOT / part).rglob("*.*") if "private" not in path.parts]
PAGES = sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *INSIDE) if path.suffix == ".md")
FORM = ".github/ISSUE_TEMPLATE/gradient_is_called_wrong.yml"
FILE = r"[\w.-]+\.(?:py|cu|h|js|md|ipynb|toml)"
FILES = {path.name for path in (*ROOT.glob("*.*"), *INSIDE)}
OF_READERS = {"my_layer.py"}  # what a page asks the reader to write


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def without_code(page):
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def anchors(page):
    """Return the anchors that a code host makes of the headings."""
    titles = re.findall(r"^#+ (.*)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(name):
    """Yield the text, the target and the anchor of every link to a file or heading of the repository."""
    for text, link in re.findall(r"\[([^\[\]]*)\]\(([^)\s]+)\)", without_code(text_of(name))):
        if not re.match(r"\w+://", link):
            path, _, anchor = link.partition("#")
            yield text, (ROOT / name).parent / path if path else ROOT / name, anchor


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name):
    for text, target, anchor in links(name):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), (target, anchor)
        if re.fullmatch(FILE, text):
            assert text == target.name


@pytest.mark.parametrize("name", [*PAGES, FORM])
def test_every_file_that_is_named_is_there(name):
    """By its path, or by its name alone."""
    page = without_code(text_of(name))
    paths = re.findall(rf"`((?:{'|'.join(PARTS)})/(?!private)[\w/.-]*)`", page)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert set(re.findall(rf"`({FILE})`", page)) - FILES - OF_READERS == set()


def test_there_are_links_and_names():
    assert sum(len([*links(name)]) for name in PAGES) > 300
