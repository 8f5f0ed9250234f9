"""Ctrl-C and other signals end a run when its running steps are done; a second one ends it at once."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from backprop import TwoLayerNet, train
from backprop.training.interruptions import Interruptions

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
X, T = np.random.default_rng(0).normal(size=(60, 5)), np.random.default_rng(1).integers(3, size=60)


def signalled(number=signal.SIGINT, at=50, times=1, **options):
    """Train, and send signals during an evaluation or callback."""

    def send(history):
        if len(history.loss) == at:
            for _ in range(times):
                os.kill(os.getpid(), number)

    options = {"iterations": 300, "batch_size": 10, "evaluate_every": 50, "rng": 7, **options}
    return train(TwoLayerNet(5, 4, 3, rng=0), X, T, callback=send, **options)


def test_a_signal_waits_for_the_steps_and_the_history_is_kept():
    with pytest.raises(KeyboardInterrupt) as caught:
        signalled()
    history = caught.value.history
    assert len(history.loss) == 100 and history.iterations == [0, 50]  # the steps after the callback
    assert not hasattr(caught.value, "at_once") and history.seconds > 0


def test_a_second_signal_does_not_wait():
    with pytest.raises(KeyboardInterrupt) as caught:
        signalled(times=2)
    assert len(caught.value.history.loss) == 50 and caught.value.at_once


def test_a_signal_writes_a_checkpoint_and_the_run_goes_on_from_there(tmp_path):
    pytest.importorskip("safetensors")
    with pytest.raises(KeyboardInterrupt):
        signalled(checkpoint=tmp_path, checkpoint_every=70, at=150)
    assert max(path.name for path in tmp_path.iterdir()) == "iteration-0000000200.safetensors"
    history = signalled(checkpoint=tmp_path, checkpoint_every=70, resume=True)
    assert history.resumed_at == 200 and history.loss == signalled(at=-1).loss


def test_a_signal_in_the_last_evaluation_is_not_lost():
    with pytest.raises(KeyboardInterrupt) as caught:
        signalled(at=300)
    assert len(caught.value.history.loss) == 300 and caught.value.history.iterations[-1] == 300


def test_a_handler_that_only_takes_note_lets_the_run_go_on():
    noted = []
    before = signal.signal(signal.SIGINT, lambda number, frame: noted.append(number))
    try:
        history = signalled()
    finally:
        signal.signal(signal.SIGINT, before)
    assert noted == [signal.SIGINT] and len(history.loss) == 300


def test_the_handlers_are_there_again_afterwards():
    def handler(number, frame):
        raise SystemExit(5)

    before = signal.getsignal(signal.SIGINT), signal.signal(signal.SIGTERM, handler)
    try:
        with pytest.raises(SystemExit) as caught:
            signalled(signal.SIGTERM)
        assert len(caught.value.history.loss) == 100
        assert signal.getsignal(signal.SIGTERM) is handler and signal.getsignal(signal.SIGINT) is before[0]
    finally:
        signal.signal(signal.SIGTERM, before[1])


def test_a_signal_that_nobody_handles_is_left_to_the_system():
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    with Interruptions():
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) != signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_in_another_thread_nothing_is_touched():
    before, found = signal.getsignal(signal.SIGINT), []

    def run():
        found.append(signalled(at=-1))

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        assert signal.getsignal(signal.SIGINT) is before
        time.sleep(0.01)
    thread.join()
    assert len(found[0].loss) == 300


def test_an_exception_of_a_callback_has_the_history():
    def fail(history):
        if len(history.loss) == 50:
            raise LookupError("mine")

    with pytest.raises(LookupError) as caught:
        train(TwoLayerNet(5, 4, 3, rng=0), X, T, iterations=300, evaluate_every=50, rng=7, callback=fail)
    assert len(caught.value.history.loss) == 50


def test_a_signal_is_not_lost_if_something_else_ends_the_run():
    def fail(history):
        os.kill(os.getpid(), signal.SIGINT)
        raise LookupError("mine")

    with pytest.raises(KeyboardInterrupt) as caught:
        train(TwoLayerNet(5, 4, 3, rng=0), X, T, iterations=300, callback=fail)
    assert isinstance(caught.value.__context__, LookupError) and caught.value.history.iterations == [0]


def test_a_signal_ends_a_run_within_a_callback_and_the_one_around_it():
    inner = []

    def nested(history):
        if len(history.loss) == 50:
            try:
                signalled(at=100)
            except KeyboardInterrupt as error:
                inner.append(error.history)
                raise

    with pytest.raises(KeyboardInterrupt):
        train(TwoLayerNet(5, 4, 3, rng=0), X, T, iterations=300, evaluate_every=50, callback=nested)
    assert len(inner[0].loss) == 150


def test_a_handler_that_a_callback_sets_stays():
    def handler(number, frame):
        raise SystemExit(7)

    before = signal.getsignal(signal.SIGINT)
    try:
        with Interruptions():
            signal.signal(signal.SIGINT, handler)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_in_a_forked_process_a_signal_does_not_wait():
    with Interruptions():
        child = os.fork()
        if child == 0:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                os._exit(42)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
