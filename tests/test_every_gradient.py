"""Every layer's and network's backward against the derivative of its forward, on every backend."""

from pathlib import Path
from runpy import run_path

import numpy as np
import pytest

import backprop
from backends import asarray
from backprop import check_gradients, layers, losses, networks, scalar
from backprop.arrays.initializers import generator
from backprop.gradient_check.check import target_of
from backprop.gradient_check.comparison import Comparison
from backprop.layers import ReLU

# By its path, since the package that it is in needs click, which a machine with a GPU may lack.
CASES = run_path(str(Path(backprop.__file__).parent / "cli" / "check_cases.py"))["CASES"]
SCALAR = set(scalar.__all__) - {"ScalarLayer"}
EVERY_CASE = [
    pytest.param(case, id=f"{name}, {case.what}".replace(" ", "_")) for name in CASES for case in CASES[name]
]


def test_every_layer_and_network_has_a_case():
    assert (
        set(CASES)
        == (set(layers.__all__) - {"Layer"})
        | (set(losses.__all__) - {"Loss"})
        | (set(networks.__all__) - {"FileError", "to_torch"})
        | SCALAR
    )
    for name, cases in CASES.items():
        assert cases, f"{name} has no case"
        assert {type(case(generator(0), backprop.get_backend())[0]).__name__ for case in cases} == {name}


# The next test takes every entry by the complex step.
@pytest.mark.parametrize(("method", "mode"), [("complex", "fast"), ("central", "full")])
@pytest.mark.parametrize("case", EVERY_CASE)
def test_backward_is_the_derivative_of_forward(backend, case, method, mode):
    obj, *inputs = case(generator(0), backend)
    if mode == "full":
        skip_if_slow(backend, obj)
    report = check_gradients(obj, *inputs, method=method, mode=mode)
    report.assert_ok()
    assert report.method == method, f"the check took another method: {report.note}"


# Not those cases that are marked hostile: where all samples are classified right with near certainty, the
# gradient is what is left of probabilities of nearly 1 less 1. Its digits are lost in that subtraction, in
# backward as well as in the derivative, so that they agree to 1e-16 of the probabilities and not of itself.
@pytest.mark.parametrize("case", [parameter for parameter in EVERY_CASE if not parameter.values[0].hostile])
def test_the_complex_step_agrees_to_13_digits(backend, case):
    obj, *inputs = case(generator(0), backend)
    if case.what != "a chain of all layers":
        skip_if_slow(backend, obj)
    for name, (backward, numerical) in both_gradients(obj, *inputs).items():
        largest = max(abs(backward).max(), abs(numerical).max())
        assert abs(backward - numerical).max() <= 1e-13 * largest, name


def skip_if_slow(backend, obj):
    """Skip every entry of a network on the strict backend: its layers have cases of their own there."""
    if backend.name == "array_api_strict" and isinstance(obj, networks.Network):
        pytest.skip("too slow for every entry of a network")


def both_gradients(obj, *inputs):
    """By name, in float64: the gradient from backward, and every entry by the complex step."""
    target = target_of(obj, inputs, generator(0))
    run = target.run(target.copy())
    if len(run.inputs) > len(target.wanted):
        target = target.with_inputs(run.inputs)
        run = target.run(target.copy())
    comparison = Comparison(target, run, "complex")
    assert comparison.measure() == "", "the complex step could not be taken"
    return {name: (backward, comparison.every_entry(name)) for name, backward in run.gradients.items()}


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_a_wrong_backward_is_found_with_its_place(backend, mode):
    class Doubled(ReLU):
        def backward(self, dout):
            return 2.0 * super().backward(dout)

    x = asarray(np.random.default_rng(0).normal(size=(7, 2, 3)))
    report = check_gradients(Doubled(), x, mode=mode)
    with pytest.raises(AssertionError, match="WRONG"):
        report.assert_ok()
    (wrong,) = report.arrays
    assert wrong.backward == pytest.approx(2.0 * wrong.numerical)
    assert f"x{wrong.index}: backward" in str(report)
