"""`backprop train`: what it prints, what it writes, and which data it takes."""

import json
import math
import re
import signal
import sys

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

SHORT = ("train", "--data", "sample", "--hidden", 5, "--batch-size", 1000)  # 4 iterations an epoch


def written(file):
    return json.loads(file.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.fixture
def train(call, tmp_path):
    """Train briefly; returns what was printed and the JSON that was written."""

    def run(*arguments, code=0):
        file = tmp_path / "run.json"
        ran = call(*SHORT, "--json", file, *arguments)
        assert ran.code == code, ran.err
        return ran, written(file)

    return run


def test_one_iteration_is_no_plural(call):
    lines = call(*SHORT, "--iterations", 1, "--seed", 0).lines
    assert any(line.startswith("1 iteration in ") for line in lines)
    assert any(re.fullmatch(r"loss 2\.\d+, mean of the last batch", line) for line in lines)


def test_plain_lines_where_there_is_no_terminal(call):
    ran = call(*SHORT, "--iterations", 6, "--seed", 0)
    assert (ran.code, ran.err) == (0, "")
    expected = [
        r"backend: numpy on cpu, the default",
        r"data: the bundled sample of MNIST: 4,000 training and 1,000 test images",
        r"network: 784-5-10, 3,985 parameters, float32",
        r"iteration 0/6  train 0\.\d{4}  test 0\.\d{4}",
        r"iteration 4/6  loss 2\.\d{4}  train 0\.\d{4}  test 0\.\d{4}",
        r"iteration 6/6  loss 2\.\d{4}  train 0\.\d{4}  test 0\.\d{4}",
        r"6 iterations in \d+\.\d s \([\d,]+ per second\), seed 0",
        r"loss 2\.\d+, mean of the last 6 batches",
        r"accuracy on the sample: train 0\.\d{4}, test 0\.\d{4}",
    ]
    assert len(ran.lines) == len(expected)
    for line, pattern in zip(ran.lines, expected, strict=True):
        assert re.fullmatch(pattern, line)


def test_one_iteration_is_told_in_the_singular(call):
    ran = call(*SHORT, "--iterations", 1, "--seed", 0)
    assert any(line.startswith("1 iteration in ") for line in ran.lines)
    assert any(line.endswith(", mean of the last batch") for line in ran.lines)


@pytest.mark.parametrize("learning_rate", [0.1, 1e6])
def test_no_line_is_wider_than_a_terminal(call, learning_rate):
    ran = call(*SHORT, "--iterations", 30, "--seed", 0, "--learning-rate", learning_rate)
    assert ran.code == 0
    assert max(map(len, ran.lines)) <= 80


def test_the_json_holds_settings_versions_device_and_history(train):
    ran, document = train("--iterations", 6, "--seed", 3, "--learning-rate", 0.2)
    assert document["command"] == "train"
    assert (document["backend"], document["backend_why"], document["device"]) == (
        "numpy",
        "the default",
        "cpu",
    )
    assert set(document["versions"]) == {"backprop", "python", "numpy"}
    assert document["versions"]["python"] == sys.version.split()[0]
    assert document["platform"]
    assert document["settings"] == {
        "data": "sample",
        "data_dir": None,
        "iterations": 6,
        "epochs": None,
        "batch_size": 1000,
        "learning_rate": 0.2,
        "model": "two-layer",
        "hidden": 5,
        "dtype": "float32",
        "precision": "ieee",
        "seed": 3,
        "activation": "relu",
        "batch_norm": False,
        "sync_batch_norm": False,
        "dropout": 0.0,
        "init": None,
        "optimizer": "sgd",
        "weight_decay": 0.0,
        "schedule": None,
        "shuffle": "draw",
        "label_smoothing": 0.0,
        "validation": None,
        "patience": None,
    }
    history = document["history"]
    assert len(history["loss"]) == 6 and all(0 < loss < 3 for loss in history["loss"])
    assert history["iterations"] == [0, 4, 6]
    assert len(history["train_accuracy"]) == len(history["test_accuracy"]) == 3
    assert history["seconds"] > 0
    assert f"test {history['test_accuracy'][-1]:.4f}" in ran.lines[-1]


def test_the_same_seed_gives_the_same_history(train):
    first, second, other = (train("--iterations", 5, "--seed", seed)[1]["history"] for seed in (1, 1, 2))
    for history in (first, second, other):
        del history["seconds"], history["warmup_seconds"]
    assert first == second != other


def test_a_fresh_seed_is_shown_and_repeats_the_run(train):
    ran, document = train("--iterations", 5)
    seed = document["settings"]["seed"]
    assert f"seed {seed}" in ran.out
    _, again = train("--iterations", 5, "--seed", seed)
    assert again["history"]["loss"] == document["history"]["loss"]
    _, another = train("--iterations", 5)
    assert another["settings"]["seed"] != seed


def test_an_epoch_has_as_many_batches_as_fit_into_the_samples(train):
    _, document = train("--epochs", 2)
    assert len(document["history"]["loss"]) == document["settings"]["iterations"] == 8
    assert document["history"]["iterations"] == [0, 4, 8]
    assert document["settings"]["epochs"] == 2


def test_the_option_dtype_goes_before_the_variable(train, monkeypatch):
    monkeypatch.setenv("BACKPROP_DTYPE", "float64")
    ran, document = train("--iterations", 1)
    assert document["settings"]["dtype"] == "float64" and "parameters, float64" in ran.out
    ran, document = train("--iterations", 1, "--dtype", "float32")
    assert document["settings"]["dtype"] == "float32" and "parameters, float32" in ran.out


def test_tf32_is_refused_where_there_is_none(call):
    ran = call("train", "--data", "sample", "--iterations", 2, "--precision", "tf32", "--backend", "numpy")
    assert ran.code == 2
    assert ran.err.splitlines() == [
        "backprop train: --precision tf32 needs float32 and a CUDA GPU of compute capability 8.0 or later, "
        "got float32 on numpy, cpu; omit it"
    ]


def test_the_history_says_how_it_ran(train):
    _, document = train("--iterations", 2)
    assert document["settings"]["precision"] == document["history"]["precision"] == "ieee"
    assert document["history"]["loop"] == "eager: numpy has no CUDA graphs"


def test_the_backend_says_why_it_was_taken(train, monkeypatch, no_cupy):
    monkeypatch.setenv("BACKPROP_BACKEND", "auto")
    ran, document = train("--iterations", 1)
    why = "the environment variable BACKPROP_BACKEND=auto: auto takes numpy, since CuPy is not installed"
    assert ran.lines[0] == f"backend: numpy on cpu, {why}" and document["backend_why"] == why
    assert ran.err == "", "the command has said it already"


def test_a_diverged_run_exits_with_1_says_so_in_one_line_and_writes_what_it_has(call_outside, tmp_path):
    file = tmp_path / "run.json"
    ran = call_outside(*SHORT, "--iterations", 8, "--seed", 0, "--learning-rate", 1e30, "--json", file)
    assert ran.code == 1
    history = written(file)["history"]
    losses = history["loss"]
    assert losses[0] == pytest.approx(2.3, abs=0.1) and losses[-1] is None and None not in losses[:-1]
    assert re.fullmatch(
        rf"backprop train: training diverged: the loss of iteration {len(losses)} is (nan|inf); "
        r"the likely cause is the learning rate, 1e\+30: try 0.1",
        ran.error,
    )
    assert written(file)["settings"]["iterations"] == 8 > len(losses)
    assert history["iterations"] == [0] and len(history["test_accuracy"]) == 1
    assert re.fullmatch(rf"{len(losses)} iterations in \d+\.\d s, seed 0", ran.lines[-1])
    assert "nan" not in ran.out and "accuracy" not in ran.out


def test_quiet_prints_the_last_line_alone(call):
    ran = call(*SHORT, "--iterations", 6, "--seed", 0)
    for short in ("--quiet", "-q"):
        assert call(*SHORT, "--iterations", 6, "--seed", 0, short).lines == ran.lines[-1:]
    assert call("train", "--iterations", 1, "--hidden", 2, "-q").out.startswith("accuracy on the sample: ")


@pytest.mark.parametrize("loss", [float("inf"), float("nan")])
def test_whatever_made_it_diverge_it_is_told(call, monkeypatch, loss):
    import backprop

    def diverge(*arguments, **options):
        history = backprop.training.History([1.0, loss], [0], [0.1], [0.1], 1.0)
        raise backprop.training.Diverged("train: training diverged: because", history)

    monkeypatch.setattr(backprop, "train", diverge)
    ran = call(*SHORT, "--iterations", 2)
    assert (ran.code, ran.error) == (1, "backprop train: training diverged: because")
    assert ran.lines[-1].startswith("2 iterations in 1.0 s, seed ")


def test_a_diverged_run_keeps_the_accuracy_of_its_last_evaluation(call, monkeypatch):
    import backprop

    def diverge(*arguments, **options):
        history = backprop.training.History([1.0, 2.0, math.nan], [0, 2], [0.1, 0.5], [0.1, 0.4], 1.0)
        raise backprop.training.Diverged("train: training diverged: because", history)

    monkeypatch.setattr(backprop, "train", diverge)
    ran = call(*SHORT, "--iterations", 3)
    assert ran.lines[-1] == "accuracy on the sample after 2 iterations: train 0.5000, test 0.4000"
    assert "loss" not in ran.out.partition(" iterations in ")[2]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_it_in_one_line_and_what_is_done_is_written(start, tmp_path):
    process = start(*SHORT, "--iterations", 10**6, "--json", tmp_path / "run.json")
    while not process.stdout.readline().startswith("iteration"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.strip() == "backprop train: interrupted"
    document = written(tmp_path / "run.json")
    assert document["outcome"] == "interrupted"
    assert 0 <= len(document["history"]["loss"]) < document["settings"]["iterations"] == 10**6


def test_a_reader_that_has_gone_ends_it_quietly(start):
    process = start(*SHORT, "--iterations", 10**6)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=20) == 3
    assert process.stderr.read() == ""


def test_a_terminal_shows_a_bar_of_80_columns(start):
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    import os
    import struct
    from fcntl import ioctl

    terminal, end = pty.openpty()
    ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = start(*SHORT[:-2], "--iterations", 1000, "--seed", 0, stderr=end)
    os.close(end)
    shown = b""
    try:
        while block := os.read(terminal, 4096):
            shown += block
    except OSError:  # the end of a terminal, on Linux
        pass
    finally:
        os.close(terminal)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    frames = [frame for frame in shown.decode().split("\r") if frame.strip()]
    assert max(map(len, frames)) <= 80
    assert re.fullmatch(r" *\d+% .+ \d+/1000 .+it/s, loss \d\.\d{3}, test 0\.\d{3}", frames[-1].rstrip())
    assert sum(line.startswith("iteration ") for line in out.splitlines()) == 20 + 1, "lines that last"
    assert out.splitlines()[-1].startswith("accuracy ")
