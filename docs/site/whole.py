"""The directive `{page}`: a page that is a file of the repository, with its links made right.

A page of the site whose text is nothing but this directive is replaced by the file that it names.
"""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

DIRECTIVE = re.compile(r"\s*```\{page\} +(\S+)\n```\s*")
LINK = re.compile(r"(\]\()(?!\w+:|#)([^)\s]+)")


def text_of(file: Path, folder: Path) -> str:
    """Return the text of a file, its relative links as seen from another folder."""

    def moved(match: re.Match[str]) -> str:
        return match[1] + Path(os.path.relpath(file.parent / match[2], folder)).as_posix()

    return LINK.sub(moved, file.read_text(encoding="utf-8"))


def replace(app: Sphinx, docname: str, content: list[str]) -> None:
    """Put the file in the place of a page that only names it."""
    if match := DIRECTIVE.fullmatch(content[0]):
        folder = Path(app.env.doc2path(docname)).parent
        file = (folder / match[1]).resolve()
        app.env.note_dependency(str(file), docname=docname)
        content[0] = text_of(file, folder)


def setup(app: Sphinx) -> None:
    """Listen to the reading of pages."""
    app.connect("source-read", replace)
