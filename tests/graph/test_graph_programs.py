"""Random programs over the scalar layers: the values and gradients of the graph are those of the formulas."""

import cmath
import inspect
import math
import operator
import random
from functools import reduce

import pytest

pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop import AddLayer, MulLayer
from backprop.graph import graph_of
from backprop.scalar import DivLayer, ExpLayer, LogLayer, ReciprocalLayer, SigmoidLayer, SumLayer

STEP = 1e-30  # of the complex step, times the operand
FORMULAS = {  # each layer with its formula, which takes complex numbers, and how many operands it has
    AddLayer: (operator.add, 2),
    MulLayer: (operator.mul, 2),
    DivLayer: (operator.truediv, 2),
    SumLayer: (lambda *xs: reduce(operator.add, xs), 3),
    ReciprocalLayer: (lambda x: 1 / x, 1),
    ExpLayer: (cmath.exp, 1),
    LogLayer: (cmath.log, 1),
    SigmoidLayer: (lambda x: 1 / (1 + cmath.exp(-x)), 1),
}
LEAVING = [
    lambda x: x + 0,
    lambda x: 2 * x,
    lambda x: 1 - x,
    lambda x: -x,
    lambda x: x / 3,
    lambda x: x**2,
    abs,
]


def is_moderate(number):
    return math.isfinite(number) and (number == 0 or 1e-30 < abs(number) < 1e30)


class Program:
    """Instructions (layer, indices of operands) over inputs and constants, and the index of the output."""

    def __init__(self, seed, size):
        draw = random.Random(seed)
        self.inputs = [draw.choice([0.5, 1.0, -2.0, draw.uniform(-3, 3)]) for _ in range(draw.randint(1, 4))]
        self.constants = [
            draw.choice([2.0, -1.0, 0.0, draw.uniform(-9, 9)]) for _ in range(draw.randint(0, 2))
        ]
        self.values = self.inputs + self.constants
        self.instructions = []
        pool = [cls() for cls in FORMULAS]  # a layer may run again and again
        for _ in range(size):
            layer = draw.choice(pool)
            count = FORMULAS[type(layer)][1]
            if not self.append(layer, draw.choices(range(len(self.values)), k=count)):
                self.append(SumLayer(), draw.choices(range(len(self.values)), k=draw.randint(1, 2)))
        used = {place for _, places in self.instructions for place in places}
        self.ends = [place for place in range(len(self.values) - size, len(self.values)) if place not in used]
        self.output = draw.choice(self.ends)
        self.named = draw.random() < 0.25  # which output, or a sum of all of them
        if not self.named and len(self.ends) > 1 and self.append(SumLayer(), self.ends):
            self.ends = [self.output] = [len(self.values) - 1]
        self.draw = draw

    def append(self, layer, places):
        """Add an instruction, unless its result is undefined or far from 1."""
        operands = [self.values[place] for place in places]
        if isinstance(layer, LogLayer) and operands[0] <= 0:
            return False
        try:
            number = FORMULAS[type(layer)][0](*operands)
        except (ArithmeticError, ValueError):
            return False
        number = number.real
        if not is_moderate(number):
            return False
        self.values.append(number)
        self.instructions.append((layer, places))
        return True

    def function(self, at=None, leaving=None):
        """Return the program as a function.  leaving: arithmetic on the first operand of `at`."""

        def program(**inputs):
            values = [*inputs.values(), *self.constants]
            for i, (layer, places) in enumerate(self.instructions):
                operands = [values[place] for place in places]
                if i == at:
                    operands[0] = leaving(operands[0])
                values.append(layer.forward(*operands))
            return [values[place] for place in self.ends]

        program.__signature__ = inspect.Signature(
            inspect.Parameter(f"x{i}", inspect.Parameter.KEYWORD_ONLY, default=number)
            for i, number in enumerate(self.inputs)
        )
        return program

    def gradients(self):
        """Return the gradient of each input, and the sum of the magnitudes of its terms."""
        found, size = [0.0] * len(self.values), [0.0] * len(self.values)
        found[self.output] = size[self.output] = 1.0
        first = len(self.inputs) + len(self.constants)
        for i in reversed(range(len(self.instructions))):
            layer, places = self.instructions[i]
            formula = FORMULAS[type(layer)][0]
            for k, place in enumerate(places):
                operands = [self.values[other] for other in places]
                step = STEP * (abs(operands[k]) or 1.0)
                operands[k] += step * 1j
                local = formula(*operands).imag / step
                found[place] += found[first + i] * local
                size[place] += size[first + i] * abs(local)
        return list(zip(found, size, strict=True))[: len(self.inputs)]


def require_right(seed, size):
    program = Program(seed, size)
    graph = graph_of(program.function(), output=program.ends.index(program.output))
    assert [float(o.out) for o in graph.operations] == pytest.approx(program.values[-len(graph.operations) :])
    assert len(graph.operations) == len(program.instructions)
    for i, (expected, magnitude) in enumerate(program.gradients()):
        got = graph.gradient(f"x{i}") or 0.0  # None where the output does not depend on it
        assert abs(got - expected) <= 1e-12 * magnitude, f"x{i}: {got} and not {expected}"


def require_told(seed, size):
    """Arithmetic outside of the layers is noticed wherever it happens."""
    program = Program(seed, size)
    constants = range(len(program.inputs), len(program.inputs) + len(program.constants))
    possible = [i for i, (_, places) in enumerate(program.instructions) if places[0] not in constants]
    if possible:
        function = program.function(program.draw.choice(possible), program.draw.choice(LEAVING))
        with pytest.raises(ValueError, match="was computed outside of the layers, so its gradient is lost"):
            graph_of(function, output=0)


def try_programs(check, count, draw):
    for _ in range(count):
        seed, size = draw.randrange(2**32), draw.randint(1, 12)
        try:
            check(seed, size)
        except Exception as error:
            raise AssertionError(f"{check.__name__}({seed}, {size})") from error


@settings(max_examples=180, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1))
def test_the_graph_of_any_program_has_its_value_and_gradients(seed):
    try_programs(require_right, 25, random.Random(seed))


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1))
def test_arithmetic_that_leaves_the_layers_is_told_of_in_any_program(seed):
    try_programs(require_told, 25, random.Random(seed))


@pytest.mark.slow
def test_a_hundred_thousand_programs():
    try_programs(require_right, 90_000, random.Random())
    try_programs(require_told, 10_000, random.Random())
