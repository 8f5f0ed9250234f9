"""Rows of measurements, written one at a time, so that a process that crashes loses none."""

import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = list[Row]


class Wrong(Exception):
    """Error: a result is wrong. The message is complete; no traceback is needed."""


class Recorder:
    """A writer of a group's rows: record("job", "ours", seconds=…) appends a JSON object as a line."""

    def __init__(self, path: Path, group: str) -> None:
        self.path, self.group = path, group

    def __call__(self, what: str, name: str, **facts: Any) -> None:
        row = {"group": self.group, "what": what, "name": name, **facts}
        with self.path.open("a") as file:
            # The leading line break ends a row that another process was writing when it was killed.
            file.write(f"\n{json.dumps(row)}\n")

    @contextmanager
    def attempt(self, what: str, name: str) -> Iterator[None]:
        """Record the error of the block, if it fails, so that the rest of the group goes on."""
        try:
            yield
        except Wrong as error:
            print(f"  {error}", flush=True)
            self("error", name, of=what, reason=str(error))
        except Exception as error:  # a library on a GPU fails in many ways
            traceback.print_exc(file=sys.stdout)
            text = " ".join(str(error).split())
            self("error", name, of=what, reason=f"{type(error).__name__}: {text}"[:300])


def read(path: Path) -> Rows:
    """Return the rows of a file, without empty lines and those cut short when their process ended."""
    rows = []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        with suppress(json.JSONDecodeError):
            rows.append(json.loads(line))
    return rows


def found(rows: Rows, what: str, name: str | None = None) -> Rows:
    """Return the rows of a kind, or only those with that name."""
    return [row for row in rows if row["what"] == what and name in (None, row["name"])]


def seconds(rows: Rows, what: str, name: str) -> list[float]:
    """Return the time of each round that was measured."""
    return [row["seconds"] for row in found(rows, what, name)]


def names(rows: Rows, what: str) -> list[str]:
    """Return the names of the rows of a kind, in the order in which they came."""
    return list(dict.fromkeys(row["name"] for row in found(rows, what)))
