"""`backprop train` on several ranks: one voice, the history of one process, and one line for a failure."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from mpi_runs import ROOT, launcher, require_mpi

pytest.importorskip("click")
pytest.importorskip("tqdm")

TRAIN = [sys.executable, "-m", "backprop", "train", "--data", "sample", "--seed", "0"]
SHORT = [*TRAIN, "--iterations", "120", "--dtype", "float64"]
LONG = [*TRAIN, "--iterations", "20000"]
LIMIT = 12  # seconds until all must be over


@pytest.fixture(autouse=True)
def with_mpi():
    require_mpi()


def started(command, folder, **variables):
    """Start a command in a folder."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": path, **variables}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=env, **pipes)


def ran(command, folder, **variables):
    """Run a command to its end."""
    process = started(command, folder, **variables)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def running(command, folder, **variables):
    """Start a command; return it and the processes of its ranks, when it has made some iterations."""
    process, processes = started(command, folder, **variables), []
    for line in process.stdout:
        if line.startswith("ranks: "):
            processes = [*map(int, re.findall(r"\d+", line.partition("processes")[2]))]
        if re.match(r"iteration +[1-9]", line):
            break
    return process, processes


def end_of(process, processes):
    """Return what a command printed until its end, which must come soon, and that of all its ranks."""
    out, err = process.communicate(timeout=LIMIT)
    until = time.monotonic() + LIMIT
    while any(map(is_alive, processes)):
        assert time.monotonic() < until, "a rank is left"
        time.sleep(0.05)
    return process.returncode, out, err


def is_alive(process):
    """Return whether a process runs: one that nobody has waited for is over, too."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Return the history of one process."""
    folder = tmp_path_factory.mktemp("alone")
    assert ran([*SHORT, "--json", "run.json", "--dropout", "0.2"], folder)[0] == 0
    return json.loads((folder / "run.json").read_text())["history"]


@pytest.mark.parametrize("how", ["mpiexec", "--processes"])
@pytest.mark.parametrize("count", [2, 4])
def test_ranks_train_as_one_and_speak_with_one_voice(how, count, alone, tmp_path):
    options = ["--json", "run.json", "--dropout", "0.2", "--save", "net.safetensors"]
    several = ["--processes", str(count)] if how == "--processes" else []
    code, out, err = ran([*(launcher(count) if not several else []), *SHORT, *several, *options], tmp_path)
    assert (code, err) == (0, "")
    assert out.count("accuracy on the sample: ") == 1 and out.startswith(
        f"ranks: {count} over MPI, processes "
    )
    found = json.loads((tmp_path / "run.json").read_text())
    assert found["ranks"] == count
    for name in ("loss", "test_loss"):
        assert found["history"][name] == pytest.approx(alone[name], abs=1e-12)
    for name in ("iterations", "train_accuracy", "test_accuracy"):
        assert found["history"][name] == alone[name]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.safetensors", "run.json"]


@pytest.mark.parametrize("how", ["mpiexec", "--processes"])
@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--epochss 3", "there is no option --epochss; did you mean --epochs?"),
        ("--batch-size 15", "--batch-size must be a multiple of the 2 ranks, got 15; the nearest is 16"),
        ("--sync-batch-norm", "--sync-batch-norm has no effect without --batch-norm"),
        ("--save no/where", "--save: no/where: No such file or directory"),
    ],
)
def test_a_wrong_call_is_told_once(how, options, line, tmp_path):
    several = ["--processes", "2"] if how == "--processes" else []
    command = [*(launcher(2) if not several else []), *SHORT, *several, *options.split()]
    code, out, err = ran(command, tmp_path)
    assert code == 2 and err.count("\n") == 1 and err.startswith(f"backprop train: {line}")


def test_processes_and_a_launcher_must_agree(tmp_path):
    code, _, err = ran([*launcher(2), *SHORT, "--processes", "3"], tmp_path)
    rule = "--processes must be omitted where a launcher has started 2 processes, got 3"
    assert code == 2 and err.startswith(f"backprop train: {rule}") and err.count("\n") == 1


def test_one_process_needs_no_launcher(tmp_path):
    code, out, _ = ran([*SHORT, "--processes", "1"], tmp_path)
    assert code == 0 and "ranks: " not in out


def test_without_mpiexec_the_line_says_what_to_install(tmp_path, monkeypatch):
    from backprop.cli import run
    from backprop.cli.train import processes

    said = []
    monkeypatch.setattr(processes.shutil, "which", lambda name: None)
    monkeypatch.setattr(processes.Path, "exists", lambda path: False)
    monkeypatch.setattr("click.echo", lambda text, **how: said.append(text))
    assert run([*SHORT[3:], "--processes", "2"]) == 3
    assert said == [
        'backprop train: --processes needs mpiexec, which is not installed: pip install "backprop-xp[mpi]"'
    ]


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_is_named(rank, tmp_path):
    process, ranks = running([*LONG, "--processes", "2"], tmp_path)
    os.kill(ranks[rank], signal.SIGKILL)
    assert end_of(process, ranks)[::2] == (3, f"backprop train: rank {rank} was killed (SIGKILL)\n")


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_hangs_is_named(rank, tmp_path):
    process, ranks = running([*LONG, "--processes", "2"], tmp_path, BACKPROP_TIMEOUT="1")
    os.kill(ranks[rank], signal.SIGSTOP)
    line = f"backprop train: rank {rank}: it does not answer, and it has waited 1 s for the others\n"
    assert end_of(process, ranks)[::2] == (3, line)


@pytest.mark.parametrize(("number", "code", "word"), [(2, 130, "interrupted"), (15, 143, "terminated")])
def test_a_signal_ends_all_ranks_with_a_checkpoint(number, code, word, tmp_path):
    options = ["--processes", "2", "--checkpoint", "kept", "--checkpoint-every", "1000000"]
    process, ranks = running([*LONG, *options], tmp_path)
    process.send_signal(number)
    found, _, err = end_of(process, ranks)
    assert found == code and err.endswith(f"backprop train: {word}\n") and err.count(word) == 1
    assert "--processes 2" in err.partition("to resume: ")[2]
    assert [path.suffix for path in (tmp_path / "kept").iterdir()] == [".safetensors"]


def test_a_signal_to_one_rank_ends_the_others(tmp_path):
    process, ranks = running([*LONG, "--processes", "2"], tmp_path)
    os.kill(ranks[1], signal.SIGTERM)
    code, _, err = end_of(process, ranks)
    assert code == 143 and err == "backprop train: rank 1: terminated\n"


def test_a_run_resumes_on_another_number_of_processes(alone, tmp_path):
    kept = ["--dropout", "0.2", "--checkpoint", "kept", "--checkpoint-every", "40"]
    half = [*SHORT[:-4], "--iterations", "120", "--dtype", "float64", *kept]
    process, ranks = running([*half, "--processes", "2"], tmp_path)
    end_of(process, ranks)
    for path in sorted((tmp_path / "kept").iterdir())[1:]:
        path.unlink()
    code, out, err = ran([*half, "--processes", "4", "--resume", "--json", "run.json"], tmp_path)
    assert (code, err) == (0, "") and "resumed at iteration 40" in out
    found = json.loads((tmp_path / "run.json").read_text())["history"]
    assert found["loss"] == pytest.approx(alone["loss"], abs=1e-12)


def test_data_that_only_one_rank_lacks_is_told_once(tmp_path):
    """Rank 1 is given a directory with nothing in it. The first rank, which has data, tells of it."""
    rank = "${PMI_RANK:-$OMPI_COMM_WORLD_RANK}"
    words = " ".join([*TRAIN[:4], "--iterations", "50"])
    script = (
        f'if [ "{rank}" = 1 ]; then set -- --data-dir .; else set -- --data sample; fi; exec {words} "$@"'
    )
    code, _, err = ran([*launcher(2), "sh", "-c", script], tmp_path)
    assert code != 0
    assert len(re.findall("^backprop train: rank 1: .*$", err, re.MULTILINE)) == 1
