"""What every picture of a graph can do: be drawn, in a notebook too, and be written in other languages."""

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
    """Something that has a diagram. Its options are those of `diagram`, for every way of drawing."""

    def diagram(self, *, local: bool = False, digits: int = 4) -> Diagram:
        """What there is to draw.

        local: with local derivatives, or with the norm of every parameter's gradient.  digits: significant
        ones of a number, at most the 17 that tell every float from its neighbours.
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
        """An SVG picture, as text; forward values stand above the edges, gradients below in colour."""
        return to_svg(self.diagram(local=local, digits=digits))

    def to_html(self, *, digits: int = 4) -> str:
        """A page that plays the passes, as text: one file, to be opened in a browser."""
        return to_html(self.diagram(local=True, digits=digits))

    def to_mermaid(self, *, local: bool = False, digits: int = 4) -> str:
        """A Mermaid flowchart, as text: what GitHub draws in a Markdown file."""
        return to_mermaid(self.diagram(local=local, digits=digits))

    def to_dot(self, *, local: bool = False, digits: int = 4) -> str:
        """A graph in the DOT language of Graphviz, as text."""
        return to_dot(self.diagram(local=local, digits=digits))

    def to_dict(self) -> dict[str, Any]:
        """Everything in it as JSON's terms, with all digits."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        """Whether the other is such a picture of the same numbers."""
        if not isinstance(other, Picture) or type(other) is not type(self):
            return NotImplemented
        return self is other or self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # it may change

    def _repr_svg_(self) -> str:
        return self.to_svg()
