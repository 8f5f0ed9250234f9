"""An expected failure of any command is one line on standard error, and an exit code that tells its kind."""

import re

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

import backprop

TRAIN = ("train", "--data", "sample", "--iterations", 1, "--hidden", 2)
WRONG = {  # arguments that are wrong, and what must be said of them
    "no such command": (["trian"], "trian"),
    "no such option": (["train", "--epoch-count", "3"], "--epoch-count"),
    "an argument too many": (["train", "now"], "now"),
    "an option without its value": (["train", "--iterations"], "--iterations"),
    "no integer": (["train", "--iterations", "many"], "many"),
    "no iterations": (["train", "--iterations", "0"], "--iterations"),
    "no epochs": (["train", "--epochs", "0"], "--epochs"),
    "both": (["train", "--iterations", "5", "--epochs", "5"], "--iterations or --epochs"),
    "no batch": (["train", "--batch-size", "0"], "--batch-size"),
    "no hidden units": (["train", "--hidden", "-5"], "--hidden"),
    "learning rate 0": (["train", "--learning-rate", "0"], "--learning-rate"),
    "learning rate nan": (["train", "--learning-rate", "nan"], "learning"),
    "learning rate inf": (["train", "--learning-rate", "inf"], "learning"),
    "no such data": (["train", "--data", "cifar"], "'auto', 'mnist', 'sample'"),
    "no such dtype": (["train", "--dtype", "float16"], "'float32', 'float64'"),
    "no such backend": (["train", "--backend", "cuppy"], "'numpy', 'cupy', 'auto'"),
    "negative seed": (["train", "--seed", "-1"], "--seed"),
    "no such method": (["check", "--method", "symbolic"], "'complex', 'central'"),
    "no such mode": (["check", "--mode", "slow"], "'fast', 'full'"),
    "backend of check": (["check", "--backend", "torch"], "'numpy', 'cupy', 'auto'"),
    "backend of info": (["info", "--backend", "torch"], "'numpy', 'cupy', 'auto'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_is_one_line_and_exit_code_2(call, name):
    arguments, word = WRONG[name]
    ran = call(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith("backprop") and word in ran.error
    assert re.search(r"\(see backprop( \w+)? --help\)$", ran.error)


def test_no_command_shows_the_help_and_is_a_wrong_call(call):
    ran = call()
    assert ran.code == 2 and ran.out == ""
    assert "Usage: backprop" in ran.err and all(name in ran.err for name in ("train", "check", "info"))


@pytest.mark.parametrize(
    "arguments", [["--help"], *([name, "--help"] for name in ("train", "check", "bench", "graph", "info"))]
)
def test_help_fits_a_terminal(call, arguments):
    ran = call(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: backprop") and max(map(len, ran.lines)) <= 80


def test_the_version(call):
    assert call("--version").out == f"backprop, version {backprop.__version__}\n"


@pytest.mark.parametrize("command", ["train", "check", "info"])
@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (
            "BACKPROP_BACKEND",
            "nunpy",
            ("BACKPROP_BACKEND=nunpy", "auto, cupy, numpy", 'did you mean "numpy"?'),
        ),
        ("BACKPROP_DTYPE", "float16", ("BACKPROP_DTYPE", "float32 or float64", "'float16'")),
    ],
)
def test_a_typo_in_a_variable_is_a_wrong_call(call, monkeypatch, command, variable, value, words):
    monkeypatch.setenv(variable, value)
    ran = call(command)
    assert (ran.code, ran.out) == (2, "")
    assert all(word in ran.error for word in words)


UNWRITABLE = {
    "no such folder": lambda folder: folder / "no" / "run.json",
    "a folder": lambda folder: folder,
    "a name too long": lambda folder: folder / f"{'n' * 300}.json",
    "a file as folder": lambda folder: folder / "file" / "run.json",
}


@pytest.mark.parametrize("kind", UNWRITABLE)
def test_an_unwritable_json_is_refused_before_the_training(call, tmp_path, kind):
    (tmp_path / "file").touch()
    ran = call(*TRAIN, "--json", UNWRITABLE[kind](tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert "--json" in ran.error


def test_a_refused_call_leaves_no_json_behind(call, tmp_path):
    file = tmp_path / "run.json"
    assert call("train", "--json", file, "--iterations", 5, "--epochs", 5).code == 2
    assert not file.exists()


def test_an_old_json_stays_where_the_run_fails(call, tmp_path, no_cupy):
    file = tmp_path / "run.json"
    file.write_text("old")
    assert call(*TRAIN, "--json", file, "--backend", "cupy").code == 3
    assert file.read_text() == "old"


@pytest.mark.parametrize("command", ["train", "check"])
@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_missing_backend_is_exit_code_3(call, monkeypatch, no_cupy, command, way):
    if way == "variable":
        monkeypatch.setenv("BACKPROP_BACKEND", "cupy")
    ran = call(command, *(["--backend", "cupy"] if way == "option" else []))
    assert (ran.code, ran.out) == (3, "")
    assert ran.error.startswith(
        'backprop: backend "cupy" cannot be used: CuPy is not installed; pip install '
    )
    assert "BACKPROP_BACKEND=numpy" in ran.error


def test_too_little_memory_is_exit_code_3(call, monkeypatch):
    def fail(*arguments, **options):
        raise MemoryError("Unable to\nallocate 584. GiB")

    monkeypatch.setattr(backprop, "TwoLayerNet", fail)
    ran = call(*TRAIN)
    assert ran.code == 3
    assert ran.error.startswith("backprop: out of memory (Unable to allocate 584. GiB)")
    assert "--hidden" in ran.error


def test_a_failing_disk_is_exit_code_3(call, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(28, "No space left on device", "run.json")

    monkeypatch.setattr("pathlib.Path.write_text", fail)
    ran = call(*TRAIN, "--json", tmp_path / "run.json")
    assert ran.code == 3
    assert ran.error == "backprop: [Errno 28] No space left on device: 'run.json'"


def test_a_fault_of_the_library_itself_keeps_its_traceback(call, monkeypatch):
    def fault(*arguments, **options):
        raise RuntimeError("a bug")

    monkeypatch.setattr(backprop, "TwoLayerNet", fault)
    with pytest.raises(RuntimeError, match="a bug"):
        call(*TRAIN)


def test_the_line_and_the_code_reach_the_shell(call_outside):
    ran = call_outside("train", "--epochs", "none")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith("backprop train: ") and "'none'" in ran.error
