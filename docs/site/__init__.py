"""The Sphinx extension of the site: source files as pages, links to them, and graphs that play.

paths.py       the repository, and which page shows which of its files
sources.py     the directive `{sources}`: the files of a package, each closed
links.py       links to files of the repository, turned into links to pages of the site
whole.py       the directive `{page}`: a page that is a file of the repository's root
graphs.py      the directive `{graph}`: a graph that plays its passes
mathml.py      formulas as MathML
titles.py      titles of pages in the browser's tab and in the search
blocks.py      code blocks without a blank end, formulas as text, tables without an empty head
docstrings.py  docstrings: a formula below the first line, links to the pages that they name
api.py         the public names, and where the API documents each
names.py       the directive `{names}`: the public names of a package, each with its line
linkcode.py    the link "[source]" of an entry of the API
host.py        what needs the repository's public address: the Colab badge, edit links, the icon
check.py       a crawler of the built pages: every link inside leads somewhere
"""

from typing import Any


def setup(app: Any) -> dict[str, Any]:
    """Register everything with Sphinx."""
    # Inside, so that paths.py, api.py and check.py work without Sphinx.
    from docs.site import blocks, docstrings, graphs, host, links, mathml, names, sources, titles, whole

    for part in (whole, sources, links, graphs, names, mathml, titles, blocks, docstrings, host):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
