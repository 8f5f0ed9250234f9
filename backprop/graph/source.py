"""The names that a caller's own source gives to the arguments of a call and to its result.

`price = tax.forward(apple_price, 1.1)` names a result "price" and an operand "apple_price", and 1.1 is a
constant: so the program of the book, as it stands, draws a graph with the book's names.
"""

import ast
import linecache
from collections import ChainMap, deque
from collections.abc import Iterator, Mapping
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
    """A call as it is written: its positional arguments, and the name that its result is assigned to.

    aliases: which name the function around it assigns to which, as in `b = a`.
    """

    arguments: tuple[Argument, ...]
    target: str
    aliases: dict[str, str]


def call_in(frame: FrameType) -> Call:
    """The call that a frame is just making; without arguments where its source is not at hand."""
    unknown = Call((), "", {})
    place = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    call = _calls("".join(lines)).get(place, unknown) if place else unknown
    if not call.aliases:
        return call
    names = ChainMap(frame.f_locals, frame.f_globals)
    return call._replace(arguments=tuple(_first_named(each, call.aliases, names) for each in call.arguments))


def _first_named(argument: Argument, aliases: dict[str, str], names: Mapping[str, object]) -> Argument:
    """An argument under the name that its object had first, if it still has that name."""
    seen = [argument.text]
    while (other := aliases.get(seen[-1])) and other in names and names[other] is names.get(seen[-1]):
        if other in seen:  # a = b, b = a
            return argument._replace(text=min(seen[seen.index(other) :]))
        seen.append(other)
    return argument._replace(text=seen[-1])


@lru_cache(maxsize=16)
def _calls(source: str) -> dict[tuple[int | None, ...], Call]:
    """Every call of a source by its place: first and last line, first and last column."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    targets: dict[ast.expr, ast.expr] = {}
    calls: dict[tuple[int | None, ...], Call] = {}
    for node, aliases in _scoped(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            targets[node.value] = node.targets[0]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            targets[node.value] = node.target
        if isinstance(node, ast.Name) and isinstance(target := targets.get(node), ast.Name):
            aliases[target.id] = node.id
        elif isinstance(node, ast.Call):
            target = targets.get(node)
            name = target.id if isinstance(target, ast.Name) else ""
            place = node.lineno, node.end_lineno, node.col_offset, node.end_col_offset
            calls[place] = Call(tuple(map(_argument, _without_stars(node))), name, aliases)
    return calls


def _scoped(tree: ast.AST) -> Iterator[tuple[ast.AST, dict[str, str]]]:
    """Every node, outer ones first, and a dictionary for the function that it is in."""
    waiting: deque[tuple[ast.AST, dict[str, str]]] = deque([(tree, {})])
    while waiting:
        node, scope = waiting.popleft()
        yield node, scope
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            scope = {}
        waiting.extend((child, scope) for child in ast.iter_child_nodes(node))


def _without_stars(call: ast.Call) -> list[ast.expr]:
    """The positional arguments; none where a star makes their number unknown."""
    return [] if any(isinstance(each, ast.Starred) for each in call.args) else call.args


def _argument(node: ast.expr) -> Argument:
    number = node.operand if isinstance(node, ast.UnaryOp) else node
    text = ast.unparse(node)
    return Argument(text if len(text) <= LONGEST else "", isinstance(number, ast.Constant))
