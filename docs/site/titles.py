"""Titles in the browser's tab and the search, where three pages would be called backprop."""

from docutils import nodes
from sphinx.application import Sphinx

TITLES = {"index": "Home", "api/backprop": "backprop (API)", "README.ja": "backprop（日本語）"}


def rename(app: Sphinx, doctree: nodes.document) -> None:
    """Give a page its title after Sphinx took that of its first heading."""
    name = app.env.current_document.docname
    if name in TITLES:
        app.env.longtitles[name] = nodes.title("", TITLES[name])


def setup(app: Sphinx) -> None:
    """Listen to the pages that were read."""
    app.connect("doctree-read", rename, priority=900)
