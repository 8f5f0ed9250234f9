"""The base class of all graphs that can be drawn: SVG, the page, Mermaid, DOT."""

from typing import Any

from backends import shown
from backprop.arrays.checks import flag, positive_integer
from backprop.graph.diagram import Diagram
from backprop.graph.dot import to_dot
from backprop.graph.mermaid import to_mermaid
from backprop.graph.page import to_html
from backprop.graph.svg import to_svg

MOST_DIGITS = 17


class Picture:
    """A graph that can be drawn. Each format takes the options of `diagram`."""

    def diagram(self, *, local: bool = False, digits: int = 4) -> Diagram:
        """Return the nodes and edges to draw.

        Parameters
        ----------
        local : bool
            Include local derivatives or, for a network, the norms of the parameter gradients.
        digits : int
            Significant digits, at most 17, which distinguish all floats.

        Raises
        ------
        TypeError, ValueError
            If an option is not of that kind or out of range.
        RuntimeError
            If nothing was recorded.
        """
        where = type(self).__name__
        local = flag(where, "local", local)
        digits = positive_integer(where, "digits", digits)
        if digits > MOST_DIGITS:
            raise ValueError(f"{where}: digits must be at most {MOST_DIGITS}, got {shown(digits)}")
        return self._drawn(local, digits)

    def _drawn(self, local: bool, digits: int) -> Diagram:
        raise NotImplementedError

    def to_svg(self, *, local: bool = False, digits: int = 4) -> str:
        """Return an SVG picture, with forward values above the edges and gradients below, in colour."""
        return to_svg(self.diagram(local=local, digits=digits))

    def to_html(self, *, digits: int = 4) -> str:
        """Return a page that plays the passes, as one HTML file. Raises ValueError for NaN and infinity."""
        return to_html(self.diagram(local=True, digits=digits))

    def to_mermaid(self, *, local: bool = False, digits: int = 4) -> str:
        """Return a Mermaid flowchart, which GitHub draws in Markdown files."""
        return to_mermaid(self.diagram(local=local, digits=digits))

    def to_dot(self, *, local: bool = False, digits: int = 4) -> str:
        """Return a graph in the DOT language of Graphviz."""
        return to_dot(self.diagram(local=local, digits=digits))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON, with all digits."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        """Return whether the other is a graph of the same kind with the same numbers."""
        if not isinstance(other, Picture) or type(other) is not type(self):
            return NotImplemented
        return self is other or self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def _repr_svg_(self) -> str:
        return self.to_svg()
