"""The GPU report over the library's CUDA backend on an emulated CUDA: calls and results are right.

The figures would be those of the emulation.
"""

from dataclasses import replace
from types import SimpleNamespace

import emulated_cupy  # from tests/backends
import numpy as np
import pytest
from cuda_emulator import signatures

from backends import load, register, registry
from backends.cupy import affine
from backends.cupy.launch import source
from backprop import TwoLayerNet
from backprop.layers import Affine
from benchmarks.gpu_report import (
    big_step,
    convolution,
    few_steps,
    library,
    micro,
    numerical,
    numpy_job,
    ours,
    race,
    smoke,
    variants,
)
from benchmarks.gpu_report.problem import job_problem
from benchmarks.gpu_report.readings import CAPTURED, NUMPY
from benchmarks.gpu_report.rows import Recorder, Wrong, found, names, read
from benchmarks.gpu_report.settings import REHEARSAL
from benchmarks.gpu_report.targets import DIFFERENCES
from benchmarks.race.agreement import WEIGHTS

TINY = replace(REHEARSAL, device="cuda", samples=24, rounds=1, eager_rounds=1)
TINY = replace(TINY, iterations=2, hidden=3, batch_size=4, big_hidden=5, big_batch=6, big_steps=1)


@pytest.fixture
def emulated(monkeypatch):
    """The CuPy backend over an emulated CuPy, in which an empty kernel needs no compiling."""
    monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))
    monkeypatch.setattr(registry, "_by_type", dict(registry._by_type))
    backend = register(emulated_cupy.emulated_backend(monkeypatch))
    cupy = backend.xp
    cupy.RawKernel = lambda code, name: lambda grid, block, arguments: cupy.do(lambda: None)
    return SimpleNamespace(modes=lambda: emulated_cupy.cublas.cublas(cupy)._library.emulated.modes)


@pytest.fixture
def record(tmp_path):
    return Recorder(tmp_path / "rows", "a group")


def test_the_job_captured_and_eager(emulated, record):
    numpy_job.measure(record, TINY)
    ours.measure(record, TINY)
    rows = read(record.path)
    assert not found(rows, "error")
    exact = found(rows, "job", NUMPY)[0]
    for row in found(rows, "job"):
        np.testing.assert_allclose(row["first_losses"], exact["first_losses"], rtol=0, atol=1e-5)
        assert row["accuracy"] == pytest.approx(exact["accuracy"], abs=0.26)  # one sample of four
    assert len(found(rows, "job", CAPTURED)) == TINY.rounds
    assert found(rows, "difference")[0]["value"] < 1e-6
    assert names(rows, "step") == [f"step: {name}" for name in variants.VARIANTS]


def test_the_race_is_captured_and_takes_the_steps_of_the_formulas(emulated, record):
    race.measure(record, replace(TINY, race_steps=3))
    rows = read(record.path)
    assert not found(rows, "error")
    (row,) = found(rows, "race", CAPTURED)
    assert row["steps"] == 3 and row["off"] < WEIGHTS


@pytest.mark.parametrize("own", [True, False], ids=["our own products", "by cuBLAS"])
def test_the_steps_of_the_smoke_test(emulated, own):
    said = []
    with library.own_products(own):
        smoke.compare(job_problem(TINY), "cuda", said.append)
    assert len(said) == 4


def test_the_steps_under_the_sanitizer_launch_every_kernel(emulated, monkeypatch):
    backend, launched = load("cupy"), set()
    kernel = backend.kernel
    backend.kernel = lambda name: launched.add(name) or kernel(name)
    backend.xp.cuda.set_allocator = lambda allocator: None
    for name, value in {"BATCH": 2, "SAMPLES": 4, "PIXELS": 6}.items():
        monkeypatch.setattr(few_steps, name, value)
    few_steps.main("cupy", "own,cublas")
    assert launched == {*signatures(source())}


def test_own_products_are_right_whatever_their_size(emulated, monkeypatch):
    monkeypatch.setattr(affine, "product", None)  # must not be called
    backend, rng = load("cupy"), np.random.default_rng(0)
    x, W = rng.random((3, 1030), dtype=np.float32), rng.random((1030, 4), dtype=np.float32)
    with library.own_products(True):
        out = Affine(backend.asarray(W), backend.zeros((4,), "float32")).forward(backend.asarray(x))
    np.testing.assert_allclose(backend.to_numpy(out), x @ W, rtol=1e-5)


def test_steps_with_convolutions(emulated, record):
    convolution.measure(record, replace(TINY, conv_steps=2, filters=1))
    rows = read(record.path)
    for net in ("SimpleConvNet", "DeepConvNet"):
        exact = found(rows, "convolution losses", f"{NUMPY}, {net}")[0]["first_losses"]
        (mine,) = found(rows, "convolution", f"{CAPTURED}, {net}")
        np.testing.assert_allclose(mine["first_losses"], exact, rtol=0, atol=1e-5)
    assert not found(rows, "error")


def test_the_big_step_in_both_precisions(emulated, record):
    with library.own_products(False):  # as for the large sizes on a GPU
        big_step.measure(record, TINY)
    rows = read(record.path)
    assert not found(rows, "error")
    assert names(rows, "big") == ["ours, float32", "products, float32", "ours, TF32", "products, TF32"]
    exact = found(rows, "big losses")[0]["first_losses"]
    np.testing.assert_allclose(found(rows, "big")[0]["first_losses"], exact, rtol=0, atol=1e-5)
    assert 3 in emulated.modes()  # TF32 was requested from cuBLAS


def test_the_small_figures(emulated, record, monkeypatch):
    monkeypatch.setattr(micro, "SHAPES", [(4, 6, 3)])
    monkeypatch.setattr(micro, "SUMMED", [(5, 3)])
    monkeypatch.setattr(micro, "ROWS", (4,))
    monkeypatch.setattr(micro, "STEPS", 2)
    monkeypatch.setattr(micro, "NODES", 2)
    micro.measure(record, TINY)
    rows = read(record.path)
    assert not found(rows, "error")
    assert len(names(rows, "micro")) == 4
    assert names(rows, "sums") == ["sums of 5 x 3, 4 a block"]
    assert [name.split(", ")[2:] for name in names(rows, "product")] == [
        [pass_, whose] for pass_ in ("forward", "backward") for whose in ("own", "cuBLAS")
    ]


def test_the_numerical_gradients(emulated, record, monkeypatch):
    small = {way: (compute, (6, 3)) for way, (compute, _) in numerical.WAYS.items()}
    monkeypatch.setattr(numerical, "WAYS", small)
    numerical.measure(record, TINY)
    rows = read(record.path)
    assert not found(rows, "error")
    assert set(names(rows, "numerical")) == set(DIFFERENCES)
    for row in found(rows, "numerical"):
        assert row["difference"] <= DIFFERENCES[row["name"]] and row["network"] == "6-3-10"


def test_steps_that_cannot_be_captured_are_a_failure_and_no_figure(emulated):
    backend = load("cupy")
    zeros = backend.zeros((2,), "float32")
    with pytest.raises(Wrong, match="^the steps are not captured; eager: "):
        library.looped(backend, lambda i: backend.to_numpy(zeros))(3)


def test_a_training_that_is_not_captured_is_a_failure(emulated):
    x, labels = np.ones((4, 6), np.float32), np.zeros(4, np.int64)
    batches = np.zeros((2, 3), np.int64)

    class Own(TwoLayerNet):
        def loss(self, x, t, training=False):
            return super().loss(x, t, training)

    for made, fails in ((TwoLayerNet, False), (Own, True)):
        net = made(6, 3, 2, dtype="float32", rng=0, backend="cupy")
        data = net.prepare("test", x, labels)
        assert len(library.training_loop(net, *data, 3, capture=False)(batches)) == 2
        captured = library.training_loop(net, *data, 3, capture=True)
        if fails:
            with pytest.raises(Wrong, match="Own overrides loss or gradient"):
                captured(batches)
        else:
            assert len(captured(batches)) == 2
