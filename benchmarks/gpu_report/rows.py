"""What was measured, a row at a time: a process that ends early loses none that it wrote before."""

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
    """A result is not as it must be; the message says all that there is to say."""


class Recorder:
    """record("job", "ours", seconds=…) writes a row of its group; the file has a JSON object a line."""

    def __init__(self, path: Path, group: str) -> None:
        self.path, self.group = path, group

    def __call__(self, what: str, name: str, **facts: Any) -> None:
        row = {"group": self.group, "what": what, "name": name, **facts}
        with self.path.open("a") as file:
            # The line break in front ends a row that another process was writing when it was killed.
            file.write(f"\n{json.dumps(row)}\n")

    @contextmanager
    def attempt(self, what: str, name: str) -> Iterator[None]:
        """Let the rest of the group go on where this part of it fails, and say why it did."""
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
    """The rows of a file, without empty lines and those that were cut short as their process ended."""
    rows = []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        with suppress(json.JSONDecodeError):
            rows.append(json.loads(line))
    return rows


def found(rows: Rows, what: str, name: str | None = None) -> Rows:
    """The rows of a kind, or those of them that have a name."""
    return [row for row in rows if row["what"] == what and name in (None, row["name"])]


def seconds(rows: Rows, what: str, name: str) -> list[float]:
    """The time of each round, as far as there were any."""
    return [row["seconds"] for row in found(rows, what, name)]


def names(rows: Rows, what: str) -> list[str]:
    """The names of the rows of a kind, in the order in which they came."""
    return list(dict.fromkeys(row["name"] for row in found(rows, what)))
