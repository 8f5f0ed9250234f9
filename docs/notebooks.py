"""Make the notebooks of docs/ from the Markdown beside them, executed and with their outputs.

    python docs/notebooks.py            writes them
    python docs/notebooks.py --check    executes them and compares; exits with 1 if they differ

Cells whose numbers depend on the machine have the tag "varies": their text must be the same, and their
numbers close. Of matplotlib's pictures only the presence is compared; pictures of graphs are text.
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
AROUND = 60  # characters shown on either side of a difference
TINY = 1e-9  # numbers below are rounding errors, whose size alone matters


def from_source(source: Path) -> Any:
    """Return the notebook of a source, not executed; the same each time."""
    notebook = jupytext.read(source)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.nbformat_minor = 5
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i:02}"
    return notebook


def executed(source: Path) -> Any:
    """Return the notebook of a source, executed here. Raises if a cell does."""
    notebook = from_source(source)
    # ipc, because any user of the machine could listen to a kernel over TCP.
    private = Config(ConnectionFileMixin={"transport": "ipc"})
    NotebookClient(
        notebook, config=private, timeout=120, record_timing=False, coalesce_streams=True
    ).execute()
    notebook.metadata = from_source(source).metadata  # without the versions of this machine
    return notebook


def without_outputs(notebook: Any) -> list[tuple[str, str, str]]:
    """Return the part of a notebook that is in its source: id, type and text of every cell."""
    return [(cell.id, cell.cell_type, cell.source) for cell in notebook.cells]


def said(cell: Any) -> list[str]:
    """Return the outputs of a cell as texts: printed text, result and pictures."""
    texts = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        texts += [output.text] if "text" in output else []
        texts += [data[kind] for kind in ("image/svg+xml", "text/plain") if kind in data]
        texts += ["a picture"] if "image/png" in data else []
    return texts


def differences(there: Any, here: Any) -> list[str]:
    """Return the differences of the outputs here from the committed notebook, a line per cell."""
    if without_outputs(there) != without_outputs(here):
        return ["it is not the notebook of its source"]
    found = []
    for old, new in zip(there.cells, here.cells, strict=True):
        before, now = said(old), said(new)
        varies = "varies" in old.metadata.get("tags", ())
        if before != now and not (varies and _about("\n".join(before), "\n".join(now))):
            found.append(f"{old.id}: {_difference(''.join(before), ''.join(now))}")
    return found


def _difference(before: str, now: str) -> str:
    """Return where two texts first differ, with a few words of each: a picture is one long line."""
    first = len(os.path.commonprefix([before, now]))
    start = max(0, first - AROUND)
    old, new = (text[start : first + AROUND] for text in (before, now))
    return f"{old!r} has become {new!r}, from character {first} on"


def _about(before: str, now: str) -> bool:
    """Return whether two texts differ only in numbers, and these are close."""
    if NUMBER.sub("#", before) != NUMBER.sub("#", now):
        return False
    pairs = zip(map(float, NUMBER.findall(before)), map(float, NUMBER.findall(now)), strict=True)
    return all(abs(a - b) <= 0.1 * abs(a) or max(abs(a), abs(b)) < TINY for a, b in pairs)


def main() -> int:
    """Write or check every notebook; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the notebooks of docs/ from the Markdown beside them.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where one differs")
    check = parser.parse_args().check
    # The committed notebooks are made on the bundled sample, on a machine without a GPU.
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
