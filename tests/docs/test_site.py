"""The sources of the site are complete: every source file and public name has its place. The crawler works.

The site itself is built in test_built_site.py and looked at in test_site_in_browser.py; both are slow.
"""

import re
from collections import Counter

import pytest

from backends import Namespace
from docs.site import check
from docs.site.api import PACKAGES, home, public
from docs.site.paths import DOCS, LANGUAGES, ROOT, files_of, relative, shown

ORDER = re.compile(r"^```\{sources\} +(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"^\.\. (currentmodule|auto\w+|py:data):: (\w[\w.]*)", re.MULTILINE)


def texts(folder):
    """Return the texts of the pages in a folder."""
    return [page.read_text(encoding="utf-8") for page in sorted((DOCS / folder).glob("*.md"))]


def test_every_source_file_is_shown():
    found = [path for part in ("backends", "backprop") for path in (ROOT / part).rglob("*")]
    sources = {relative(path) for path in found if path.suffix in LANGUAGES and path.stat().st_size}
    assert len(sources) > 100 and sources - shown().keys() == set()


def test_an_order_of_files_names_files_that_are_there():
    orders = [order for text in (*texts("."), *texts("code")) for order in ORDER.findall(text)]
    assert len(orders) > 20 and len({place for place, _ in orders}) == len(orders)
    for place, names in orders:
        assert set(names.split()) <= {path.name for path in files_of(place)}, place


def test_the_public_packages_are_those_that_say_so():
    files = [*ROOT.glob("back*/__init__.py"), *ROOT.glob("backprop/*/__init__.py")]
    said = [file.parent for file in files if "\n__all__ = " in file.read_text(encoding="utf-8")]
    assert {relative(folder).replace("/", ".") for folder in said} == set(PACKAGES)


def test_every_public_name_has_one_entry_in_the_api():
    entries = []
    for text in texts("api"):
        for directive, name in ENTRY.findall(text):
            if directive == "currentmodule":
                package = name
            else:
                entries.append(f"{package}.{name}")
    assert [name for name, count in Counter(entries).items() if count > 1] == []
    assert set(entries) == {home(package, name) for package, name in public()}


def test_every_public_package_has_a_table_of_its_names():
    tables = re.findall(r"^```\{names\} (\S+)$", "\n".join(texts("api")), re.MULTILINE)
    assert sorted([*tables, "backprop.numerical"]) == sorted(PACKAGES)  # whose one name is with the checks


def test_the_list_of_functions_of_xp_is_whole():
    text = (DOCS / "api" / "backends.md").read_text("utf-8").partition(".. autoclass:: Namespace()")[2]
    listed = text[text.index("   - ") : text.index("   When a program runs")]
    names = set(re.findall(r"`(\w+)`", listed))
    assert names == {name for name in vars(Namespace) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ('<a href="other.html#here">', []),
        ('<a href="#top"><a href="folder/"><a href="https://example.org/gone#x">', []),
        ('<a href="gone.html">', ["gone.html: there is no such file"]),
        ('<a href="other.html#gone">', ["other.html#gone: there is no such id"]),
        ('<a href="#gone">', ["#gone: there is no such id"]),
        ('<img src="gone.svg">', ["gone.svg: there is no such file"]),
        ('<iframe src="_graphs/gone.html">', ["_graphs/gone.html: there is no such file"]),
        ('<script src="gone.js?v=1">', ["gone.js?v=1: there is no such file"]),
    ],
)
def test_the_crawler_finds_a_planted_dead_link(tmp_path, capsys, link, words):
    (tmp_path / "folder").mkdir()
    for name, text in (("folder/index", ""), ("other", '<p id="here">'), ("page", f'<p id="top">{link}')):
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
    assert check.main([str(tmp_path)]) == bool(words)
    wanted = [f"page.html: {each}" for each in words] or ["every link leads somewhere"]
    assert capsys.readouterr().out.splitlines() == wanted


@pytest.mark.parametrize("name", ["", "gone"])
def test_the_crawler_wants_a_page(tmp_path, capsys, name):
    assert check.main([str(tmp_path / name)]) == 1
    assert "there is no page" in capsys.readouterr().out


def test_the_list_of_guides_has_every_guide_with_its_title():
    pages = sorted((DOCS / "guides").glob("*.md"))
    listed = (DOCS / "guides.md").read_text("utf-8")
    for page in (page for page in pages if ".ja" not in page.suffixes):
        title = page.read_text("utf-8").partition("\n")[0].removeprefix("# ")
        assert f"- [{title}](guides/{page.name}): " in listed
