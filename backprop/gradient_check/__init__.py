"""The gradient check: is a backward pass the derivative of its forward pass, and if not, why and where.

Start in fast.py, the check itself, then check.py. An adapter (adapter.py) is any object as a layer,
recognized by the names that people use (styles.py), by what its passes take (signatures.py), and by running
a copy of it (recognition.py, trial.py); cures.py says what to write where it is not.
reach.py finds its arrays, gradients.py their gradients, by place (places.py); unseen.py those that are not
compared although the output depends on them (dependence.py), stale.py what is kept of a run.
A target (target.py) is the object as a scalar function of its arrays, a comparison (comparison.py) takes its
derivatives. Where something is off, explaining.py looks closer (closer.py, kinks.py, rounding.py,
single_precision.py, blind.py) and finds the layer (culprit.py) and the cause (verdicts.py, diagnoses.py and
causes/). The result is a report (report.py), as text in screen.py.
"""

from backprop.gradient_check.adapter import Adapter
from backprop.gradient_check.check import check_gradients
from backprop.gradient_check.function import check_function
from backprop.gradient_check.report import ArrayCheck, GradientReport, Verdict

__all__ = ["Adapter", "ArrayCheck", "GradientReport", "Verdict", "check_function", "check_gradients"]
