"""Docstrings on their way to numpydoc: literal blocks, links to pages of the site, and types without a link.

numpydoc dedents what follows the first line of a docstring, which would make plain text of a block below a
line that ends in `::`. So the two colons get a separate line.
"""

import re
from typing import Any

from numpydoc.xref import DEFAULT_LINKS
from sphinx.application import Sphinx

BEFORE_NUMPYDOC = 400
PAGE = re.compile(r"`?docs/([\w/.]+)\.md`?")


def keep_block(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Move the `::` at the end of the first paragraph into the next one."""
    end = next((i for i, line in enumerate(lines) if not line.strip()), len(lines))
    if 0 < end < len(lines) and lines[end - 1].endswith("::"):
        lines[end - 1] = lines[end - 1].removesuffix(":")
        lines[end:end] = ["", "::"]


def link_pages(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Make a link, with the title as its text, of the path of a page: `docs/guides/own_layers.md`."""
    lines[:] = [PAGE.sub(r":doc:`/\1`", line) for line in lines]


def setup(app: Sphinx) -> None:
    """Listen to the docstrings on their way to numpydoc."""
    DEFAULT_LINKS.clear()  # they lead into Python's documentation, which is not here
    app.connect("autodoc-process-docstring", keep_block, priority=BEFORE_NUMPYDOC)
    app.connect("autodoc-process-docstring", link_pages)
