"""The gradient checks against the black box, which evaluates the loss for every parameter, and the book's.

All run on one network and the same 3 samples, in turns, since ratios matter and a machine drifts.

`python -m benchmarks.bench_gradient_check` times the fast checks in a process that does nothing else. They
are slower there, because freed memory is returned to the system and has to be mapped again page by page.
"""

import time
from statistics import median

import numpy as np
import pytest

from backprop import TwoLayerNet, check_gradients
from backprop.layers import Affine, ReLU, SoftmaxCrossEntropy
from backprop.networks.jacobian import gradient_by_columns, places
from backprop.networks.network import Network
from benchmarks import book
from benchmarks.conftest import Case

SIZES = 784, 50, 10
BATCH = 3
PLANTED, FAULT = (123, 45), 1e-6
FACTOR = 1.001


class OneEntryOff(Affine):
    """An affine map whose dW is wrong in one entry."""

    def derive(self, xp, dout, x, W):
        dx, dW, db = super().derive(xp, dout, x, W)
        dW[PLANTED] += FAULT
        return dx, dW, db


class SlightlySteep(ReLU):
    """A ReLU whose derivative is too large by a factor, which makes all gradients before it wrong."""

    def derive(self, xp, dout, out):
        return FACTOR * super().derive(xp, dout, out)


def wrong_network(affine=Affine, relu=ReLU):
    """Return the network of this benchmark with the same weights and other classes for its first layers."""
    n_in, n_hidden, n_out = SIZES
    options = {"rng": np.random.default_rng(0), "dtype": "float64"}
    layers = {
        "Affine1": affine.create(n_in, n_hidden, **options),
        "ReLU1": relu(),
        "Affine2": Affine.create(n_hidden, n_out, **options),
    }
    return Network(layers, SoftmaxCrossEntropy(), n_in, n_out)


def by_columns(net, x, t, method):
    """Return the numerical gradient of all parameters as full mode computes it."""
    return {
        outer: gradient_by_columns(place, own, method)
        for place in places(net, x, t)
        if place.layer is not None
        for own, outer in place.names.items()
    }


def book_network(net, backend):
    """Return the book's network with the same weights."""
    theirs = book.TwoLayerNet(*SIZES)
    for name, array in net.params.items():
        theirs.params[name][...] = backend.to_numpy(array)
    return theirs


# Checks of the result of each call.


def agrees(backend, expected, tolerance):
    """Return a check that accepts gradients near the expected ones."""

    def check(gradients):
        assert gradients.keys() == expected.keys()
        for name in expected:
            pair = backend.to_numpy(gradients[name]), backend.to_numpy(expected[name])
            np.testing.assert_allclose(*pair, rtol=0, atol=tolerance, err_msg=name)

    return check


def is_right(report):
    report.assert_ok()


def names_the_entry(report):
    wrong = {array.name: array.index for array in report.arrays if not array.ok}
    assert wrong == {"W1": [*PLANTED]}, str(report)


def names_the_layer(report):
    (fault,) = report.faults
    assert fault.kind == "constant factor" and "ReLU1" in fault.why and str(FACTOR) in fault.why, str(report)
    assert {array.name for array in report.arrays if not array.ok} == {"W1", "b1", "x"}, str(report)


def samples():
    rng = np.random.default_rng(0)
    return rng.random((BATCH, SIZES[0])), rng.integers(SIZES[-1], size=BATCH)


def right_network():
    return TwoLayerNet(*SIZES, dtype="float64", rng=0)


def fast_cases(x, t):
    """Return fast checks of a right network and of two wrong ones."""
    nets = {
        "fast: check": (right_network(), is_right),
        "fast: one entry wrong": (wrong_network(affine=OneEntryOff), names_the_entry),
        "fast: a layer wrong": (wrong_network(relu=SlightlySteep), names_the_layer),
    }
    return [
        Case(what, "complex", lambda net=net: check_gradients(net, x, t), check, 21)
        for what, (net, check) in nets.items()
    ]


@pytest.mark.benchmark(group="gradient checks, all in turns")
def test_gradient_checks(in_turns, backend):
    if backend.name == "array_api_strict":
        pytest.skip("array_api_strict is there to prove correctness: its black box would take minutes here")
    net, on_host = right_network(), samples()
    x, t = map(backend.asarray, on_host)
    gradient = net.gradient(x, t)
    largest = max(float(abs(backend.to_numpy(array)).max()) for array in gradient.values())
    near = {
        "central": agrees(backend, gradient, 1e-7),
        "complex": agrees(backend, gradient, 1e-13 * largest),
    }

    cases = []
    if backend.name == "numpy":
        theirs = book_network(net, backend)
        # The tolerance covers the book's 1e-7 in the logarithm and its large step.
        near_the_book = agrees(backend, gradient, 1e-5)
        cases += [
            Case("the book's loop", "central", lambda: theirs.numerical_gradient(*on_host), near_the_book)
        ]
    for by in ("central", "complex"):
        cases += [Case("black box", by, lambda by=by: net.numerical_gradient(x, t, by), near[by])]
    for by in ("central", "complex"):
        cases += [
            Case("full: parameters", by, lambda by=by: by_columns(net, x, t, by), near[by], 5),
            Case(
                "full: check",
                by,
                lambda by=by: check_gradients(net, x, t, method=by, mode="full"),
                is_right,
                5,
            ),
        ]
    in_turns(cases + fast_cases(x, t), rounds=5, network="784-50-10", batch=BATCH, dtype="float64")


def in_this_process(calls=101):
    """Print the time of the first call and the median of all calls, for each fast check."""
    for case in fast_cases(*samples()):
        seconds = []
        for _ in range(calls):
            start = time.perf_counter()
            result = case.function()
            seconds.append(time.perf_counter() - start)
            case.check(result)
        first, middle = seconds[0] * 1e3, median(seconds) * 1e3
        print(f"{case.what}: first call {first:.1f} ms, median of {calls} calls {middle:.1f} ms")


if __name__ == "__main__":
    in_this_process()
