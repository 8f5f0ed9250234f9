"""Several GPUs as one run by NCCL, and by MPI through the host: the numbers of one rank, captured or not.

Ranks are real processes. They run on an emulated CuPy, whose NCCL is emulated as well, and on real GPUs.
"""

import json
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cuda_emulator import KEPT
from emulated_memory import Pool
from emulated_nccl import NcclError
from mpi_runs import run_ranks
from ranks_program import trained

from backends import BackendUnavailable, load
from backends.communicators import Communicator, Nccl, RankFailed, nccl
from backends.communicators.launch import VARIABLES
from backends.cupy.nccl import library
from backends.testing import backend_or_skip
from backprop.training import step

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
gpu = pytest.mark.gpu


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Start as a process that no launcher has started."""
    for name in ("NCCL_COMM_ID", "MASTER_ADDR", "MASTER_PORT", *sum(VARIABLES.values(), ())):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module", autouse=True)
def kernels(tmp_path_factory):
    """Share the kernels of the emulation, which take seconds to compile, among the ranks of all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEPT, str(tmp_path_factory.mktemp("kernels")))
        yield


def ran(case, kind="emulated", failing=False):
    """Run a case of the program on two ranks; return the results of both, or what a failing one printed."""
    if kind == "emulated" and shutil.which("g++") is None:
        pytest.skip("g++ is not installed; it compiles the CUDA kernels for the CPU")
    path = [str(ROOT), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {"PYTHONPATH": os.pathsep.join(path)}
    done = run_ranks(HERE / "ranks_program.py", 2, case, kind, env=env, timeout=120)
    if failing:
        assert done.returncode != 0, done.stdout
        return done.stderr
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def require_gpus(count):
    """Return the CuPy backend on a real GPU; skip the test if there are fewer."""
    backend = backend_or_skip("cupy")
    found = backend.xp.cuda.runtime.getDeviceCount()
    if found < count:
        pytest.skip(f"needs {count} GPUs, found {found}")
    return backend


def require_nccl():
    try:
        library()
    except ImportError as error:
        pytest.skip(str(error))


def require_as_one(results, backend, **options):
    """Fail unless both ranks have trained as one rank does alone."""
    one, other = results
    assert one == other, "the ranks have different results"
    alone = trained(backend=backend, **options)
    for name in ("weights", "losses", "accuracy"):
        np.testing.assert_allclose(one[name], alone[name], rtol=0, atol=1e-5)
    assert one["state"].keys() == alone["state"].keys()
    for name, value in alone["state"].items():
        np.testing.assert_allclose(one["state"][name], value, rtol=0, atol=1e-5)


# ----------------------------------------------------------------------------------- two ranks, emulated GPUs


@pytest.mark.parametrize(
    ("engine", "port", "name"),
    [("nccl", None, "Nccl"), ("mpi", None, "Mpi"), ("torchrun", "127.0.0.1:29401", "Nccl")],
)
def test_every_call_leaves_what_it_promises(engine, port, name):
    """Means of real dtypes, broadcasts of all; without MPI, values of Python go through the devices."""
    assert ran(engine) == [["done", port, f"<{name}: rank {rank} of 2>"] for rank in (0, 1)]


@pytest.mark.parametrize("layers", ["plain", "normalized"])
def test_ranks_train_by_captured_steps_as_one(layers):
    """Also with statistics of the whole batch, and with values that are dropped."""
    results = ran(f"nccl:{layers}:100")
    assert [each["loop"] for each in results] == ["captured"] * 2
    require_as_one(results, "numpy", layers=layers)


def test_ranks_train_through_the_host_as_one():
    results = ran("mpi:plain:20")
    assert [each["loop"] for each in results] == ["eager: MPI is called by the host in every step"] * 2
    require_as_one(results, "numpy", layers="plain", iterations=20)


def test_ranks_train_without_mpi():
    results = ran("torchrun:plain:10")
    assert [each["loop"] for each in results] == ["captured"] * 2
    assert results[0] == results[1]


def test_all_stay_eager_if_one_cannot_capture():
    results = ran("fault:capture")
    why = "a step could not be captured"
    own = f"eager: {why} (ZeroDivisionError: division by zero)"
    assert [each.pop("loop") for each in results] == [f"eager: {why} (it was not on another rank)", own]
    require_as_one(results, "numpy", layers="plain", iterations=10)


def test_an_error_on_one_rank_ends_the_other():
    said = ran("fault:callback", failing=True)
    assert "RankFailed: rank 1: ZeroDivisionError: division by zero" in said


def test_processes_that_share_a_gpu_are_refused_on_all_ranks():
    said = ran("fault:devices", failing=True)
    assert said.count("Nccl: each process needs its own GPU, but 2 have 1; start fewer, or") == 2


# ---------------------------------------------------------------------------------------------- real GPUs


@gpu
@pytest.mark.parametrize("layers", ["plain", "normalized"])
def test_ranks_that_share_a_gpu_train_through_the_host_as_one(layers):
    backend = require_gpus(1)
    results = ran(f"mpi:{layers}:100", "cupy")
    assert all(each["loop"].startswith("eager: MPI is called by the host") for each in results)
    require_as_one(results, backend, layers=layers)


@gpu
def test_every_call_with_arrays_on_a_shared_gpu():
    require_gpus(1)
    assert [done for done, *_ in ran("mpi", "cupy")] == ["done"] * 2


@gpu
def test_nccl_refuses_processes_that_share_a_gpu():
    backend = require_gpus(1)
    require_nccl()
    if backend.xp.cuda.runtime.getDeviceCount() > 1:
        pytest.skip("each process has its own GPU here")
    assert ran("nccl", "cupy", failing=True).count("Nccl: each process needs its own GPU, but 2 have 1") == 2


@gpu
@pytest.mark.parametrize("engine", ["nccl", "torchrun"])
def test_every_call_on_two_gpus(engine):
    require_gpus(2)
    require_nccl()
    assert [done for done, *_ in ran(engine, "cupy")] == ["done"] * 2


@gpu
@pytest.mark.parametrize("layers", ["plain", "normalized"])
def test_two_gpus_train_as_one(layers):
    backend = require_gpus(2)
    require_nccl()
    results = ran(f"nccl:{layers}:100", "cupy")
    assert [each["loop"] for each in results] == ["captured"] * 2
    require_as_one(results, backend, layers=layers)


@pytest.mark.parametrize("layers", ["plain", "normalized"])
def test_a_rank_that_is_alone_captures_its_means(cuda, monkeypatch, layers):
    """A step with NCCL in it, on one GPU: the bits of a step without."""
    require_nccl()
    monkeypatch.setattr(step, "SEGMENT", 3)
    with_nccl, without = (trained(layers, cuda, ranks, iterations=7) for ranks in (Nccl(), None))
    assert with_nccl == without
    assert with_nccl["loop"] == "captured"


# ------------------------------------------------------------------------------------------ one rank's view


@pytest.fixture
def ranks(emulated):
    return Nccl(timeout=0.05)


@pytest.fixture
def never_done(emulated, monkeypatch):
    """The device waits for ever."""
    event = type("Event", (), {"done": False, "record": lambda self: None})
    monkeypatch.setattr(emulated.xp.cuda, "Event", lambda disable_timing: event())
    monkeypatch.setattr(nccl, "PATIENCE", 0.01)


def test_one_rank_makes_the_calls_of_nccl(ranks, emulated):
    called = emulated.xp.cuda.nccl.calls
    ranks.mean(emulated.asarray(np.ones(3, "float32")))
    ranks.broadcast(emulated.asarray([[True, False]], "bool"))
    assert called == [("allReduce", 3, "float32"), ("broadcast", 2, "uint8")]
    assert ranks.gather("value") == ["value"]
    assert isinstance(ranks, Communicator) and ranks.why_not_captured(emulated) == ""


@pytest.mark.parametrize("call", ["mean", "broadcast"])
def test_an_array_with_gaps_is_refused(ranks, emulated, call):
    array = emulated.asarray(np.ones((4, 4), "float32"))[:, :2]
    with pytest.raises(ValueError, match=rf"^Nccl.{call}: array must be contiguous, got .* shape \(4, 2\)"):
        getattr(ranks, call)(array)


def test_a_rank_that_waits_in_vain_gives_up(ranks, emulated, never_done):
    with pytest.raises(RankFailed, match=r"^rank 0: it has waited 0.05 s for the others$"):
        ranks.wait(emulated)
    assert emulated.xp.cuda.nccl.aborted == 1
    with pytest.raises(NcclError, match="aborted"):
        ranks.mean(emulated.asarray(np.ones(3, "float32")))


def test_a_device_may_work_for_long_once_all_ranks_wait_for_it(ranks, emulated, monkeypatch):
    """With MPI, a rank that hangs is found before, when it does not come to wait."""
    answers, heard = iter([False] * 3 + [True]), []
    event = type("Event", (), {"done": property(lambda self: next(answers)), "record": lambda self: None})
    monkeypatch.setattr(emulated.xp.cuda, "Event", lambda disable_timing: event())
    monkeypatch.setattr(nccl, "PAUSE", 1.5 * ranks.timeout)
    say = {name: lambda name=name: heard.append(name) for name in ("barrier", "look")}
    ranks._mpi = SimpleNamespace(**say)
    ranks.wait(emulated)
    assert heard == ["barrier", *["look"] * 3] and emulated.xp.cuda.nccl.aborted == 0


@pytest.mark.parametrize("error", [NcclError(6, "a remote process has exited"), KeyError(6)])
def test_an_error_of_nccl_ends_the_wait(ranks, emulated, never_done, error):
    """CuPy raises a KeyError for a status whose name it does not know."""
    emulated.xp.cuda.nccl.broken = error
    with pytest.raises(RankFailed, match=r"^rank 0: NCCL has failed \((NcclError|KeyError)\(.*6"):
        ranks.wait(emulated)
    assert emulated.xp.cuda.nccl.aborted == 1


def test_an_error_leaves_a_communicator_whose_work_is_done(ranks, emulated):
    with pytest.raises(ZeroDivisionError), ranks.together():
        ranks.mean(emulated.asarray(np.ones(3, "float32")))
        raise ZeroDivisionError
    assert emulated.xp.cuda.nccl.aborted == 0
    assert ranks.gather(1) == [1]


def test_an_error_aborts_work_that_waits_for_other_ranks(ranks, emulated, never_done):
    with pytest.raises(ZeroDivisionError), ranks.together():
        raise ZeroDivisionError
    assert emulated.xp.cuda.nccl.aborted == 1


# ------------------------------------------------------------------------------------------- what is missing


def test_without_nccl_the_error_says_what_to_install(emulated):
    emulated.xp.cuda.nccl.available = False
    with pytest.raises(ImportError, match=r"^Nccl: CuPy finds no NCCL; pip install nvidia-nccl-cu12 "):
        Nccl()


@pytest.mark.skipif(find_spec("cupy") is None, reason="CuPy is not installed")
def test_the_real_cupy_without_nccl(python):
    """CuPy's own warning is not shown beside the error."""
    if python("from cupy.cuda import nccl; assert not nccl.available").returncode:
        pytest.skip("CuPy finds an NCCL")
    done = python("from backends.cupy.nccl import library; library()")
    assert done.stderr.endswith("pip install nvidia-nccl-cu12 (CUDA 12) or nvidia-nccl-cu13 (CUDA 13)\n")
    assert "ImportError: Nccl: CuPy finds no NCCL" in done.stderr and "Warning" not in done.stderr


def test_without_cupy_the_error_is_that_of_the_backend(put_cupy):
    put_cupy(None)
    with pytest.raises(BackendUnavailable, match="CuPy is not installed"):
        Nccl()
    assert "cupy" not in sys.modules or sys.modules["cupy"] is None


@pytest.mark.parametrize("variables", [{}, {"MASTER_ADDR": "host"}, {"MASTER_ADDR": "h", "MASTER_PORT": "x"}])
def test_ranks_that_cannot_find_each_other(emulated, monkeypatch, variables):
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="need NCCL_COMM_ID=HOST:PORT, or MASTER_ADDR and MASTER_PORT$"):
        Nccl()


def test_an_address_that_is_given_is_kept(emulated, monkeypatch):
    seen = []

    def refuse(size, name, rank):
        seen.append((size, bytes(name).rstrip(b"\0"), rank))
        raise NcclError(2, "unhandled system error")

    monkeypatch.setattr(emulated.xp.cuda.nccl, "NcclCommunicator", refuse, raising=False)
    given = {"NCCL_COMM_ID": "head:5000", "MASTER_ADDR": "other", "MASTER_PORT": "1"}
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0", **given}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeError, match=r"^Nccl: NCCL cannot connect: .* \(NcclError\('NCCL error 2: unh"):
        Nccl()
    assert seen == [(2, b"head:5000", 1)]


# ------------------------------------------------------------------------------------------- the emulation


def test_the_emulation_refuses_what_nccl_refuses(ranks, emulated):
    library, comm = emulated.xp.cuda.nccl, ranks._comm
    array = emulated.asarray(np.ones(300, "float32"))
    at, kind = array.data.ptr, library.NCCL_FLOAT32
    for wrong in ((at, at, 300, 99, 4, 0), (at, at, 300, kind, 99, 0), (at, at, 3000, kind, 4, 0)):
        with pytest.raises(NcclError):
            comm.allReduce(*wrong)
    with pytest.raises(NcclError):
        comm.broadcast(at, at, 300, kind, 1, 0)
    del array
    with pytest.raises(NcclError, match="no memory of the device"):
        comm.allReduce(at, at, 300, kind, 4, 0)


def test_the_emulation_runs_a_recorded_call_at_each_replay(ranks, emulated):
    cupy = emulated.xp
    array, stream = emulated.asarray(np.ones(3, "float32")), cupy.cuda.Stream(non_blocking=True)
    ranks._comm.count = 2  # so a mean halves, without another rank
    with stream, cupy.using_allocator(Pool(cupy).malloc):
        stream.begin_capture()
        ranks.mean(array)
        with pytest.raises(RuntimeError, match="recording an event"):
            ranks._recorded()
        graph = stream.end_capture()
    assert emulated.to_numpy(array).tolist() == [1] * 3
    graph.launch()
    graph.launch()
    assert emulated.to_numpy(array).tolist() == [0.25] * 3


def test_page_locked_memory_lives_as_long_as_its_array(cuda):
    array = cuda.asarray(np.arange(6, dtype="float32").reshape(2, 3))
    host = cuda.host_memory((2, 3), "float32")
    others = [cuda.host_memory((2, 3), "float32") for _ in range(3)]
    cuda.fetch(array, host)
    for other in others:
        other.fill(7)
    del others, other
    assert host.tolist() == [[0, 1, 2], [3, 4, 5]]
    host *= 2
    cuda.put(array, host)
    assert cuda.to_numpy(array).tolist() == [[0, 2, 4], [6, 8, 10]]
    assert cuda.host_memory((0,), "float32").shape == (0,) and cuda.host_memory((), "float64").shape == ()
    assert load("cupy") is cuda
