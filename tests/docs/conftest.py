"""The site, built once for all tests of it."""

import os
import subprocess
import sys

import pytest

from docs.site import check
from docs.site.paths import DOCS, ROOT

TOOLS = 'the site needs Sphinx and its extensions; pip install -e ".[site]"'


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """A function that builds a site from the pages of a folder and returns its folder and the warnings."""
    for library in (
        "sphinx",
        "pydata_sphinx_theme",
        "myst_nb",
        "numpydoc",
        "sphinx_copybutton",
        "latex2mathml",
    ):
        pytest.importorskip(library, reason=TOOLS)
    ours = "GITHUB_", "BACKPROP_"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}

    def run(source, **environment):
        folder = tmp_path_factory.mktemp("site")
        command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", "-c", DOCS, source, folder]
        options = {"cwd": ROOT, "env": kept | environment, "capture_output": True, "text": True}
        done = subprocess.run(command, **options, timeout=300)
        assert done.returncode == 0, done.stderr
        return folder, done.stderr

    return run


@pytest.fixture(scope="session")
def built(build):
    """The folder of the whole site, built without a public address, and the warnings."""
    return build(DOCS)


@pytest.fixture(scope="session")
def site(built):
    """The folder of the site."""
    return built[0]


@pytest.fixture(scope="session")
def pages(site):
    """Every page of the site by its path, as the crawler sees it."""
    return check.read(site)
