"""What every picture of a graph can do: be drawn, in a notebook too, and be written in other languages."""

from typing import Any

from backprop.graph.diagram import Diagram
from backprop.graph.dot import to_dot
from backprop.graph.mermaid import to_mermaid
from backprop.graph.page import to_html
from backprop.graph.svg import to_svg


class Picture:
    """Something that has a diagram. Its options are those of `diagram`, for every way of drawing."""

    def diagram(self, *, local: bool = False, digits: int = 4) -> Diagram:
        """What there is to draw.  local: with local derivatives.  digits: significant ones of a number."""
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

    def _repr_svg_(self) -> str:
        return self.to_svg()
