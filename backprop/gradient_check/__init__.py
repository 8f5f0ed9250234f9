"""The gradient check: it tells whether backward is the derivative of forward and, if not, where and why.

Start with fast.py, the check itself, then check.py.

- **Recognizing the object.** An adapter (adapter.py) makes a layer of any object. It is recognized by the
  usual names (styles.py), by the arguments of its passes (signatures.py), and by running a copy of it
  (recognition.py, trial.py). If that fails, cures.py writes the adapter that is needed.
- **Finding its arrays.** reach.py finds the arrays, gradients.py their gradients, both by place (places.py).
  unseen.py lists arrays that the output depends on (dependence.py) but that are not compared; stale.py finds
  values kept from an earlier run.
- **Comparing.** A target (target.py) is the object as a scalar function of its arrays; a comparison
  (comparison.py) takes its derivatives.
- **Explaining.** If a gradient is off, explaining.py looks closer (closer.py, kinks.py, rounding.py,
  single_precision.py, blind.py) and finds the layer (culprit.py) and the cause (verdicts.py, diagnoses.py
  and causes/).
- **Reporting.** The result is a report (report.py); screen.py prints it.
"""

from backprop.gradient_check.adapter import Adapter
from backprop.gradient_check.check import check_gradients
from backprop.gradient_check.function import check_function
from backprop.gradient_check.report import ArrayCheck, GradientReport, Verdict

__all__ = ["Adapter", "ArrayCheck", "GradientReport", "Verdict", "check_function", "check_gradients"]
