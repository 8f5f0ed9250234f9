"""The site builds without a warning, no link on it is dead, and a public address is used if there is one."""

import re
import shutil
from pathlib import Path

import pytest

from docs.site import check
from docs.site.paths import DOCS, ROOT

pytestmark = pytest.mark.slow
ADDRESS = "somebody/some-name"
FEWER = {"chapter5": 80, "chapter6": 20, "chapter7": 20}  # formulas than a notebook has
NOTEBOOKS = {f"{name}{language}": FEWER[name] for name in FEWER for language in ("", ".ja")}


def test_it_builds_without_a_warning(built):
    assert built[1] == ""


def test_no_link_is_dead(pages):
    assert len(pages) > 40
    assert [*check.dead(pages)] == []


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("code/index.html", "floor2.html#backprop-layers-relu-py"),  # a file
        ("code/index.html", "floor0.html#backends-numpy"),  # a folder
        ("code/index.html", "../benchmarks.html"),  # benchmarks/README.md
        ("tutorial/chapter5.html", "../index.html"),  # README.md
        ("tutorial/chapter5.html", "chapter5.ja.html"),
        ("tutorial/chapter5.ja.html", "chapter6.ja.html"),
        ("tutorial/chapter6.html", "chapter6.ja.html"),
        ("tutorial/chapter6.ja.html", "chapter6.html"),
        ("tutorial/chapter7.html", "../guides/convolution.html"),
        ("api/layers.html", "../code/floor2.html#backprop-layers-affine-py"),  # [source]
        ("learn.html", "README.ja.html"),
    ],
)
def test_a_link_to_a_file_of_the_repository_leads_to_its_page(site, pages, page, link):
    assert ("a", link) in pages[site / page].links


def test_no_link_is_a_download(site):
    assert not (site / "_downloads").exists()


def test_every_graph_is_embedded_with_a_title_and_a_link(site, pages):
    from docs.site.graphs import FOLDER, TITLES

    addresses = [link for page in pages.values() for link in page.links]
    for name in TITLES:
        file = f"{FOLDER}/{name}.html"
        assert {tag for tag, address in addresses if address.endswith(file)} == {"iframe", "a"}
    frames = [frame for file in pages for frame in re.findall(r"<iframe[^>]*>", file.read_text("utf-8"))]
    assert frames and all('title="' in frame for frame in frames)


def test_nothing_tells_of_the_machine(site):
    places = {str(ROOT), str(site), str(Path.home())} - {"/"}
    for file in (file for kind in ("html", "js", "inv") for file in site.rglob(f"*.{kind}")):
        text = file.read_text("utf-8", errors="replace")
        assert [place for place in places if place in text] == [], file.name


def test_without_an_address_nothing_leads_to_one(pages):
    for file, page in pages.items():
        assert [address for _, address in page.links if "colab" in address or "/edit/" in address] == []
        assert not any("github.com/" in address and "/backprop" in address for _, address in page.links)
        assert "git+http" not in file.read_text("utf-8"), file.name


def test_no_page_loads_anything_from_another_host(site, pages):
    for file, page in pages.items():
        loaded = [address for tag, address in page.links if tag != "a" and "//" in address]
        assert [address for address in loaded if not address.startswith("data:")] == [], file.name
    for file in (site / "_static").glob("site.*"):
        assert not re.search(r"https?:|@import|url\(", file.read_text("utf-8"))


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_formula_is_mathml(site, notebook):
    html = (site / "tutorial" / f"{notebook}.html").read_text("utf-8")
    formulas = re.findall(r"<math .*?</math>", html)
    text = (DOCS / "tutorial" / f"{notebook}.md").read_text("utf-8")
    source = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    written = re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", source, re.DOTALL)
    assert len(formulas) == len(written) > NOTEBOOKS[notebook]
    shown = [re.sub(r' alttext="[^"]*"', "", each) for each in formulas]
    assert [each for each in shown if re.search(r"\\|merror|bold|sans-serif", each)] == []


@pytest.fixture(scope="module")
def with_address(build, tmp_path_factory):
    """The folder of a site of the notebooks alone, built with the address of a repository."""
    source = tmp_path_factory.mktemp("source")
    (source / "tutorial").mkdir()
    for name in NOTEBOOKS:
        shutil.copy(DOCS / "tutorial" / f"{name}.ipynb", source / "tutorial")
    (source / "index.md").write_text("# Site\n\n[Notebook](tutorial/chapter5.ipynb)\n", encoding="utf-8")
    return build(source, GITHUB_REPOSITORY=ADDRESS)[0]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_with_an_address_a_notebook_opens_in_colab(with_address, name):
    file = with_address / "tutorial" / f"{name}.html"
    addresses = {address for _, address in check.read(with_address)[file].links}
    path = f"main/docs/tutorial/{name}.ipynb"
    assert f"https://colab.research.google.com/github/{ADDRESS}/blob/{path}" in addresses
    assert f"https://github.com/{ADDRESS}" in addresses
    assert f"https://github.com/{ADDRESS}/edit/{path}" in addresses
    assert f"git+https://github.com/{ADDRESS}" in file.read_text("utf-8")
