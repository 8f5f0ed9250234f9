"""The directive `{sources}`: the files of a folder, each with its first line and, closed, its code.

    ```{sources} backprop/layers
    layer.py
    affine.py
    ```

The content gives the order; files that it does not name follow as "The rest". Files to which the page's
section "In which order to read it" links are in bold. An id per file makes links to it possible.
"""

import ast
import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from docs.site.paths import LANGUAGES, ROOT, anchor, files_of, relative

ORDER = re.compile(r"^#+ In which order to read it\n(.*?)^#", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)\)")


class closed(nodes.General, nodes.Element):
    """A `<details>` element with the path of a file and its first line as the summary."""


class Sources(SphinxDirective):
    """The files of a folder, or one file."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return an element per file, in the order of the content."""
        place = self.arguments[0].rstrip("/")
        if not (ROOT / place).exists():
            raise self.error(f"sources: {place} is not in the repository")
        files = {path.name: path for path in files_of(place)}
        first = [line.strip() for line in self.content if line.strip()]
        if missing := [name for name in first if name not in files]:
            raise self.error(f"sources: {place} has no {', '.join(missing)}")
        order = [*first, *(name for name in files if name not in first)]
        group = nodes.container(classes=["sources"])
        if (ROOT / place).is_dir():
            group["ids"].append(anchor(place))
        read = to_read(Path(self.env.doc2path(self.env.docname)))
        for at, name in enumerate(order):
            if at == len(first) > 0:
                group += nodes.paragraph("", "The rest:")
            group += self.file(files[name], files[name] in read)
        return [group]

    def file(self, path: Path, read: bool) -> nodes.Element:
        """Return the element of one file."""
        self.env.note_dependency(str(path))
        text = path.read_text(encoding="utf-8")
        name = relative(path)
        element = closed(path=name, line=first_line(path.suffix, text), ids=[anchor(name)], read=read)
        element += nodes.literal_block(text, text, language=LANGUAGES[path.suffix])
        return element


def to_read(page: Path) -> set[Path]:
    """Return the files to which a page links where it says in which order to read."""
    sections = "".join(ORDER.findall(page.read_text(encoding="utf-8")))
    return {(page.parent / link).resolve() for link in LINK.findall(sections)}


def first_line(suffix: str, text: str) -> str:
    """Return the first line of a file's docstring or comment."""
    if suffix == ".py":
        lines = (ast.get_docstring(ast.parse(text)) or "").splitlines()
        return lines[0] if lines else ""
    line = next(iter(text.splitlines()), "")
    return line.strip("/*- ") if line.startswith(("//", "/*")) else ""


def _open(translator: Any, node: closed) -> None:
    path, line = escape(node["path"]), _code(escape(node["line"]))
    summary = f"<summary><code>{path}</code> <span>{line}</span></summary>"
    kind = "source first" if node["read"] else "source"
    translator.body.append(f'<details class="{kind}" id="{escape(node["ids"][0])}">{summary}\n')


def _code(line: str) -> str:
    """Return a line of prose in which `names` in backticks are code."""
    parts = line.split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))


def _close(translator: Any, node: closed) -> None:
    translator.body.append("</details>\n")


def setup(app: Sphinx) -> None:
    """Register the directive and its element."""
    app.add_node(closed, html=(_open, _close))
    app.add_directive("sources", Sources)
