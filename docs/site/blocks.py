"""Code blocks without a blank end, formulas of the API as plain text, and tables without an empty head."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class WithoutBlankEnds(SphinxTransform):
    """The removal of the blank lines, which a doctest in Markdown needs, from the end of every code block."""

    default_priority = 200

    def apply(self, **kwargs: Any) -> None:
        """Trim every code block of a page."""
        for block in self.document.findall(nodes.literal_block):
            text = block.astext().rstrip()
            if block.rawsource == block.astext():  # else it is highlighted by itself
                block.rawsource = text
                block.children = [nodes.Text(text)]
                block.children[0].parent = block


class PlainFormulas(SphinxTransform):
    """The blocks of docstrings as text: they are formulas, not Python."""

    default_priority = 200

    def apply(self, **kwargs: Any) -> None:
        """Look at every block without a language on a page of the API."""
        if self.env.current_document.docname.startswith("api/"):
            for block in self.document.findall(nodes.literal_block):
                block.setdefault("language", "text")


class WithoutEmptyHeads(SphinxTransform):
    """The removal of the empty header that Markdown demands of every table."""

    default_priority = 200

    def apply(self, **kwargs: Any) -> None:
        """Look at every table of a page."""
        for head in [*self.document.findall(nodes.thead)]:
            if not head.astext().strip():
                head.parent.remove(head)


def setup(app: Sphinx) -> None:
    """Register the transforms."""
    for transform in (WithoutBlankEnds, PlainFormulas, WithoutEmptyHeads):
        app.add_transform(transform)
