"""The gradient check: is a backward pass the derivative of its forward pass, and if not, why and where.

check.py            `check_gradients`: runs the object twice, compares every array, asks for the reasons
requirements.py     what the object and the arrays passed in must be
subject_of.py       which subject an object is
subject.py          an object as one number that depends on arrays, on copies
layer_subject.py    a layer or a loss as such a number
network_subject.py  a network as such a number
attribute_layer.py  a layer whose arrays are attributes, as the book writes it
comparison.py       derivatives of that number, and gradients against them
excuses.py          what looks like a wrong gradient and is none: rounding, kinks, steps too coarse
locating.py         where a gradient is off
verdicts.py         what is wrong with an object or a gradient
suspicions.py       the tests that confirm a reason
report.py           the outcome as a table, as JSON's terms and as an assertion
host_arrays.py      what all of them need of arrays on the host
"""

from backprop.gradient_check.check import check_gradients
from backprop.gradient_check.report import ArrayCheck, GradientReport, Verdict

__all__ = ["ArrayCheck", "GradientReport", "Verdict", "check_gradients"]
