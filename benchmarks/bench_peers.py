"""The train step beside that of other libraries, from the same weights and on the same batches.

Libraries that are not installed are skipped; the book's loop needs none. `python -m benchmarks.peers`
measures longer, and the whole job as well.
"""

import numpy as np
import pytest

from benchmarks.peers import report
from benchmarks.peers.command import GRID, STEP
from benchmarks.peers.data import Data, load
from benchmarks.peers.one_thread import one_thread
from benchmarks.peers.ours import Ours
from benchmarks.peers.registry import BY_DEFAULT, PEERS, REGULARIZED, installed, why_missing
from benchmarks.peers.regularized import OursRegularized, prepare_regularized
from benchmarks.peers.steps import Cell, a_step, bounds, prepare, works

QUICK = Cell(50, 1000), Cell(512, 100), Cell(512, 1000)


@pytest.fixture(scope="module")
def data():
    with one_thread():
        yield load()


class Slack(Ours):
    """A peer that learns slightly faster than it should."""

    def step_loss(self, batches):
        losses = super().step_loss(batches)
        self.net.params["b2"] *= 1.1
        return losses


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_computes_what_the_book_computes(name, data):
    if reason := why_missing(PEERS[name]):
        pytest.skip(reason)
    prepare(STEP, {name: PEERS[name]}, data)


def test_a_peer_that_computes_something_else_is_refused(data):
    with pytest.raises(AssertionError, match="b2"):
        prepare(STEP, {"slack": Slack}, data)


def test_the_job_is_the_same_for_all(data):
    few = Data(*(part[:2000] for part in data[:4]), data.source)
    results = [
        peer(50, 100, few).job(50, np.random.default_rng(0))
        for peer in (*installed(PEERS).values(), *installed(BY_DEFAULT).values())
    ]
    _, expected = results[0]
    for losses, accuracies in results:
        assert len(losses) == 50
        assert len(accuracies) == 4  # before the epochs, which are of 20 here, and at the end
        np.testing.assert_allclose(accuracies, expected, rtol=0, atol=0.002)


@pytest.mark.benchmark(group="train step, all in turns")
def test_step(works_in_turns, closing_table, data):
    peers = prepare(STEP, installed(PEERS), data)
    times = works_in_turns(works(STEP, peers, with_loss=True), rounds=5, block=0.1)
    if times:
        times = a_step(STEP, times)
        rows = report.step_rows(times)
        closing_table("train step beside peers, medians", report.STEP_HEADER, rows)
        closing_table("wanted", report.WANTED_HEADER, report.line_rows(report.step_lines(times)))


def test_with_batch_norm_too_all_take_the_same_steps_or_are_refused(data):
    class Late(OursRegularized):
        name = "late"

        def step(self, batches):
            super().step(batches[1:])

    peers = installed(REGULARIZED)
    prepare_regularized(50, 100, peers, data)
    with pytest.raises(AssertionError, match="late: "):
        prepare_regularized(50, 100, {**peers, "late": Late}, data)


@pytest.mark.benchmark(group="train step with BatchNorm and Dropout, in turns")
def test_regularized_step(works_in_turns, closing_table, data):
    peers = prepare_regularized(STEP.hidden, STEP.batch_size, installed(REGULARIZED), data)
    times = works_in_turns(works(STEP, peers), rounds=5, block=0.1)
    if times:
        times = a_step(STEP, times)
        title = "train step with BatchNorm and Dropout, medians"
        closing_table(title, report.REGULARIZED_HEADER, report.regularized_rows(times))
        closing_table("wanted", report.WANTED_HEADER, report.line_rows(report.regularized_lines(times)))


@pytest.mark.benchmark(group="train step at other sizes, all in turns")
@pytest.mark.parametrize(
    "cell",
    [pytest.param(cell, marks=[] if cell in QUICK else [pytest.mark.slow]) for cell in GRID],
    ids=lambda cell: f"hidden {cell.hidden}, batch {cell.batch_size}",
)
def test_grid(cell, works_in_turns, closing_table, data):
    every = works(cell, prepare(cell, installed(PEERS), data)) | bounds(cell, data)
    times = works_in_turns(every, rounds=5, block=0.05)
    if times:
        times = a_step(cell, times)
        closing_table("train step at other sizes, medians", report.GRID_HEADER, report.grid_rows(cell, times))
        closing_table("wanted", report.WANTED_HEADER, report.line_rows(report.grid_lines(cell, times)))
