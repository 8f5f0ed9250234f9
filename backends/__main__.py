"""`python -m backends` lists formulas and their twins; with --markdown, as a table in Markdown."""

import sys
from importlib import import_module
from pathlib import Path

from backends.twins import TWINS

BACKENDS = ("numpy", "cupy")


def rows() -> list[tuple[str, ...]]:
    """The names of the columns, and one row for each formula that has a twin; no CuPy is needed for it."""
    for name in BACKENDS:
        import_module(f"backends.{name}")
    formulas = dict.fromkeys(formula for _, formula in TWINS)
    cells = ((formula, *(_cell(name, formula) for name in BACKENDS)) for formula in formulas)
    return [("formula", *BACKENDS), *cells]


def _cell(backend: str, formula: str) -> str:
    """The dtypes of a twin, its module, and its CUDA source if it has one; "" if there is no twin."""
    twin = TWINS.get((backend, formula))
    if twin is None:
        return ""
    module = import_module(twin.function.__module__)
    cuda = Path(str(module.__file__)).with_suffix(".cu")
    files = [module.__name__.rpartition(".")[2], *([cuda.name] if cuda.exists() else [])]
    return f"{', '.join(twin.dtypes)}: {', '.join(files)}"


def plain(table: list[tuple[str, ...]]) -> str:
    """The table as a list: below each formula a line for each backend that has a twin of it."""
    lines = []
    for formula, *cells in table[1:]:
        twins = zip(BACKENDS, cells, strict=True)
        lines += [formula, *(f"    {name:5}  {cell}" for name, cell in twins if cell)]
    return "\n".join(lines)


def markdown(table: list[tuple[str, ...]]) -> str:
    """The same as a Markdown table."""
    head, *body = table
    lines = [head, ("---",) * len(head), *((f"`{name}`", *cells) for name, *cells in body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str]) -> int:
    """Print the table; 2 for an argument that is not known."""
    if arguments not in ([], ["--markdown"]):
        got = " ".join(arguments)
        print(f"python -m backends: the only option is --markdown, got {got}", file=sys.stderr)
        return 2
    print((markdown if arguments else plain)(rows()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
