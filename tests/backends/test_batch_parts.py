"""A batch in parts: every sample once, results in order, errors and settings of NumPy carried over."""

import multiprocessing
import subprocess
import sys
import threading

import numpy as np
import pytest

from backends.numpy import batch_parts, product
from backends.numpy.batch_parts import for_each, parts
from backends.numpy.threads import allowed_threads, blas_threads


@pytest.fixture(params=[1, 2, 5])
def threads(request, monkeypatch):
    for module in (batch_parts, product):
        monkeypatch.setattr(module, "allowed_threads", lambda: request.param)
    return request.param


@pytest.mark.parametrize("count", [0, 1, 15, 16, 31, 32, 99, 100, 101, 1000])
def test_every_sample_is_in_one_part(count, threads):
    found = parts(count)
    assert [i for part in found for i in range(count)[part]] == list(range(count))
    sizes = [part.stop - part.start for part in found]
    assert max(sizes) <= batch_parts.MOST
    assert max(sizes) - min(sizes) <= 1
    assert len(found) <= max(threads, -(-count // batch_parts.MOST))


def test_results_come_in_order_and_no_two_parts_share_a_worker_at_a_time(threads):
    busy, clashes = set(), []

    def work(part, worker):
        if worker in busy:
            clashes.append(worker)
        busy.add(worker)
        np.ones((50, 50)) @ np.ones((50, 50))
        busy.remove(worker)
        return part, worker

    results = for_each(work, 17)
    assert [part for part, _ in results] == list(range(17))
    assert {worker for _, worker in results} == set(range(min(threads, 17)))
    assert not clashes


def test_an_error_in_any_part_is_raised_when_all_threads_are_done(threads):
    done = []

    def work(part, worker):
        if part == 1:
            raise MemoryError("part 1")
        done.append(part)

    with pytest.raises(MemoryError, match="part 1"):
        for_each(work, 5)
    assert threading.active_count() < 50
    assert 0 in done


def test_an_interruption_waits_for_the_other_threads(monkeypatch):
    share = batch_parts.Share(lambda part, worker: part, range(2), 0)
    waited = share.done.wait
    interrupted = []

    def wait():
        if not interrupted:
            interrupted.append(True)
            threading.Timer(0.05, share.run).start()
            raise KeyboardInterrupt
        waited()

    monkeypatch.setattr(share.done, "wait", wait)
    share.wait()
    assert share.results == [0, 1] and isinstance(share.error, KeyboardInterrupt)


def test_without_further_threads_the_caller_computes_everything(monkeypatch):
    class Exhausted:
        def put(self, share):
            late.append(share)
            raise RuntimeError("can't start new thread")

    late, ran = [], []
    monkeypatch.setattr(batch_parts, "allowed_threads", lambda: 3)
    monkeypatch.setattr(batch_parts, "_queue", Exhausted)
    results = for_each(lambda part, worker: ran.append(part) or (part, worker), 4)
    assert results == [(0, 0), (1, 1), (2, 2), (3, 0)]
    for share in late:
        share.run()
    assert sorted(ran) == [0, 1, 2, 3]


def test_threads_may_be_gone_when_the_interpreter_exits():
    program = """
import atexit
from backends.numpy import batch_parts
batch_parts.allowed_threads = lambda: 2
batch_parts.for_each(lambda part, worker: part, 4)
atexit.register(lambda: print(batch_parts.for_each(lambda part, worker: part, 4)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[0, 1, 2, 3]\n", "")


def test_numpys_settings_hold_in_every_thread(threads):
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        for_each(lambda part, worker: np.float32(1e38) * np.full(1, 1e38, "float32"), 5)
    with np.errstate(over="ignore"):
        for_each(lambda part, worker: np.float32(1e38) * np.full(1, 1e38, "float32"), 5)


def test_the_threads_allowed_are_those_of_blas_before_the_limit():
    before = allowed_threads()
    with blas_threads(0):
        assert allowed_threads() == before
        with blas_threads(0):
            assert allowed_threads() == before
    assert allowed_threads() == before


def forked(queue):
    queue.put(for_each(lambda part, worker: part, 4))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_threads_of_its_own(monkeypatch):
    monkeypatch.setattr(batch_parts, "allowed_threads", lambda: 2)
    for_each(lambda part, worker: part, 4)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=forked, args=(queue,))
    process.start()
    assert queue.get(timeout=60) == [0, 1, 2, 3]
    process.join()


@pytest.mark.parametrize("shape", [(3, 4, 5), (40, 30, 20), (100, 1, 7), (7, 100, 1)])
@pytest.mark.parametrize("transposed", [False, True])
def test_shared_products_are_those_of_one_thread(shape, transposed, threads, monkeypatch):
    monkeypatch.setattr(product, "SMALL", 0)
    rng = np.random.default_rng(0)
    n, k, m = shape
    a = rng.standard_normal((k, n)).T if transposed else rng.standard_normal((n, k))
    b, out = rng.standard_normal((k, m)), np.full((n, m), np.nan)
    assert product.product(a, b, out) is out
    np.testing.assert_allclose(out, a @ b, rtol=0, atol=1e-12)
