"""The names that the caller's source gives to the arguments of a call and to its result.

`price = tax.forward(apple_price, 1.1)` names the result "price" and the operand "apple_price"; 1.1 is a
constant. So the book's program, unchanged, draws a graph with the book's names.
"""

import ast
import linecache
from collections import ChainMap, deque
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from types import FrameType
from typing import NamedTuple

LONGEST = 16  # letters of the longest expression that serves as a name


class Argument(NamedTuple):
    """The source of an argument.  text: "" if it is too long for a name."""

    text: str
    literal: bool


class Call(NamedTuple):
    """The source of a call: its positional arguments, and the name that its result is assigned to.

    aliases: names that the enclosing function assigns to other names, as in `b = a`.
    has_source: False if there is no source to read, as at the prompt of an interpreter before Python 3.13.
    """

    arguments: tuple[Argument, ...]
    target: str
    aliases: dict[str, str]
    has_source: bool = True


def call_in(frame: FrameType) -> Call:
    """Return the call that a frame is making, without arguments if the source is unavailable."""
    unknown = Call((), "", {})
    place = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    if not lines:
        return unknown._replace(has_source=False)
    call = _calls("".join(lines)).get(place, unknown) if place else unknown
    if not call.aliases:
        return call
    names = ChainMap(frame.f_locals, frame.f_globals)
    return call._replace(arguments=tuple(_first_named(each, call.aliases, names) for each in call.arguments))


def _first_named(argument: Argument, aliases: dict[str, str], names: Mapping[str, object]) -> Argument:
    """Return an argument under the first name of its object, if that name still refers to it."""
    seen = [argument.text]
    while (other := aliases.get(seen[-1])) and other in names and names[other] is names.get(seen[-1]):
        if other in seen:  # a = b, b = a
            return argument._replace(text=min(seen[seen.index(other) :]))
        seen.append(other)
    return argument._replace(text=seen[-1])


@lru_cache(maxsize=16)
def _calls(source: str) -> dict[tuple[int | None, ...], Call]:
    """Return every call in a source by position: first and last line, first and last column."""
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
    """Yield every node, outer ones first, with a dictionary shared by its enclosing function."""
    waiting: deque[tuple[ast.AST, dict[str, str]]] = deque([(tree, {})])
    while waiting:
        node, scope = waiting.popleft()
        yield node, scope
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            scope = {}
        waiting.extend((child, scope) for child in ast.iter_child_nodes(node))


def _without_stars(call: ast.Call) -> list[ast.expr]:
    """Return the positional arguments, or none if a starred one makes their number unknown."""
    return [] if any(isinstance(each, ast.Starred) for each in call.args) else call.args


def _argument(node: ast.expr) -> Argument:
    number = node.operand if isinstance(node, ast.UnaryOp) else node
    text = ast.unparse(node)
    return Argument(text if len(text) <= LONGEST else "", isinstance(number, ast.Constant))
