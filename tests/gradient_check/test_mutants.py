"""Mutants of the library's own backward passes: each one changed in one place, each one caught.

The arrays are square, 4 samples of 4 values to 4 units, so that no wrong axis betrays itself by a shape.
"""

import ast
import copy
import inspect
import textwrap

import numpy as np
import pytest

from backends import kernels
from backends.numpy_backend import NumpyBackend
from backprop import check_gradients, layers, scalar
from backprop.layers import affine, fused, relu, sigmoid, softmax_cross_entropy
from backprop.scalar import arithmetic, exponential

RNG = np.random.default_rng(4)
X, Y = RNG.normal(size=(2, 4, 4))
LABELS = [2, 0, 3, 1]

CASES = {
    "affine": lambda: (layers.Affine.create(4, 4, weight_init_std=1.0, rng=2, dtype="float64"), X),
    "relu": lambda: (layers.ReLU(), X),
    "affine_relu": lambda: (fused.AffineReLU(CASES["affine"]()[0]), X),
    "sigmoid": lambda: (layers.Sigmoid(), X),
    "loss": lambda: (layers.SoftmaxCrossEntropy(), X, LABELS),
    "mul": lambda: (scalar.MulLayer(), X, Y),
    "add": lambda: (scalar.AddLayer(), X, Y[0]),
    "sum": lambda: (scalar.SumLayer(), X, Y[0], 2.0 * X),
    "div": lambda: (scalar.DivLayer(), X, 1.5 + Y**2),
    "reciprocal": lambda: (scalar.ReciprocalLayer(), 1.5 + X**2),
    "exp": lambda: (scalar.ExpLayer(), X),
    "log": lambda: (scalar.LogLayer(), 1.5 + X**2),
}
SOURCES = [  # whose method, in which module's names, put where, and the case that runs it
    (kernels.Kernels, "affine_backward", kernels, NumpyBackend, "affine"),
    (kernels.Kernels, "relu_backward", kernels, NumpyBackend, "relu"),
    (kernels.Kernels, "affine_relu_backward", kernels, NumpyBackend, "affine_relu"),
    (kernels.Kernels, "sigmoid_backward", kernels, NumpyBackend, "sigmoid"),
    (kernels.Kernels, "softmax_cross_entropy", kernels, NumpyBackend, "loss"),
    (layers.Affine, "backward", affine, layers.Affine, "affine"),
    (fused.AffineReLU, "backward", fused, fused.AffineReLU, "affine_relu"),
    (layers.ReLU, "backward", relu, layers.ReLU, "relu"),
    (layers.Sigmoid, "backward", sigmoid, layers.Sigmoid, "sigmoid"),
    (layers.SoftmaxCrossEntropy, "backward", softmax_cross_entropy, layers.SoftmaxCrossEntropy, "loss"),
    (scalar.MulLayer, "backward", arithmetic, scalar.MulLayer, "mul"),
    (scalar.AddLayer, "backward", arithmetic, scalar.AddLayer, "add"),
    (scalar.SumLayer, "backward", arithmetic, scalar.SumLayer, "sum"),
    (scalar.DivLayer, "backward", arithmetic, scalar.DivLayer, "div"),
    (scalar.ReciprocalLayer, "backward", arithmetic, scalar.ReciprocalLayer, "reciprocal"),
    (scalar.ExpLayer, "backward", exponential, scalar.ExpLayer, "exp"),
    (scalar.LogLayer, "backward", exponential, scalar.LogLayer, "log"),
]

SHIFT = "softmax_cross_entropy, node 25: logits - xp.max(xp.real(logits), axis=1, keepdims=True)"
EQUIVALENT = {  # what changes no derivative, and why
    f"{SHIFT} -> +": "the loss is the same for logits that are shifted by any number",
    f"{SHIFT} -> its left side": "so it is without a shift",
    "softmax_cross_entropy, node 129: 0.0 -> 1 more": "adds a constant to the loss",
    "softmax_cross_entropy, node 130: 1 -> the other axis": "each loss in another place, their mean the same",
    "SoftmaxCrossEntropy.backward, node 36: 1.0 -> 1 more": "says when a product by 1 may be spared",
}


def changes(node):
    """Each way in which a node of the program can be wrong: a word for it, and the node in its place."""
    if isinstance(node, ast.BinOp):
        for kind in OTHER_OPERATORS.get(type(node.op), ()):
            yield f"-> {SIGNS[kind]}", ast.BinOp(node.left, kind(), node.right)
        yield "-> its left side", node.left
        yield "-> its right side", node.right
    elif isinstance(node, ast.Compare):
        for kind in OTHER_OPERATORS.get(type(node.ops[0]), ()):
            yield f"-> {SIGNS[kind]}", ast.Compare(node.left, [kind()], node.comparators)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "-> not transposed", node.value
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield "-> the other axis", ast.Constant(1 - node.value)
    elif isinstance(node, ast.Constant) and type(node.value) is float:
        yield "-> 1 more", ast.Constant(node.value + 1.0)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("where"):
        condition, yes, no = node.args
        yield "-> the other way round", ast.Call(node.func, [condition, no, yes], [])


OTHER_OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.Div),
    ast.Div: (ast.Mult,),
    ast.Gt: (ast.GtE, ast.Lt),
}
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<"}


def mutants():
    """All mutants: the changed function, where it belongs, and the case that runs it; named by the change."""
    for owner, method, module, target, case in SOURCES:
        function = inspect.getattr_static(owner, method)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        body = tree.body[0]
        body.body = [part for part in body.body if not is_docstring_or_check(part)]
        for number, node in enumerate(ast.walk(body)):
            if node is body or in_signature(body, node):
                continue
            for word, other in changes(node):
                mutant = copy.deepcopy(tree)
                replace(mutant, number, copy.deepcopy(other))
                names = dict(vars(module))
                exec(compile(ast.fix_missing_locations(mutant), f"<mutant of {method}>", "exec"), names)
                who = method if owner is kernels.Kernels else f"{owner.__name__}.{method}"
                name = f"{who}, node {number}: {ast.unparse(node)} {word}"
                yield pytest.param(names[method], target, method, case, id=name)


def is_docstring_or_check(statement):
    text = ast.unparse(statement)
    return (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)) or "_check" in text


def in_signature(function, node):
    return any(node is part for part in ast.walk(function.args)) or any(
        node is part for part in (ast.walk(function.returns) if function.returns else ())
    )


def replace(tree, number, other):
    """Put another node in place of the one that the walk over the function meets at that number."""
    target = list(ast.walk(tree.body[0]))[number]
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, name, other)
            elif isinstance(value, list) and target in value:
                value[value.index(target)] = other


ALL = list(mutants())
MUTANTS = [mutant for mutant in ALL if mutant.id not in EQUIVALENT]


@pytest.mark.parametrize(("mutant", "target", "method", "case"), MUTANTS)
def test_a_mutant_is_caught(monkeypatch, mutant, target, method, case):
    monkeypatch.setattr(target, method, mutant)
    try:
        report = check_gradients(*CASES[case]())
    except (TypeError, ValueError, AttributeError):  # a mutant that does not even run
        return
    assert not report.ok


@pytest.mark.parametrize("case", CASES)
def test_the_layers_themselves_pass(case):
    check_gradients(*CASES[case]()).assert_ok()


def test_there_are_many_and_every_excuse_is_still_needed():
    assert len(MUTANTS) >= 60
    assert set(EQUIVALENT) <= {mutant.id for mutant in ALL}
