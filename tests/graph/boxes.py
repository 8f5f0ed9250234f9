"""The contents of an SVG of this library, parsed: boxes of texts and shapes, and points of lines."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from backprop.graph.metrics import ABOVE, BELOW, NUMBERS, number_width, word_width

SVG = "{http://www.w3.org/2000/svg}"
INHERITED = "font-family", "font-size", "text-anchor", "fill", "data-show"


@dataclass(frozen=True)
class Box:
    """A rectangle, with its element and the attributes it has or inherits."""

    what: str
    left: float
    top: float
    right: float
    bottom: float
    attributes: dict

    def meets(self, other, by=0.0):
        """Return whether two boxes overlap by more than `by`."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > by
            and min(self.bottom, other.bottom) - max(self.top, other.top) > by
        )

    def holds(self, x, y):
        return self.left < x < self.right and self.top < y < self.bottom


class Drawn:
    """The parts of a picture.  texts, shapes: boxes.  lines: by edge, points along it."""

    def __init__(self, svg):
        self.root = ElementTree.fromstring(svg)
        self.width, self.height = float(self.root.get("width")), float(self.root.get("height"))
        self.texts, self.shapes, self.lines = [], [], {}
        self._walk(self.root, {})

    def _walk(self, element, inherited):
        here = {**inherited, **element.attrib}
        match element.tag.removeprefix(SVG):
            case "text":
                self.texts.append(text_box(element.text, here))
            case "circle":
                x, y, r = (float(here[name]) for name in ("cx", "cy", "r"))
                self.shapes.append(Box("circle", x - r, y - r, x + r, y + r, here))
            case "rect" if "data-node" in here:
                x, y, width, height = (float(here[name]) for name in ("x", "y", "width", "height"))
                self.shapes.append(Box("rect", x, y, x + width, y + height, here))
            case "path" if here.get("data-show") == "line":
                self.lines[int(here["data-edge"])] = list(points(here["d"]))
        for child in element:
            self._walk(child, {name: here[name] for name in INHERITED if name in here})

    def on_edges(self, show):
        """Return the texts above ("forward") or below ("gradient") the edges, by edge."""
        found = [box for box in self.texts if box.attributes.get("data-show") == show]
        return {int(box.attributes["data-edge"]): box.what for box in found}

    def labels(self):
        """Return the texts of the nodes, by node."""
        found = [box for box in self.texts if "data-node" in box.attributes]
        return {int(box.attributes["data-node"]): box.what for box in found}


def text_box(text, attributes):
    x, y, size = (float(attributes[name]) for name in ("x", "y", "font-size"))
    mono, bold = attributes["font-family"] == NUMBERS, "font-weight" in attributes
    width = number_width(text, size) if mono else word_width(text, size, bold)
    left = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[attributes["text-anchor"]]
    return Box(text, left, y - ABOVE * size, left + width, y + BELOW * size, attributes)


def points(path):
    """Return closely spaced points along a path of M, H and C commands."""
    x = y = 0.0
    for command, numbers in re.findall(r"([MHC])([^MHC]*)", path):
        values = [float(number) for number in numbers.split()]
        if command == "M":
            x, y = values
        elif command == "H":
            yield from ((x + (values[0] - x) * k / 40, y) for k in range(41))
            x = values[0]
        else:
            x1, y1, x2, y2, x3, y3 = values
            for k in range(41):
                t = k / 40
                a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
                yield a * x + b * x1 + c * x2 + d * x3, a * y + b * y1 + c * y2 + d * y3
            x, y = x3, y3


def faults(svg):
    """Return the faults of a picture: texts that overlap, are cut off or crossed; nodes that overlap."""
    drawn = Drawn(svg)
    for i, box in enumerate(drawn.texts):
        if box.left < 0 or box.top < 0 or box.right > drawn.width or box.bottom > drawn.height:
            yield f"{box.what!r} leaves the picture"
        for other in drawn.texts[i + 1 :]:
            if box.meets(other):
                yield f"{box.what!r} and {other.what!r} overlap"
        for shape in drawn.shapes:
            own = (
                box.attributes.get("data-node") == shape.attributes["data-node"]
                or "data-local" in box.attributes
            )
            if not own and box.meets(shape):
                yield f"{box.what!r} overlaps a node"
        for edge, line in drawn.lines.items():
            if any(box.holds(x, y) for x, y in line):
                yield f"{box.what!r} is crossed by edge {edge}"
    for i, shape in enumerate(drawn.shapes):
        if any(shape.meets(other, by=0.01) for other in drawn.shapes[i + 1 :]):
            yield "two nodes overlap"
