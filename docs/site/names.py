"""The directive `{names}`: the public names of a package in a table, each with its line and a link."""

from importlib import import_module
from inspect import getdoc

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from docs.site.api import home

CONSTANTS = {  # which have no docstrings of their own
    "AnyArray": "A type variable: arrays of one library in, arrays of the same library out.",
    "ITERATIONS": "Updates that `train` makes by default.",
    "PRECISIONS": "The names that `precision` takes.",
    "SEGMENT": "Steps that a backend records at once.",
    "TWINS": "The registered twins by backend and formula.",
}


def line(package: str, name: str) -> str:
    """Return what a public name is, in one line."""
    documented = getdoc(getattr(import_module(package), name)) or ""
    return CONSTANTS.get(name) or documented.partition("\n")[0].rstrip(":")


class Names(SphinxDirective):
    """A table with a row per name of `__all__`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        package = self.arguments[0]
        table, group, body = nodes.table(classes=["names"]), nodes.tgroup(cols=2), nodes.tbody()
        names = sorted(import_module(package).__all__, key=str.lower)
        table += group
        group += [nodes.colspec(colwidth=30), nodes.colspec(colwidth=70), body]
        body += [self.row(package, name) for name in names]
        return [table]

    def row(self, package: str, name: str) -> nodes.row:
        """Return the row of one name."""
        wanted = {"refdomain": "py", "reftype": "obj", "reftarget": home(package, name)}
        link = addnodes.pending_xref("", **wanted, refexplicit=True, refwarn=True)
        link += nodes.literal(name, name)
        text, messages = self.parse_inline(line(package, name))
        cells = nodes.paragraph("", "", link), nodes.paragraph("", "", *text, *messages)
        return nodes.row("", *(nodes.entry("", cell) for cell in cells))


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("names", Names)
