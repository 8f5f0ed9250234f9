"""Right layers raise no alarm at any seed, shape and input; a small planted error is found and located.

Each search runs a fixed set of examples by default; `pytest -m slow` runs ten times as many new ones.
"""

from functools import wraps

import numpy as np
import pytest

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import LAYERS, SEEDS, networks

from backprop import check_gradients
from backprop.arrays.initializers import generator
from backprop.gradient_check.check import target_of
from backprop.gradient_check.comparison import LIMITS

MODES = st.sampled_from(["fast", "full"])
BUDGETS = pytest.mark.parametrize(
    "budget", [pytest.param(1, id="fixed"), pytest.param(10, id="new", marks=pytest.mark.slow)]
)


def for_all(check, examples, *strategies):
    """Run a check on random examples: the same ones at each run if there are few, else new ones."""
    fixed = examples <= 1000
    search = settings(
        max_examples=examples,
        derandomize=fixed,
        database=None,
        print_blob=not fixed,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    search(given(*strategies)(check))()


# ----------------------------------------------------------------------------------------- no false alarm


def assert_no_alarm(case, method, mode, rng):
    before = bits(case)
    check_gradients(case.obj, *case.inputs, method=method, mode=mode, rng=rng).assert_ok()
    assert bits(case) == before


def bits(case):
    """All that the caller passed in, bit for bit."""
    arrays = [*getattr(case.obj, "params", {}).values(), *case.inputs]
    return [(np.asarray(array).dtype, np.asarray(array).tobytes()) for array in arrays]


@BUDGETS
@pytest.mark.parametrize(
    ("method", "right", "examples"),
    [
        pytest.param("complex", LAYERS, 700, id="complex, layers"),
        pytest.param("complex", networks(), 400, id="complex, networks"),
        pytest.param("central", LAYERS, 150, id="central, layers"),
        pytest.param("central", networks(), 100, id="central, networks"),
    ],
)
def test_no_right_layer_raises_an_alarm(method, right, examples, budget):
    def check(case, mode, rng):
        assert_no_alarm(case, method, mode, rng)

    for_all(check, budget * examples, right, MODES, SEEDS)


# ------------------------------------------------------------------------------- no miss of a small error

ERROR = 1e-6  # relative


def gradients_of(case, rng):
    """The gradients that a check with this seed sees, at the size of dout that it draws, and the terms."""
    target = target_of(case.obj, case.inputs, generator(rng))
    run = target.run(target.copy())
    if len(run.inputs) > len(target.wanted):
        target = target.of_inputs(run.inputs)
        run = target.run(target.copy())
    return target, run


def with_error(obj, name, index):
    """Make one entry of one of the object's gradients wrong."""
    kind = type(obj)

    def spoilt(gradient):
        gradient = np.array(gradient)
        gradient[index] *= 1.0 + ERROR
        return gradient

    if hasattr(kind, "gradient"):

        @wraps(kind.gradient)
        def method(self, *inputs, **options):
            gradients = kind.gradient(self, *inputs, **options)
            return {**gradients, name: spoilt(gradients[name])} if name in gradients else gradients

    else:

        @wraps(kind.backward)
        def method(self, *dout):
            dx = kind.backward(self, *dout)
            if name in getattr(self, "params", {}):
                self.grads[name] = spoilt(self.grads[name])
                return dx
            if not isinstance(dx, tuple):
                return spoilt(dx)
            return tuple(spoilt(d) if i == ["x", "y"].index(name) else d for i, d in enumerate(dx))

    obj.__class__ = type("Wrong", (kind,), {method.__name__: method})
    return obj


def is_smooth_at(case, name, index, rng, gradient):
    """Return whether this entry of the gradient hardly changes nearby: at a kink, either slope is right."""
    target, _ = gradients_of(case, rng)
    for seed in range(3):
        for side in (-1.0, 1.0):
            copied, nearby = target.copy(), np.random.default_rng(seed)
            for array in copied.arrays.values():
                array += side * 1e-5 * nearby.normal(size=array.shape)
            change = target.run(copied).gradients[name][index] - gradient[index]
            if not abs(change) < 0.01 * abs(gradient[index]):
                return False
    return True


@BUDGETS
def test_a_small_error_is_found_and_where_it_is(budget):
    found = []

    def check(case, rng, choice):
        assume(check_gradients(case.obj, *case.inputs, rng=rng).method == "complex")
        _, run = gradients_of(case, rng)
        names = sorted(name for name, gradient in run.gradients.items() if gradient.any())
        assume(names)
        name = names[choice % len(names)]
        gradient = run.gradients[name]
        largest = np.argwhere(abs(gradient) >= 0.5 * abs(gradient).max())
        index = tuple(largest[choice % len(largest)])
        relative, absolute = LIMITS["complex"]
        limit = relative * np.linalg.norm(gradient) + absolute * (1.0 + run.terms)
        assume(ERROR * abs(gradient[index]) > 4.0 * limit)
        assume(is_smooth_at(case, name, index, rng, gradient))
        report = check_gradients(with_error(case.obj, name, index), *case.inputs, rng=rng)
        assert not report.ok
        assert [array.name for array in report.arrays if not array.ok] == [name]
        assert {array.name: array.index for array in report.arrays}[name] == list(index)
        found.append(name)

    for_all(check, budget * 250, st.one_of(LAYERS, networks()), SEEDS, SEEDS)
    assert len(found) >= budget * 200
