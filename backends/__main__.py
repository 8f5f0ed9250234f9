"""The command `python -m backends`: list formulas and their twins, with --markdown as a Markdown table."""

import os
import sys
from importlib import import_module
from pathlib import Path

from backends.twins import TWINS

BACKENDS = ("numpy", "cupy")
USAGE = """Usage: python -m backends [--markdown]

  List the formulas that have twins, and the twins of each backend: their
  dtypes, their module, and the CUDA source. CuPy is not needed.

Options:
  --markdown  Print a table in Markdown.
  -h, --help  Show this message and exit.
"""


def rows() -> list[tuple[str, ...]]:
    """Return the column names, and one row for each formula that has a twin. Works without CuPy."""
    for name in BACKENDS:
        import_module(f"backends.{name}")
    formulas = dict.fromkeys(formula for _, formula in TWINS)
    cells = ((formula, *(_cell(name, formula) for name in BACKENDS)) for formula in formulas)
    return [("formula", *BACKENDS), *cells]


def _cell(backend: str, formula: str) -> str:
    """Return a twin's dtypes, module and CUDA source, or "" if there is no twin."""
    twin = TWINS.get((backend, formula))
    if twin is None:
        return ""
    module = import_module(twin.function.__module__)
    cuda = Path(str(module.__file__)).with_suffix(".cu")
    own = module.__name__.removeprefix(f"backends.{backend}.")
    files = [own, *([cuda.name] if cuda.exists() else [])]
    return f"{', '.join(twin.dtypes)}: {', '.join(files)}"


def plain(table: list[tuple[str, ...]]) -> str:
    """Return the table as a list: each formula, with a line below it for each backend that has a twin."""
    lines = []
    for formula, *cells in table[1:]:
        twins = zip(BACKENDS, cells, strict=True)
        lines += [formula, *(f"    {name:5}  {cell}" for name, cell in twins if cell)]
    return "\n".join(lines)


def markdown(table: list[tuple[str, ...]]) -> str:
    """Return the table in Markdown."""
    head, *body = table
    lines = [head, ("---",) * len(head), *((f"`{name}`", *cells) for name, *cells in body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str]) -> int:
    """Print the table and return the exit code: 2 for an unknown argument."""
    if {"-h", "--help"} & {*arguments}:
        print(USAGE, end="")
        return 0
    if arguments not in ([], ["--markdown"]):
        got = " ".join(arguments)
        print(f"python -m backends: the only option is --markdown, got {got}", file=sys.stderr)
        return 2
    try:
        print((markdown if arguments else plain)(rows()), flush=True)
    except BrokenPipeError:  # the reader has gone, as `head` does; Python would flush again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
