"""Right layers raise no alarm at any seed, shape and input; a small planted error is found and located.

Each search runs a fixed set of examples by default; `pytest -m slow` runs ten times as many new ones.
"""

from functools import wraps

import numpy as np
import pytest
import right_layers
import spellings

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import LAYERS, SEEDS, maxima, networks, single

from backprop import check_gradients
from backprop.arrays.initializers import generator
from backprop.gradient_check.check import target_of

MODES = st.sampled_from(["fast", "full"])
BUDGETS = pytest.mark.parametrize(
    "budget", [pytest.param(1, id="fixed"), pytest.param(10, id="new", marks=pytest.mark.slow)]
)


def for_all(check, examples, *strategies):
    """Run a check on random examples: the same ones every time if there are few, otherwise new ones."""
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
    """A right gradient may be too small to check if forward is not analytic; then the verdict says so."""
    before = bits(case)
    report = check_gradients(case.obj, *case.inputs, method=method, mode=mode, rng=rng)
    off = {array.verdict for array in report.arrays if not array.ok}
    assert not off or (off == {"cannot tell"} and is_not_analytic(case.obj)), str(report)
    assert report.ok == bool(report) == (not off), str(report)
    assert not case.names or {array.name for array in report.arrays} == {*case.names}, str(report)
    assert bits(case) == before


def is_not_analytic(obj):
    return type(obj) in (right_layers.Magnitude, right_layers.RealSquare, right_layers.OnlyFloats)


def bits(case):
    """Return everything that the caller passed in, bit for bit."""
    return [(array.dtype, array.tobytes()) for array in arrays_in([vars(case.obj), case.inputs])]


def arrays_in(value):
    """Return the arrays in a value, also those in mappings and lists."""
    if isinstance(value, (dict, list, tuple)):
        items = value.values() if isinstance(value, dict) else value
        return [array for item in items for array in arrays_in(item)]
    return [np.asarray(value)] if hasattr(value, "dtype") else []


@BUDGETS
@pytest.mark.parametrize(
    ("method", "right", "examples"),
    [
        pytest.param("complex", LAYERS, 400, id="complex, layers"),
        pytest.param("complex", networks(), 250, id="complex, networks"),
        pytest.param("central", LAYERS, 150, id="central, layers"),
        pytest.param("central", networks(), 100, id="central, networks"),
    ],
)
def test_no_right_layer_raises_an_alarm(method, right, examples, budget):
    def check(case, mode, rng):
        assert_no_alarm(case, method, mode, rng)

    for_all(check, budget * examples, right, MODES, SEEDS)


@BUDGETS
def test_a_right_layer_of_single_precision_raises_no_alarm_and_a_wrong_one_never_passes(budget):
    def right(case, mode, rng):
        report = check_gradients(case.obj, *case.inputs, mode=mode, rng=rng)
        verdicts = {array.verdict for array in report.arrays}
        assert verdicts <= {"ok to single precision", "cannot tell", "ok", "zero", "kink"}, str(report)

    def wrong(case, mode, rng, by):
        _, run = gradients_of(case, rng)
        assume(abs(run.gradients["x"]).max() > 1e-3)
        case.obj.factor = by
        assert not check_gradients(case.obj, *case.inputs, mode=mode, rng=rng).ok

    for_all(right, budget * 30, single(), MODES, SEEDS)
    factors = st.sampled_from([1.01, 0.99, 1.1, 0.5, 2.0, -1.0, 0.0])
    for_all(wrong, budget * 30, single(), MODES, SEEDS, factors)


@BUDGETS
def test_ties_whose_shares_sum_to_more_than_1_are_called_and_no_others(budget):
    def check(case, method, mode, rng):
        report = check_gradients(case.obj, *case.inputs, method=method, mode=mode, rng=rng)
        (x,) = case.inputs
        is_tied = ((x == x.max(axis=1, keepdims=True)).sum(axis=1) > 1).any()
        if case.obj.share == "all" and is_tied:
            assert [array.verdict for array in report.arrays] == ["ties"], str(report)
        else:
            assert report.ok, str(report)

    for_all(check, budget * 100, maxima(), st.sampled_from(["complex", "central"]), MODES, SEEDS)


# ------------------------------------------------------------------------------- no miss of a small error

ERROR = 1e-6  # relative


def gradients_of(case, rng):
    """Return the gradients that a check with this seed sees, for the dout that it draws, and the terms."""
    target = target_of(case.obj, case.inputs, generator(rng))
    run = target.run(target.copy())
    if len(run.inputs) > len(target.wanted):
        target = target.with_inputs(run.inputs)
        run = target.run(target.copy())
    return target, run


def with_error(obj, name, index):
    """Make one entry of one of the object's gradients wrong."""
    kind = type(obj)

    def spoilt(gradient):
        gradient = np.array(gradient)
        gradient[index] *= 1.0 + ERROR
        return gradient

    if isinstance(obj, spellings.Dense):

        def method(self, which, gradient):
            return spoilt(gradient) if which == name else gradient

        method.__name__ = "spoil"

    elif hasattr(kind, "gradient"):

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
    """Return whether this entry of the gradient hardly changes nearby; at a kink, either slope is right."""
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
        right = check_gradients(case.obj, *case.inputs, rng=rng)
        assume(right.method == "complex")
        _, run = gradients_of(case, rng)
        names = sorted(name for name, gradient in run.gradients.items() if gradient.any())
        assume(names)
        name = names[choice % len(names)]
        gradient = run.gradients[name]
        largest = np.argwhere(abs(gradient) >= 0.5 * abs(gradient).max())
        index = tuple(largest[choice % len(largest)])
        (row,) = (array for array in right.arrays if array.name == name)
        assume(row.verdict == "ok" and ERROR * abs(gradient[index]) > 4.0 * row.limit)
        assume(is_smooth_at(case, name, index, rng, gradient))
        report = check_gradients(with_error(case.obj, name, index), *case.inputs, rng=rng)
        assert not report.ok
        assert [array.name for array in report.arrays if not array.ok] == [name]
        assert {array.name: array.index for array in report.arrays}[name] == list(index)
        found.append(name)

    for_all(check, budget * 200, st.one_of(LAYERS, networks()), SEEDS, SEEDS)
    assert len(found) >= budget * 150
