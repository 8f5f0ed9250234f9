"""Ctrl-C, SIGTERM and SIGHUP: one line and their own exit code, at any moment, never a traceback."""

import ast
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")
if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

import backprop
from backprop.cli.interruptions import Terminated, as_exceptions, mark_caught

ROOT = Path(__file__).parents[2]
TRAIN = ("train", "--data", "sample", "--iterations", 1, "--hidden", 2)
ENDED = {
    signal.SIGINT: (130, "backprop train: interrupted"),
    signal.SIGTERM: (143, "backprop train: terminated"),
    signal.SIGHUP: (129, "backprop train: hung up"),
}
by_signal = pytest.mark.parametrize("number", ENDED, ids=lambda number: number.name)


@pytest.fixture(autouse=True)
def as_python_starts():
    """Python's own handlers, whatever started these tests."""
    before = {number: signal.getsignal(number) for number in ENDED}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number):
    os.kill(os.getpid(), number)


@by_signal
def test_while_a_command_runs(call, monkeypatch, number):
    monkeypatch.setattr(backprop, "train", lambda *arguments, **options: send(number))
    before = [signal.getsignal(each) for each in ENDED]
    ran = call(*TRAIN)
    assert (ran.code, ran.err) == (ENDED[number][0], f"{ENDED[number][1]}\n")
    assert [signal.getsignal(each) for each in ENDED] == before


@by_signal
def test_while_options_are_read(call, monkeypatch, number):
    monkeypatch.setattr("backprop.cli.values.Whole.read", lambda self, value: send(number))
    ran = call(*TRAIN)
    assert (ran.code, ran.err) == (ENDED[number][0], f"{ENDED[number][1]}\n")


@pytest.mark.parametrize("first", ENDED)
@pytest.mark.parametrize("second", ENDED)
def test_a_second_one_while_the_first_is_tidied_up_ends_that(call, monkeypatch, first, second):
    def train(*arguments, **options):
        try:
            send(first)
        finally:
            send(second)
            pytest.fail("the tidying went on")

    monkeypatch.setattr(backprop, "train", train)
    ran = call(*TRAIN)
    assert (ran.code, ran.err) == (ENDED[second][0], f"{ENDED[second][1]}\n")


@by_signal
def test_a_training_writes_what_is_done(call, monkeypatch, tmp_path, number):
    real = backprop.train

    def train(*arguments, callback, **options):
        def then(history):
            callback(history)
            if history.loss:
                send(number)

        return real(*arguments, callback=then, **options)

    monkeypatch.setattr(backprop, "train", train)
    ran = call(*TRAIN[:3], "--iterations", 2000, "--json", tmp_path / "run.json")
    assert (ran.code, ran.err) == (ENDED[number][0], f"{ENDED[number][1]}\n")
    document = json.loads((tmp_path / "run.json").read_text())
    assert document["outcome"] == "interrupted" and 0 < len(document["history"]["loss"]) < 2000


def test_whoever_catches_ctrl_c_catches_sigterm():
    with pytest.raises(KeyboardInterrupt) as caught, as_exceptions():
        send(signal.SIGTERM)
    assert caught.type is Terminated
    with pytest.raises(KeyboardInterrupt) as caught, as_exceptions():
        send(signal.SIGINT)
    assert caught.type is KeyboardInterrupt


@pytest.mark.parametrize(
    "handler", [signal.SIG_IGN, lambda number, frame: None], ids=["ignored", "another's"]
)
@by_signal
def test_what_others_have_arranged_stays(number, handler):
    signal.signal(number, handler)
    with as_exceptions():
        send(number)
        assert signal.getsignal(number) is handler
    assert signal.getsignal(number) is handler


def test_a_thread_runs_commands_too():
    codes = []

    def run():
        with as_exceptions():
            codes.append(0)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert codes == [0]


@by_signal
@pytest.mark.parametrize("way", ["a callback of C", "a handler of all"])
def test_where_exceptions_go_nowhere_it_comes_again(call, monkeypatch, number, way):
    called = ctypes.CFUNCTYPE(None)(lambda: send(number))
    monkeypatch.setattr("backprop.cli.interruptions.REPEAT_AFTER", 0.05)

    def train(*arguments, **options):
        if way == "a callback of C":
            called()
        else:
            with suppress(KeyboardInterrupt):
                send(number)
        for _ in range(1000):
            time.sleep(0.01)

    monkeypatch.setattr(backprop, "train", train)
    before = sys.unraisablehook
    ran = call(*TRAIN)
    assert (ran.code, ran.err) == (ENDED[number][0], f"{ENDED[number][1]}\n")
    assert sys.unraisablehook is before


def test_what_is_caught_does_not_come_again(monkeypatch):
    monkeypatch.setattr("backprop.cli.interruptions.REPEAT_AFTER", 0.05)
    with as_exceptions():
        try:
            send(signal.SIGTERM)
        except Terminated:
            mark_caught()
        time.sleep(0.1)  # in which it would be raised again
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_else_goes_nowhere_is_told_as_before(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: told.append(lost.exc_type))
    with as_exceptions():
        ctypes.CFUNCTYPE(None)(lambda: 1 / 0)()
    assert told == [ZeroDivisionError]


SENDER = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
class Sender:
    def find_spec(self, name, path=None, target=None):
        if name == "{name}":
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Sender())
"""
SCRIPT = "import sys\nfrom backprop.__main__ import main\nsys.exit(main())"  # as an installed one begins
WAYS = {"module": ["-m", "backprop"], "script": ["backprop"]}


@pytest.mark.parametrize(
    ("number", "way", "name"),
    [*product(ENDED, WAYS, ["backends"]), (signal.SIGINT, "module", "backprop.cli.train")],
)
def test_while_the_library_is_imported(tmp_path, number, way, name):
    (tmp_path / "backprop").write_text(SCRIPT)
    (tmp_path / "sitecustomize.py").write_text(SENDER.format(name=name, number=int(number)))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, *WAYS[way], "info"]
    ran = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    line = ENDED[number][1].replace("backprop train", "backprop")  # no command is known so early
    assert (ran.returncode, ran.stdout, ran.stderr) == (ENDED[number][0], "", f"{line}\n")


def test_nothing_that_takes_time_is_imported_before_the_guard():
    first, *others = ast.parse((ROOT / "backprop" / "__init__.py").read_text(encoding="utf-8")).body[1:]
    guarded = next(i for i, line in enumerate(others) if isinstance(line, ast.If))
    assert [ast.unparse(line) for line in (first, *others[:guarded])] == [
        "import sys",
        "from backprop.start import guard, is_command, unguard",
    ]
    start = ast.walk(ast.parse((ROOT / "backprop" / "start" / "__init__.py").read_text(encoding="utf-8")))
    imported = [ast.unparse(line) for line in start if isinstance(line, (ast.Import, ast.ImportFrom))]
    assert imported == ["import os", "import signal", "import sys"]


@pytest.mark.parametrize("theirs", ["theirs.py", "backprop"])
def test_other_programs_keep_their_own_handlers(tmp_path, theirs):
    code = "import signal, backprop; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    (tmp_path / "sitecustomize.py").write_text(SENDER.format(name="", number=0))
    (tmp_path / theirs).write_text(code)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, *(["-m", "theirs"] if theirs == "theirs.py" else [theirs]), "backprop"]
    ran = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ran.stdout == "True\n"
