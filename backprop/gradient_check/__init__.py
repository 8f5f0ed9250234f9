"""The gradient check: is a backward pass the derivative of its forward pass, and if not, why and where.

Start in check.py. A target (target.py) is the object as a scalar function of its arrays, a comparison
(comparison.py) takes its derivatives, verdicts and diagnoses say what is wrong, false_alarms.py what is not.
"""

from backprop.gradient_check.check import check_gradients
from backprop.gradient_check.report import ArrayCheck, GradientReport, Verdict

__all__ = ["ArrayCheck", "GradientReport", "Verdict", "check_gradients"]
