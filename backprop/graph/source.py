"""The names that a caller's own source gives to the arguments of a call and to its result.

`price = tax.forward(apple_price, 1.1)` names a result "price" and an operand "apple_price", and 1.1 is a
constant: so the program of the book, as it stands, draws a graph with the book's names.
"""

import ast
import linecache
from functools import lru_cache
from itertools import islice
from types import FrameType
from typing import NamedTuple

LONGEST = 16  # letters of an expression that still serves as a name


class Argument(NamedTuple):
    """An argument as it is written: its text, "" where that is no use as a name."""

    text: str
    literal: bool


class Call(NamedTuple):
    """A call as it is written: its positional arguments, and the name that its result is assigned to."""

    arguments: tuple[Argument, ...]
    target: str


def call_in(frame: FrameType) -> Call:
    """The call that a frame is just making; without arguments where its source is not at hand."""
    place = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    return _calls("".join(lines)).get(place, Call((), "")) if place else Call((), "")


@lru_cache(maxsize=16)
def _calls(source: str) -> dict[tuple[int | None, ...], Call]:
    """Every call of a source by its place: first and last line, first and last column."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return {}
    targets = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            targets[node.value] = node.targets[0]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            targets[node.value] = node.target
    calls: dict[tuple[int | None, ...], Call] = {}
    for node in nodes:
        if isinstance(node, ast.Call):
            target = targets.get(node)
            name = target.id if isinstance(target, ast.Name) else ""
            place = node.lineno, node.end_lineno, node.col_offset, node.end_col_offset
            calls[place] = Call(tuple(map(_argument, _without_stars(node))), name)
    return calls


def _without_stars(call: ast.Call) -> list[ast.expr]:
    """The positional arguments; none where a star makes their number unknown."""
    return [] if any(isinstance(each, ast.Starred) for each in call.args) else call.args


def _argument(node: ast.expr) -> Argument:
    number = node.operand if isinstance(node, ast.UnaryOp) else node
    text = ast.unparse(node)
    return Argument(text if len(text) <= LONGEST else "", isinstance(number, ast.Constant))
