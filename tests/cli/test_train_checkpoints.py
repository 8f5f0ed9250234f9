"""`backprop train` keeps what was trained: its file, its checkpoints, and how a run is resumed."""

import json
import os
import signal
import sys
import time

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")
pytest.importorskip("safetensors")

from backprop.networks import Network

SAMPLE = ("train", "--data", "sample", "--seed", 3)
DEEP = ("--hidden", "20,10", "--dropout", 0.2, "--batch-norm", "--optimizer", "adam", "--schedule", "cosine")
HISTORY = ("loss", "iterations", "train_accuracy", "test_accuracy", "test_loss", "learning_rate", "stopped")


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def document(file):
    return json.loads(file.read_text())


def same(one, other):
    assert [one["history"][name] for name in HISTORY] == [other["history"][name] for name in HISTORY]


def test_a_saved_network_loads(call, here):
    ran = call(*SAMPLE, "--iterations", 60, *DEEP, "--save", "net.safetensors", "--json", "a.json")
    assert ran.code == 0
    net, accuracy = Network.load("net.safetensors"), document(here / "a.json")["history"]["test_accuracy"][-1]
    from backprop import load_mnist_sample

    assert net.accuracy(*load_mnist_sample()[1]) == accuracy
    assert list(net.layers)[:4] == ["Affine1", "BatchNorm1", "ReLU1", "Dropout1"]


def test_a_run_that_diverged_saves_nothing(call, here):
    ran = call(*SAMPLE, "--iterations", 60, "--learning-rate", 1e30, "--save", "net.safetensors")
    assert ran.code == 1 and not list(here.iterdir())
    assert ran.error.startswith("backprop train: training diverged: ")
    assert ran.error.endswith("; net.safetensors is not written")


def stopped(monkeypatch, iteration, number=signal.SIGINT):
    """Send a signal to this process when so many iterations are done."""
    import backprop

    real = backprop.train

    def train(*arguments, callback, **options):
        def then(history):
            callback(history)
            if len(history.loss) >= iteration:
                os.kill(os.getpid(), number)

        return real(*arguments, callback=then, **options)

    monkeypatch.setattr(backprop, "train", train)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [(), (*DEEP, "--shuffle", "epochs", "--patience", 30)])
def test_an_interrupted_run_says_how_to_go_on_and_does(call, here, monkeypatch, number, options):
    command = [*SAMPLE, "--epochs", 6, *options, "--checkpoint", "run", "--json", "b.json"]
    assert call(*SAMPLE, "--epochs", 6, *options, "--json", "a.json", "--save", "a.st").code == 0
    whole = document(here / "a.json")
    assert whole["resumed_at"] is None
    with monkeypatch.context() as patch:
        stopped(patch, 100, number)
        ran = call(*command, "--save", "b.st")
    assert ran.code == 128 + number
    part = document(here / "b.json")
    assert part["outcome"] == "interrupted" and 100 < len(part["history"]["loss"]) < 240
    assert Network.load("b.st")
    how, why = ran.err.splitlines()
    assert why in ("backprop train: interrupted", "backprop train: terminated")
    assert how.startswith("to resume: backprop train --data sample --seed 3 --epochs 6")
    assert how.endswith("--checkpoint run --json b.json --save b.st --resume")
    ran = call(*how.removeprefix("to resume: backprop ").split())
    at = len(part["history"]["loss"])
    assert ran.code == 0 and f"resumed at iteration {at} from run/iteration-{at:010}" in ran.out
    resumed = document(here / "b.json")
    same(resumed, whole)
    assert resumed["resumed_at"] == at
    assert Network.load("a.st").params == Network.load("b.st").params


def test_a_run_goes_on_with_its_own_seed(call, here, monkeypatch):
    with monkeypatch.context() as patch:
        stopped(patch, 100)
        call("train", "--data", "sample", "--epochs", 5, "--checkpoint", "run", "--json", "a.json")
    seed = document(here / "a.json")["settings"]["seed"]
    ran = call("train", "--data", "sample", "--epochs", 5, "--checkpoint", "run", "--resume")
    assert ran.code == 0 and f"seed {seed}" in ran.out


def test_to_resume_what_is_not_there_starts_at_0_and_says_so(call, here):
    ran = call(*SAMPLE, "--iterations", 50, "--checkpoint", "run", "--resume", "--json", "a.json")
    assert ran.code == 0 and "no checkpoint in run yet: the run starts at iteration 0" in ran.lines
    assert document(here / "a.json")["resumed_at"] is None


def test_a_damaged_checkpoint_is_told_and_the_one_before_taken(call, here):
    command = (*SAMPLE, "--iterations", 60, "--checkpoint", "run", "--checkpoint-every", 20)
    assert call(*command).code == 0
    newest = max((here / "run").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    ran = call(*command, "--resume")
    assert ran.code == 0 and "resumed at iteration 40 " in ran.out
    assert ran.error.startswith("backprop train: run/iteration-0000000060.safetensors: ")
    assert ran.error.endswith("; the checkpoint before it is taken")


def test_what_does_not_go_on_is_refused(call, here):
    command = (*SAMPLE, "--iterations", 40, "--checkpoint", "run")
    assert call(*command).code == 0
    for more, code, words in (
        ((), 2, "checkpoint run has an earlier run; add --resume, or name an empty directory"),
        (("--resume", "--batch-size", 50), 2, "is of a run with --batch-size 100, got 50"),
        (("--resume", "--hidden", 20), 2, "of a run with shape of W1 [784, 50], got [784, 20]"),
        (("--resume", "--label-smoothing", 0.1), 2, "of a run with another network"),
        (("--resume", "--optimizer", "adam"), 2, "of a run with optimizer"),
        (("--resume", "--learning-rate", 0.2), 2, "of a run with --learning-rate 0.1, got 0.2"),
    ):
        ran = call(*command, *more)
        assert (ran.code, words in ran.err) == (code, True), ran.err
        assert len(ran.err.splitlines()) == 1
    for path in (here / "run").iterdir():
        path.write_bytes(b"")
    ran = call(*command, "--resume")
    assert ran.code == 3 and ran.err.splitlines()[-1].endswith("is left: name an empty directory")


def test_a_disk_that_fills_up_keeps_the_rest(call, here, monkeypatch):
    count = []

    def full(descriptor):
        count.append(descriptor)
        if len(count) == 5:  # two for each file
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    command = (*SAMPLE, "--iterations", 400, "--checkpoint", "run", "--json", "a.json", "--save", "net.st")
    ran = call(*command)
    assert ran.code == 3
    assert ran.err.splitlines()[-1].startswith("backprop train: [Errno 28] no checkpoint: No space left on")
    assert len(document(here / "a.json")["history"]["loss"]) == 120 and Network.load("net.st")


def test_a_second_signal_ends_it_at_once(start, tmp_path):
    run = start(*SAMPLE, "--hidden", "1500,1500", "--iterations", 100000, "--json", tmp_path / "a.json")
    for line in run.stdout:
        if line.startswith("iteration"):
            break
    for _ in range(2):
        time.sleep(0.05)
        run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 130 and err.splitlines()[-1] == "backprop train: interrupted"


@pytest.mark.parametrize("rng", [None, 5, "generator"])
def test_a_run_of_the_library_is_resumed_whatever_its_seed(call, here, rng):
    import numpy as np

    from backprop import Sequential, load_mnist_sample, train
    from backprop.layers import Affine, ReLU
    from backprop.optimizers import SGD

    (x, t), test = load_mnist_sample()
    net = Sequential([Affine(50), ReLU(), Affine(10)], 784, rng=0)
    rng = np.random.default_rng([1, 2]) if rng == "generator" else rng
    train(net, x, t, *test, iterations=40, optimizer=SGD(), rng=rng, checkpoint="run")
    ran = call("train", "--data", "sample", "--iterations", 40, "--checkpoint", "run", "--resume")
    assert (ran.code, ran.out.count("resumed at iteration 40")) in ((0, 1), (2, 0))
    assert ran.code == 0 or (rng is not None and "of a run with rng" in ran.error)


def test_a_damaged_checkpoint_is_told_once_without_a_seed_too(call, here):
    command = (
        "train",
        "--data",
        "sample",
        "--iterations",
        60,
        "--checkpoint",
        "run",
        "--checkpoint-every",
        20,
    )
    assert call(*command).code == 0
    newest = max((here / "run").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    ran = call(*command, "--resume")
    assert ran.code == 0 and "resumed at iteration 40 " in ran.out and len(ran.err.splitlines()) == 1


def test_a_directory_that_is_a_file_is_told(call, here):
    (here / "run").write_text("mine")
    ran = call("train", "--data", "sample", "--iterations", 5, "--checkpoint", "run")
    assert ran.code == 3 and "Not a directory" in ran.error and (here / "run").read_text() == "mine"


def test_without_safetensors_nothing_is_trained(call, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for option in ("--save", "--checkpoint"):
        ran = call(*SAMPLE, "--iterations", 10**6, option, "place")
        assert ran.code == 3 and ran.err.splitlines()[-1].endswith("install it: pip install safetensors")
