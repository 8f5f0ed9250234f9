"""Links to files of the repository, turned into links to the pages of the site that show them.

Pages link to files as a code host wants it, `[relu.py](../../backprop/layers/relu.py)`. On the site such a
link leads to the page that shows the file. Files that no page shows are linked on the code host if its
address is known, and are plain text otherwise.
"""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from docs.site.host import address
from docs.site.paths import DOCS, relative, shown


class RepositoryLinks(SphinxTransform):
    """A transform of what MyST made of a link to a file: a download, or a page that does not exist."""

    default_priority = 5

    def apply(self, **kwargs: Any) -> None:
        """Replace the links of a page."""
        for kind in (addnodes.download_reference, addnodes.pending_xref):
            for node in list(self.document.findall(kind)):
                if node.get("reftype") == "myst" and (path := self.path_of(node)):
                    node.replace_self(self.link(node, path))

    def path_of(self, node: nodes.Element) -> Path | None:
        """Return the file or folder that is linked to; None if it is a page of the site or no path at all."""
        target = unquote(node["reftarget"]).partition("#")[0]
        if node.get("refdomain") == "doc":
            if target in self.env.found_docs:
                return None
            # The suffix is gone: MyST takes the file for a page.
            found = [Path(f"{DOCS / target}{suffix}").resolve() for suffix in (".md", ".ipynb")]
            return next((path for path in found if path.is_file()), None)
        path = (DOCS / self.env.docname).parent / target
        return path.resolve() if target and path.exists() else None

    def link(self, node: nodes.Element, path: Path) -> nodes.Node:
        """Return the link that takes the place of a node."""
        text = [child.deepcopy() for child in node.children]
        name, here = relative(path), self.env.docname
        page, identifier = shown().get(name, ("", ""))
        if identifier:
            uri = self.app.builder.get_relative_uri(here, page)
            return nodes.reference("", "", *text, refuri=f"{uri}#{identifier}", internal=True)
        if page:
            heading = node.get("reftargetid") or unquote(node["reftarget"]).partition("#")[2]
            found = addnodes.pending_xref("", *text, refdomain="doc", reftype="myst", refexplicit=True)
            found["refdoc"], found["reftarget"] = here, page
            found["reftargetid"] = None if page == "index" else heading  # the README's headings are not there
            return found
        if url := address(name, path.is_dir()):
            return nodes.reference("", "", *text, refuri=url)
        return nodes.inline("", "", *text)


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(RepositoryLinks)
