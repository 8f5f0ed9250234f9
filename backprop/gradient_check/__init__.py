"""The gradient check: is a backward pass the derivative of its forward pass, and if not, why and where.

check.py        `check_gradients`: runs the object twice, compares every array, asks for the reasons
subjects.py     a layer, loss or network as one number that depends on arrays, on copies
comparison.py   derivatives of that number, and gradients against them
excuses.py      what looks like a wrong gradient and is none: rounding, kinks, steps too coarse
locating.py     where a gradient is off
verdicts.py     what is wrong with an object or a gradient
suspicions.py   the tests that confirm a reason
report.py       the outcome as a table, as JSON's terms and as an assertion
"""

from backprop.gradient_check.check import check_gradients
from backprop.gradient_check.report import ArrayCheck, GradientReport, Verdict

__all__ = ["ArrayCheck", "GradientReport", "Verdict", "check_gradients"]
