"""The communicator of one process: what the environment says, how one is chosen, and what can be missing."""

import builtins
import sys

import numpy as np
import pytest

from backends import load
from backends.communicators import Alone, Mpi, Nccl, RankFailed, WholeBatch, choose_communicator, launched
from backends.communicators.launch import VARIABLES, timeout_of
from backprop.training import Communicator


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch):
    """Remove what a launcher of the tests themselves may have set."""
    for name in (*sum(VARIABLES.values(), ()), "BACKPROP_COMMUNICATOR", "BACKPROP_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


def test_a_process_that_was_started_alone_is_alone():
    assert launched() == ("", 0, 1, 0)
    assert type(choose_communicator(None, load("numpy"), "train")) is Alone


@pytest.mark.parametrize("launcher", VARIABLES)
def test_every_launcher_is_known(launcher, monkeypatch):
    for name, value in zip(VARIABLES[launcher], ("5", "8", "1"), strict=True):
        monkeypatch.setenv(name, value)
    assert launched() == (launcher, 5, 8, 1)
    monkeypatch.delenv(VARIABLES[launcher][2])
    assert launched() == (launcher, 5, 8, 0)


def test_a_batch_script_of_slurm_is_alone(monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_NTASKS", "8")
    assert launched().size == 1


def test_mpiexec_within_a_job_of_slurm_counts(monkeypatch):
    for name, value in zip(VARIABLES["Slurm"] + VARIABLES["MPICH"], "0", strict=False):
        monkeypatch.setenv(name, value)
    for name, value in zip(VARIABLES["MPICH"], ("2", "4", "2"), strict=True):
        monkeypatch.setenv(name, value)
    assert launched() == ("MPICH", 2, 4, 2)


@pytest.mark.parametrize(("rank", "size"), [("4", "4"), ("-1", "4"), ("a", "4"), ("1", "²"), ("", "4")])
def test_variables_that_no_launcher_sets_are_refused(rank, size, monkeypatch):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    with pytest.raises(ValueError, match="^RANK|^WORLD_SIZE"):
        launched()


@pytest.mark.parametrize("wrong", [0, -1, "soon", "nan", [], None, ""])
def test_a_timeout_is_a_number_of_seconds(wrong, monkeypatch):
    if wrong in (None, ""):
        monkeypatch.setenv("BACKPROP_TIMEOUT", "")
        assert timeout_of(None) == 300
        return
    with pytest.raises(ValueError, match="^timeout must be a number of seconds above 0, got "):
        timeout_of(wrong)
    monkeypatch.setenv("BACKPROP_TIMEOUT", str(wrong))
    with pytest.raises(ValueError, match="^the environment variable BACKPROP_TIMEOUT must be"):
        timeout_of(None)


def test_the_environment_chooses_an_engine(monkeypatch):
    monkeypatch.setenv("BACKPROP_COMMUNICATOR", "alone")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert type(choose_communicator(None, load("numpy"), "train")) is Alone
    monkeypatch.setenv("BACKPROP_COMMUNICATOR", "gloo")
    rule = "^train: the environment variable BACKPROP_COMMUNICATOR must be alone, mpi, nccl, got 'gloo'"
    with pytest.raises(ValueError, match=rule):
        choose_communicator(None, load("numpy"), "train")


def test_the_argument_comes_before_the_environment(monkeypatch):
    monkeypatch.setenv("BACKPROP_COMMUNICATOR", "mpi")
    mine = Alone()
    assert choose_communicator(mine, load("numpy"), "train") is mine
    assert type(choose_communicator("alone", load("numpy"), "train")) is Alone


def test_launched_processes_use_mpi_or_say_what_is_missing(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    real = builtins.__import__

    def without_mpi4py(name, *args, **kwargs):
        if name == "mpi4py":
            raise ModuleNotFoundError("No module named 'mpi4py'", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_mpi4py)
    with pytest.raises(ImportError, match="^Mpi needs mpi4py and an MPI: pip install mpi4py mpich"):
        choose_communicator(None, load("numpy"), "train")


def test_an_mpiexec_of_another_mpi_is_refused(monkeypatch):
    pytest.importorskip("mpi4py")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "0")
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    rule = "^Mpi: Open MPI has started 4 processes, but mpi4py's MPI finds 1; run the mpiexec of "
    with pytest.raises(RuntimeError, match=rule):
        Mpi()


@pytest.mark.parametrize("wrong", [3, "world", [], object()])
def test_mpi_takes_a_communicator_of_mpi4py(wrong):
    pytest.importorskip("mpi4py")
    with pytest.raises(TypeError, match="^Mpi: comm must be a communicator of mpi4py, got "):
        Mpi(wrong)


@pytest.mark.parametrize("make", [Mpi, Nccl])
def test_engines_check_the_timeout_first(make):
    with pytest.raises(ValueError, match="^timeout must be"):
        make(timeout=-1)


def one_of(engine):
    """Return a communicator of one rank."""
    if engine is Mpi:
        pytest.importorskip("mpi4py")
    return engine()


@pytest.mark.parametrize("engine", [Alone, Mpi])
def test_one_rank_changes_nothing(engine):
    communicator, array = one_of(engine), np.array([1.0, 2.5])
    communicator.mean(array)
    communicator.broadcast(array)
    communicator.barrier()
    assert array.tolist() == [1.0, 2.5] and communicator.gather({"a": 1}) == [{"a": 1}]
    assert communicator.any(True) and not communicator.any(False)
    assert communicator.all(True) and not communicator.all(False)
    assert communicator.share(7) == slice(0, 7)
    with pytest.raises(KeyError), communicator.together() as ranks:
        assert ranks is communicator
        raise KeyError("mine")
    assert repr(communicator) == f"<{engine.__name__}: rank 0 of 1>"


def test_arrays_of_any_backend_go_through_the_host(backend):
    communicator = one_of(Mpi)
    array = backend.asarray([[1.0, 2.0], [3.0, 4.0]], "float32")
    communicator.mean(array)
    communicator.broadcast(array)
    assert backend.to_numpy(array).tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(("count", "size"), [(0, 1), (1, 3), (7, 3), (100, 7), (3, 3)])
def test_shares_are_consecutive_and_nearly_equal(count, size):
    class One(Alone):
        pass

    shares = []
    for rank in range(size):
        one = One()
        one.rank, one.size = rank, size
        shares.append(one.share(count))
    assert [at for share in shares for at in range(count)[share]] == [*range(count)]
    lengths = [share.stop - share.start for share in shares]
    assert max(lengths) - min(lengths) <= 1


def test_the_mean_of_the_whole_batch_is_that_of_all_ranks():
    class Doubling(Alone):
        def mean(self, array):
            array *= 2

    xp = WholeBatch(np, Doubling())
    assert xp.mean(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0, keepdims=True).tolist() == [[4.0, 6.0]]
    assert xp.sqrt is np.sqrt


def test_a_failure_names_the_rank():
    error = RankFailed(3, "ValueError: no")
    assert str(error) == "rank 3: ValueError: no" and (error.rank, error.message) == (3, "ValueError: no")


def test_a_communicator_needs_all_its_calls():
    with pytest.raises(TypeError, match="abstract"):
        Communicator()


def test_importing_the_library_imports_no_mpi():
    import subprocess

    code = "import sys, backprop; assert 'mpi4py' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
