"""What several ranks do with arrays of CuPy, emulated or real; as a program: CASE KIND, run by mpiexec.

Each case returns what is compared; the program prints those of all ranks, as JSON.
"""

import json
import os
import sys

import numpy as np

from backends import load, register
from backends.communicators import Mpi, Nccl
from backprop import Sequential, to_numpy, train
from backprop.layers import Affine, BatchNorm, Dropout, ReLU
from backprop.optimizers import Momentum
from backprop.training import step

DATA = np.random.default_rng(0)
X, T = DATA.normal(size=(40, 6)).astype("float32"), DATA.integers(3, size=40)
TORCHRUN = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29400"}
LAYERS = {
    "plain": lambda: [Affine(5, weight_init_std=0.5), ReLU(), Affine(3, weight_init_std=0.5)],
    "normalized": lambda: [Affine(5), BatchNorm(synchronized=True), ReLU(), Dropout(0.25), Affine(3)],
}


def trained(layers, backend, communicator=None, iterations=100, callback=None):
    """Train a small network; return how its steps ran, and what it ended in."""
    net = Sequential(LAYERS[layers](), 6, rng=1, dtype="float32", backend=backend)
    options = {"optimizer": Momentum(0.1), "batch_size": 8, "rng": 2, "evaluate_every": iterations}
    options |= {"communicator": communicator, "callback": callback}
    history = train(net, X, T, X, T, iterations=iterations, **options)
    state = {name: to_numpy(array).tolist() for name, array in net.state.items()}
    ended = {"weights": to_numpy(net.params.flat).tolist(), "state": state, "losses": history.loss}
    return {"loop": history.loop, "accuracy": history.test_accuracy, **ended}


def calls(ranks, xp):
    """Check what each call of a communicator leaves, for many dtypes and sizes."""
    own = 1.0 + ranks.rank
    for dtype in ("float32", "float64"):
        for shape in ((), (3,), (0,), (100, 17)):
            array = xp.full(shape, own, dtype=dtype)
            ranks.mean(array)
            assert to_numpy(array).shape == shape and (to_numpy(array) == 1.5).all()
    for dtype in ("float32", "float64", "uint64", "int64", "bool", "int16", "uint8"):
        for root in (0, 1):
            array = xp.asarray(np.asarray([[0, ranks.rank], [1, 5]]).astype(dtype))
            ranks.broadcast(array, root)
            expected = np.asarray([[0, root], [1, 5]]).astype(dtype)
            assert to_numpy(array).tobytes() == expected.tobytes()
    host = np.full(3, own)
    ranks.mean(host)
    assert host.tolist() == [1.5] * 3
    ranks.broadcast(host := np.arange(2) + ranks.rank, 1)
    assert host.tolist() == [1, 2]
    values = ["a" * 1000 if ranks.rank else None, {"rank": ranks.rank}, b"\0\0"]
    for value in values:
        gathered = ranks.gather(value)
        assert len(gathered) == 2 and gathered[ranks.rank] == value
    assert ranks.any(ranks.rank == 1) and not ranks.all(ranks.rank == 1)
    ranks.barrier()
    return "done"


def as_by_torchrun():
    """Set the variables that torchrun sets, in place of those of mpiexec, which has started MPI."""
    from mpi4py import MPI

    for name in [name for name in os.environ if name.startswith(("PMI", "OMPI", "MPI_", "HYD", "SLURM"))]:
        del os.environ[name]
    os.environ |= {"RANK": str(MPI.COMM_WORLD.rank), "LOCAL_RANK": str(MPI.COMM_WORLD.rank), **TORCHRUN}


def run(case, backend):
    """Return the result of a case on this rank: ENGINE, ENGINE:LAYERS:ITERATIONS or fault:NAME."""
    engine, layers, iterations = f"{case}::".split(":")[:3]
    if engine == "torchrun":
        as_by_torchrun()
    ranks = Mpi() if engine == "mpi" else Nccl()
    if case == "fault:capture" and ranks.rank:
        backend.xp.cuda.Stream = _without_capture(backend.xp.cuda.Stream)
    if case == "fault:capture":
        return trained("plain", backend, ranks, iterations=10)
    if case == "fault:callback":
        return trained("plain", backend, ranks, iterations=10, callback=lambda _: ranks.rank and 1 / 0)
    if layers:
        return trained(layers, backend, ranks, int(iterations))
    return calls(ranks, backend.xp), os.environ.get("NCCL_COMM_ID"), repr(ranks)


def _without_capture(make):
    def stream(**options):
        made = make(**options)
        made.begin_capture = lambda: 1 / 0
        return made

    return stream


if __name__ == "__main__":
    case, kind = sys.argv[1:]
    if kind == "emulated":
        import pytest
        from emulated_cupy import emulated_backend

        step.SEGMENT = 5
        register(emulated_backend(pytest.MonkeyPatch(), devices=1 if case == "fault:devices" else 2))
    result = run(case, load("cupy"))
    from mpi4py import MPI

    results = MPI.COMM_WORLD.gather(result)
    if results is not None:
        print(json.dumps(results))
