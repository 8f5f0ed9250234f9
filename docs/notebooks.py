"""Make the notebooks of docs/ from their sources, the Markdown beside them: executed, with their outputs.

    python docs/notebooks.py            writes them
    python docs/notebooks.py --check    executes them and compares; exits with 1 where they differ

Cells whose numbers depend on the machine have the tag "varies": their text must be the same, their numbers
about the same. Of pictures by matplotlib only that they are there is compared; those of graphs are text.
"""

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from backprop.reporting.files import write

FOLDER = Path(__file__).parent
SOURCES = sorted(FOLDER.glob("tutorial/*.md"))
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
TINY = 1e-9  # numbers below are rounding errors, of which the order of magnitude says enough


def from_source(source: Path) -> Any:
    """The notebook of a source, not executed; the same each time."""
    notebook = jupytext.read(source)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.nbformat_minor = 5
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i:02}"
    return notebook


def executed(source: Path) -> Any:
    """The notebook of a source with the outputs that it has here.  Raises where a cell does."""
    notebook = from_source(source)
    # Why ipc: what a kernel is told over TCP everybody on the machine could hear.
    private = Config(ConnectionFileMixin={"transport": "ipc"})
    NotebookClient(notebook, config=private, timeout=120, record_timing=False).execute()
    notebook.metadata = from_source(source).metadata  # without the versions of this machine
    return notebook


def without_outputs(notebook: Any) -> list[tuple[str, str, str]]:
    """What of a notebook is in its source: identity, kind and text of every cell."""
    return [(cell.id, cell.cell_type, cell.source) for cell in notebook.cells]


def said(cell: Any) -> list[str]:
    """The outputs of a cell as texts: what it prints, what it returns, and its pictures."""
    texts = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        texts += [output.text] if "text" in output else []
        texts += [data[kind] for kind in ("image/svg+xml", "text/plain") if kind in data]
        texts += ["a picture"] if "image/png" in data else []
    return texts


def differences(there: Any, here: Any) -> list[str]:
    """How the outputs here differ from those of the notebook that is there, a line a cell."""
    if without_outputs(there) != without_outputs(here):
        return ["it is not the notebook of its source"]
    found = []
    for old, new in zip(there.cells, here.cells, strict=True):
        before, now = said(old), said(new)
        varies = "varies" in old.metadata.get("tags", ())
        if before != now and not (varies and _about("\n".join(before), "\n".join(now))):
            found.append(f"{old.id}: {before} has become {now}")
    return found


def _about(before: str, now: str) -> bool:
    """Whether two texts are the same but for numbers, and the numbers are close."""
    if NUMBER.sub("#", before) != NUMBER.sub("#", now):
        return False
    pairs = zip(map(float, NUMBER.findall(before)), map(float, NUMBER.findall(now)), strict=True)
    return all(abs(a - b) <= 0.1 * abs(a) or max(abs(a), abs(b)) < TINY for a, b in pairs)


def main() -> int:
    """Write or check every notebook; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the notebooks of docs/ from the Markdown beside them.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where one differs")
    check = parser.parse_args().check
    # Those that are committed are of the bundled sample and of a machine without a GPU.
    for name in ("BACKPROP_DATA_DIR", "BACKPROP_BACKEND", "BACKPROP_DTYPE"):
        os.environ.pop(name, None)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    code = 0
    for source in SOURCES:
        file, notebook = source.with_suffix(".ipynb"), executed(source)
        if not check:
            write(file, f"{nbformat.writes(notebook).rstrip()}\n")
            continue
        for line in differences(nbformat.read(file, as_version=4), notebook):
            print(f"{file.name}: {line}")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
