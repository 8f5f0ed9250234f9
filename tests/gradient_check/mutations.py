"""Mutants of a function: copies of it, each changed in one place, and how to put one in its place."""

import ast
import inspect
import sys
import textwrap
from types import ModuleType

from backends import TWINS

DOES_NOT_RUN = (  # what a mutant raises that does not run at all
    TypeError,
    ValueError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    RuntimeWarning,
    NameError,
    StopIteration,
    MemoryError,
)
OTHER_OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.Div),
    ast.Div: (ast.Mult,),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Eq: (ast.NotEq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/",
    ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip


def changes(node):
    """Yield the ways in which a node of the program can be wrong: a word for each, and the changed node."""
    if isinstance(node, ast.BinOp):
        for kind in OTHER_OPERATORS.get(type(node.op), ()):
            yield f"-> {SIGNS[kind]}", ast.BinOp(node.left, kind(), node.right)
        yield "-> its left side", node.left
        yield "-> its right side", node.right
    elif isinstance(node, ast.AugAssign):
        for kind in OTHER_OPERATORS.get(type(node.op), ()):
            yield f"-> {SIGNS[kind]}=", ast.AugAssign(node.target, kind(), node.value)
        yield "-> nothing", ast.Pass()
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "-> nothing", ast.Pass()
    elif isinstance(node, ast.Compare):
        for kind in OTHER_OPERATORS.get(type(node.ops[0]), ()):
            yield f"-> {SIGNS[kind]}", ast.Compare(node.left, [kind()], node.comparators)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not is_number(node.operand):
        yield "-> +", node.operand
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "-> the opposite", node.operand
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "-> not transposed", node.value
    elif isinstance(node, ast.Slice) and isinstance(node.step, ast.UnaryOp):
        yield "-> not turned round", ast.Slice(node.lower, node.upper)
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        if node.value in (0, 1):
            yield "-> the other axis", ast.Constant(1 - node.value)
        else:
            yield "-> 1 less", ast.Constant(node.value - 1)
    elif isinstance(node, ast.Constant) and type(node.value) is float:
        yield "-> 1 more", ast.Constant(node.value + 1.0)
    elif isinstance(node, ast.keyword) and is_number(node.value) and node.arg in ("activate", "narrow"):
        yield "-> the opposite", ast.keyword(node.arg, ast.Constant(not node.value.value))
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("where"):
        condition, yes, no = node.args
        yield "-> the other way round", ast.Call(node.func, [condition, no, yes], [])
    elif is_transpose(node):
        first, second, *others = node.args
        yield "-> the first two swapped", ast.Call(node.func, [second, first, *others], [])
        *others, second, last = node.args
        yield "-> the last two swapped", ast.Call(node.func, [*others, last, second], [])


def is_number(node):
    return isinstance(node, ast.Constant)


def is_transpose(node):
    """Return whether a node is a call of `transpose` with numbers."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith("transpose") and len(node.args) > 2


def mutants_of(function, module, who):
    """Yield all mutants of a function: the change in words, the changed function; an unchanged one first.

    function: a function, property or static method. The mutants are of that kind as well.
    """
    kind = type(function) if isinstance(function, (property, staticmethod)) else lambda plain: plain
    tree = ast.parse(textwrap.dedent(inspect.getsource(plain(function))))
    body = tree.body[0]
    body.decorator_list, body.returns = [], None
    for argument in body.args.args:
        argument.annotation = None
    yield f"{who}, unchanged", kind(compiled(tree, module, who))
    passed_over = {
        part for each in [body.args, *filter(has_no_say, body.body)] if each for part in ast.walk(each)
    }
    for call in filter(is_transpose, ast.walk(body)):
        passed_over |= {*call.args}  # with another number it would have an axis twice
    for number, node in enumerate(ast.walk(body)):
        if node in passed_over:
            continue
        for word, other in changes(node):
            replace(tree, node, other)
            mutant = kind(compiled(tree, module, who))
            replace(tree, other, node)
            yield f"{who}, node {number}: {ast.unparse(node)} {word}", mutant


def plain(function):
    """Return the function inside a property or a static method, or a function itself."""
    return getattr(function, "fget", None) or getattr(function, "__func__", function)


def compiled(tree, module, who):
    """Return the function that is the only thing in a tree, with a copy of its module's globals."""
    names = dict(vars(module))
    exec(compile(ast.fix_missing_locations(tree), f"<mutant of {who}>", "exec"), names)
    return names[tree.body[0].name]


def has_no_say(statement):
    """Return whether a statement has no part in derivatives: a docstring, a check, the running statistics."""
    text = ast.unparse(statement)
    is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    no_say = "_check" in text or "running_" in text or "move" in text
    return is_docstring or no_say or text.startswith("state = ")


def replace(tree, target, other):
    """Put another node in place of a node of the tree."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, name, other)
                return
            if isinstance(value, list) and any(each is target for each in value):
                value[[each is target for each in value].index(True)] = other
                return


def put(patch, mutant, place):
    """Put a mutant in place of a twin, a method, or a function wherever it is imported.

    place: a key of TWINS, or the owner, a class or a module, and the name there.
    """
    if place in TWINS:
        patch.setitem(TWINS, place, TWINS[place]._replace(function=mutant))
        return
    owner, name = place
    if not isinstance(owner, ModuleType):
        patch.setattr(owner, name, mutant)
        return
    original = getattr(owner, name)
    for module in [*sys.modules.values()]:
        known = getattr(module, "__name__", "").partition(".")[0] in ("backends", "backprop")
        if known and vars(module).get(name) is original:
            patch.setattr(module, name, mutant)


def agrees(report, method):
    """Return whether backward agrees with the derivative, by the requested method.

    The complex step runs the formulas: where central differences alone agree, a twin computes something else.
    """
    return report.ok and report.method == method
