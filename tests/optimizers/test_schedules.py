"""Schedules: their factors and momenta over a run."""

import math

import pytest

from backprop.optimizers import Constant, Cosine, OneCycle, Schedule, StepDecay, WarmUp


def factors(schedule, total):
    return [schedule.factor(step, total) for step in range(total)]


def test_step_decay():
    assert factors(StepDecay(3, by=0.5), 8) == [1.0] * 3 + [0.5] * 3 + [0.25] * 2
    assert factors(StepDecay(5), 8)[-1] == 0.1


def test_cosine_falls_from_one_to_its_floor():
    total, floor = 1000, 0.2
    found = factors(Cosine(floor), total)
    assert found[0] == 1.0 and found == sorted(found, reverse=True)
    assert found[total // 2] == pytest.approx((1 + floor) / 2)
    assert floor < found[-1] < floor + 1e-5
    assert found[100] == pytest.approx(floor + (1 - floor) / 2 * (1 + math.cos(math.pi / 10)))


def test_one_cycle_is_two_straight_lines():
    found = factors(OneCycle(rise=0.25, start=0.2, end=0.1), 100)
    assert found[0] == pytest.approx(0.2) and found[25] == 1.0 == max(found)
    rising = [b - a for a, b in zip(found[:25], found[1:26], strict=True)]
    falling = [b - a for a, b in zip(found[25:-1], found[26:], strict=True)]
    assert rising == pytest.approx([0.8 / 25] * 25) and falling == pytest.approx([-0.9 / 75] * 74)


def test_the_momentum_of_one_cycle_runs_opposite_to_the_rate():
    cycle = OneCycle(rise=0.5, momentum=(0.9, 0.7))
    momenta = [cycle.momentum(step, 100) for step in range(100)]
    assert momenta[0] == momenta.index(0.7) / 50 * 0.9 and min(momenta) == momenta[50] == 0.7
    rates = factors(cycle, 100)
    changes = [(b - a) * (d - c) for a, b, c, d in zip(rates, rates[1:], momenta, momenta[1:], strict=False)]
    assert all(change < 0 for change in changes)
    assert OneCycle().momentum(3, 100) is None


def test_warm_up_rises_to_the_first_factor_of_what_follows():
    schedule = WarmUp(4, then=Cosine())
    assert factors(schedule, 12) == pytest.approx([0.2, 0.4, 0.6, 0.8, *factors(Cosine(), 8)])
    assert factors(WarmUp(3), 5) == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert factors(WarmUp(1, then=lambda step: 0.5 / (1 + step)), 3) == [0.25, 0.5, 0.25]


def test_warm_up_hands_the_momentum_on():
    cycle = OneCycle(momentum=(0.9, 0.8))
    schedule = WarmUp(5, then=cycle)
    assert [schedule.momentum(step, 15) for step in (0, 4, 5, 9)] == [
        cycle.momentum(step, 10) for step in (0, 0, 0, 4)
    ]


def test_a_warm_up_longer_than_the_run():
    assert factors(WarmUp(9, then=Cosine()), 3) == pytest.approx([0.1, 0.2, 0.3])


@pytest.mark.parametrize("schedule", [Constant(), StepDecay(1), Cosine(), OneCycle(), WarmUp(2, Cosine())])
@pytest.mark.parametrize("total", [1, 2, 3, 10])
def test_every_factor_of_every_run_is_a_number_from_0_to_1(schedule, total):
    assert all(isinstance(factor, float) and 0 <= factor <= 1 for factor in factors(schedule, total))


def test_a_schedule_without_a_factor():
    with pytest.raises(TypeError, match=r"^Schedule: a schedule needs factor\(self, step, total\)"):
        Schedule().factor(0, 1)


def test_the_settings_are_shown():
    assert repr(WarmUp(5, then=StepDecay(3))) == "<WarmUp, steps 5, then <StepDecay, every 3, by 0.1>>"
    assert repr(Constant()) == "<Constant>"
