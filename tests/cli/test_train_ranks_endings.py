"""`backprop train` on several processes that are disturbed: all end, and one of them says why, once."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")
if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

from mpi_runs import launcher, require_mpi

ROOT = Path(__file__).parents[2]
TRAIN = [sys.executable, "-m", "backprop", "train"]
SMALL = ["--data", "sample", "--hidden", "4", "--batch-size", "20", "--seed", "0", "--dtype", "float64"]
ENDLESS = [*SMALL, "--iterations", "1000000"]
LIMIT = 30  # seconds in which a failed run has ended in any case
SPECIAL = '[ "${PMI_RANK:-$OMPI_COMM_WORLD_RANK}" != 1 ] || export "$SPECIAL"; exec "$@"'


class Started:
    """A command line with its output; the end of `with` ends its processes."""

    def __init__(self, *command, **env):
        env = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "OPENBLAS_NUM_THREADS": "1", **env}
        self.process = subprocess.Popen(
            [*map(str, command)],
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.processes, self.read = [], ""

    def __enter__(self):
        return self

    def until_it_trains(self):
        """Return the process of each rank, when the first line about the training is there."""
        for line in self.process.stdout:
            self.read += line
            if found := re.match(r"ranks: \d+ over MPI, processes ([\d, ]+)", line):
                self.processes = [*map(int, found[1].split(","))]
            if line.startswith("iteration"):
                return self.processes
        pytest.fail(f"no training: {self.process.stderr.read()}")

    def ended(self):
        """Return the exit code, and what was printed on both streams. No process is left."""
        out, err = self.process.communicate(timeout=LIMIT)
        until = time.monotonic() + 5
        while any(map(is_running, self.processes)) and time.monotonic() < until:
            time.sleep(0.01)
        assert [*filter(is_running, self.processes)] == []
        return self.process.returncode, self.read + out, err

    def __exit__(self, *error):
        for process in self.processes if self.process.poll() is None else ():
            if is_running(process):
                os.kill(process, signal.SIGKILL)
        self.process.kill()
        self.process.communicate()


def is_running(process):
    """Return whether there is such a process, which nobody has waited for yet."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.fixture(autouse=True)
def mpi():
    require_mpi()


def several(count, *arguments, **env):
    """Start `backprop train --processes`."""
    return Started(*TRAIN, *arguments, "--processes", count, **env)


def launched(count, *arguments, **env):
    """Start `mpiexec backprop train`."""
    return Started(*launcher(count), *TRAIN, *arguments, **env)


def test_without_mpi4py(call, monkeypatch):
    call("train", "--help")  # imports the module
    monkeypatch.setattr(sys.modules["backprop.cli.train.processes"], "find_spec", lambda name: None)
    ran = call("train", *SMALL, "--processes", 2)
    cure = 'pip install "backprop-xp[mpi]"'
    assert (ran.code, ran.out) == (3, "")
    assert ran.error == f"backprop train: --processes needs mpi4py, which is not installed: {cure}"


ELSEWHERE = {  # a variable that only rank 1 has: before it meets the others, then while they load the data
    "BACKPROP_COMMUNICATOR=foo": "the environment variable BACKPROP_COMMUNICATOR must be alone, mpi, nccl",
    "BACKPROP_DTYPE=float16": "Sequential: the environment variable BACKPROP_DTYPE must be float32 or",
    "BACKPROP_DATA_DIR=/no/such": "/no/such: BACKPROP_DATA_DIR is not a readable directory",
}


@pytest.mark.parametrize("special", ELSEWHERE)
def test_an_error_of_one_rank_is_told_by_the_first_in_the_same_words(mnist, special):
    options = ["--hidden", 2, "--batch-size", 2, "--seed", 0]
    command = [*launcher(2), "sh", "-c", SPECIAL, "sh", *TRAIN, *options]
    with Started(*command, SPECIAL=special, BACKPROP_DATA_DIR=str(mnist)) as run:
        code, _, err = run.ended()
    (line,) = err.splitlines()
    assert code == 3 and line.startswith(f"backprop train: rank 1: {ELSEWHERE[special]}")


ENDED = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}
by_signal = pytest.mark.parametrize("number", ENDED, ids=lambda number: number.name)


@by_signal
@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_to_one_rank(tmp_path, number, rank):
    folder = tmp_path / "kept"
    with launched(2, *ENDLESS, "--checkpoint", folder) as run:
        os.kill(run.until_it_trains()[rank], number)
        code, _, err = run.ended()
    line = err.splitlines()[-1]
    assert code == ENDED[number][0] and line.endswith(f": {ENDED[number][1]}")
    assert line.startswith("backprop train: rank 1: " if rank else "backprop train: ")
    assert [*folder.glob("iteration-*.safetensors")] != []


@pytest.mark.parametrize("wait", [0.4, 0.9])
def test_ctrl_c_before_the_ranks_have_met(wait):
    with several(2, *ENDLESS) as run:
        time.sleep(wait)
        run.process.send_signal(signal.SIGINT)
        code, _, err = run.ended()
    assert code == 130 and err.splitlines()[-1] in ("backprop train: interrupted", "backprop: interrupted")


def test_whoever_reads_the_output_goes():
    with several(2, *SMALL, "--iterations", 40000) as run:
        processes = run.until_it_trains()
        run.process.stdout.close()
        assert run.process.wait(LIMIT) == 3
        assert not any(map(is_running, processes))


def test_the_input_is_left_to_the_next_command():
    command = " ".join(["read first;", *TRAIN, *SMALL, "--iterations 1 --processes 2 -q"])
    with Started("sh", "-c", f"printf 'a\\nb\\n' | ({command}; read second; echo $second)") as run:
        code, out, _ = run.ended()
    assert (code, out.splitlines()[-1]) == (0, "b")


WRONG = {  # variables, and what must be said of them
    "RANK=one WORLD_SIZE=2": "RANK must be a whole number, as a launcher sets it, got 'one'",
    "RANK=2 WORLD_SIZE=2": "RANK must be below WORLD_SIZE, got 2 and 2",
    "BACKPROP_COMMUNICATOR=alone": "--processes 2 has no effect with BACKPROP_COMMUNICATOR=alone",
}


@pytest.mark.parametrize("variables", WRONG)
def test_variables_of_launchers(call, monkeypatch, variables):
    for name in ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    for variable in variables.split():
        monkeypatch.setenv(*variable.split("="))
    ran = call("train", *SMALL, "--iterations", 1, "--processes", 2)
    assert (ran.code, ran.out) == (2, "") and ran.error.startswith(f"backprop train: {WRONG[variables]}")


def test_ranks_that_want_to_be_alone_all_speak():
    with launched(2, *SMALL, "--iterations", 1, "-q", BACKPROP_COMMUNICATOR="alone") as run:
        code, out, err = run.ended()
    assert (code, err, out.count("accuracy on the sample: ")) == (0, "", 2)


FAULT = """
import sys
import backprop
from backprop.cli.train.command import make_network
from backends.communicators import launched
from backprop.cli import run
command = sys.modules["backprop.cli.train.command"]
def faulty(*arguments):
    if launched().rank == {rank}:
        raise KeyError("a fault")
    return make_network(*arguments)
command.make_network = faulty
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("rank", [0, 1])
def test_a_fault_of_the_library_ends_all_ranks(tmp_path, rank):
    program = tmp_path / "faulty.py"
    program.write_text(FAULT.format(rank=rank))
    with Started(*launcher(2), sys.executable, program, "train", *SMALL) as run:
        code, _, err = run.ended()
    if rank:
        assert (code, err) == (3, "backprop train: rank 1: KeyError: 'a fault'\n")
    else:
        assert code == 1 and err.count("Traceback") == 1 and err.endswith("\nKeyError: 'a fault'\n")
