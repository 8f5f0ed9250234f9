"""Two processes beside one: a step of the small network, the mean, and the arithmetic of report and model.

It is skipped without mpi4py. `python -m benchmarks.ranks` measures longer, and the big networks as well.
"""

import pytest

from benchmarks.ranks import launch, model, report, tables
from benchmarks.ranks.measure import agreement, means, steps

REASON = launch.why_not()
with_mpi = pytest.mark.skipif(REASON is not None, reason=str(REASON))

TIMED = [
    {"hidden": 4096, "batch": 1000, "ranks": 1, "seconds": [0.30, 0.20]},
    {"hidden": 4096, "batch": 1000, "ranks": 2, "seconds": [0.15, 0.16]},
]
TAKEN = [{"ranks": 2, "floats": 39_760, "mean": [6e-5, 4e-5], "allreduce": [4e-5, 4e-5]}]


def test_a_speed_up_is_the_median_of_the_rounds():
    speed_up, cost = report.lines(TIMED, TAKEN)
    assert speed_up.rounds == pytest.approx([2.0, 1.25]) and speed_up.measured == pytest.approx(1.625)
    assert (speed_up.wanted, speed_up.verdict) == ("at least 1.60", "met")
    assert cost.measured == pytest.approx(1.25) and cost.verdict == "MISSED"


def test_a_speed_up_below_the_target_is_missed():
    slower = [TIMED[0], {**TIMED[1], "seconds": [0.20, 0.16]}]
    assert report.lines(slower, [])[0].verdict == "MISSED"


def test_rows():
    one, two = report.step_rows(TIMED)
    assert one[0] == "hidden 4096, batch 1000" and one[1] == 1 and one[-1] == "1"
    assert two[2] == "155.00 (150.00 to 160.00)" and two[-1] == "1.62 (1.25 to 2.00)"
    assert report.mean_rows(TAKEN)[0][2] == "50.0 (40.0 to 60.0)"


def test_the_model_finds_the_line_that_the_points_lie_on():
    assert model.line([(x, 2.0 + 3.0 * x) for x in (1, 10, 1000)]) == pytest.approx((2.0, 3.0))
    assert model.line([(1, 1.0), (2, 4.0)])[0] == 0.0


def test_the_model_of_an_all_reduce():
    link = model.Link(100.0, 0.5)
    assert model.ring(200.0, 2, link) == pytest.approx(2 * 0.5 + 200 / 100)
    assert model.ring(200.0, 5, link) == pytest.approx(8 * 0.5 + 2 * 4 / 5 * 200 / 100)
    assert model.tree(200.0, 8, link) == pytest.approx(2 * 3 * 0.5 + 2 * 200 / 100)
    assert model.cluster(1e6, 1) == 0 < model.cluster(1e6, 8) < model.cluster(1e6, 64)


def test_what_is_sent_during_backward_is_hidden_up_to_its_length():
    both = model.cluster(4e6, 8)
    assert model.overlapped([(4e6, 1.0), (4e6, 1.0)], 8) == pytest.approx(both)
    assert model.overlapped([(4e6, 1.0), (4e6, 0.0)], 8) == pytest.approx(2 * both)


def test_the_fixed_part_of_a_step_does_not_shrink():
    compute = model.of_gpu(50, model.SMALL)
    assert compute(100) == pytest.approx(19.9e-6) and 5e-6 < compute.fixed < compute(1) < compute(100)


def test_the_model_prints_the_same_tables_in_both_forms():
    plain, marked = tables.show(False), tables.show(True)
    assert "| hidden 4096, batch 8192, TF32 | 1,000 |" in marked
    assert plain.count("1,000") == marked.count("1,000") > 0


@with_mpi
def test_one_and_two_ranks_find_the_same_losses():
    assert agreement(2, 50, 100) < 1e-6


@with_mpi
def test_a_job_that_fails_says_why():
    with pytest.raises(RuntimeError, match="exit code 1"):
        launch.run(1, {"do": "train"})


@with_mpi
@pytest.mark.benchmark(group="two processes beside one, in turns")
def test_step(benchmark, closing_table):
    timed = []
    benchmark.pedantic(
        lambda: timed.extend(steps([2], 50, 100, rounds=3 if benchmark.enabled else 1)), rounds=1
    )
    assert [each["ranks"] for each in timed] == [1, 2]
    if benchmark.enabled:
        closing_table("training by processes, medians", report.STEP_HEADER, report.step_rows(timed))


@with_mpi
@pytest.mark.benchmark(group="the mean over two processes, and MPI's bare call, in turns")
def test_mean(benchmark, closing_table):
    taken = []
    benchmark.pedantic(lambda: taken.extend(means(2, rounds=5 if benchmark.enabled else 1)), rounds=1)
    assert {each["floats"] for each in taken} >= {*report.COST_AT}
    if benchmark.enabled:
        closing_table("the mean over processes, medians", report.MEAN_HEADER, report.mean_rows(taken))
