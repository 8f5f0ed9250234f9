"""Faults of devices and memory: arrays on another device, of another library, or too large.

On an emulated CuPy; the arrays of other libraries also on a real GPU, if they are installed there.
"""

import json

import numpy as np
import pytest
from emulated_cupy import emulated_backend

from backends import load, register
from backends.cupy import cublas
from backends.testing import backend_or_skip
from backprop import TwoLayerNet, asarray, precision, to_numpy, train, warmup

X, T = np.eye(4, dtype="float32"), np.array([0, 1, 0, 1])


class Tensor:
    """Another library's array, on a device as DLPack numbers them."""

    def __init__(self, values, device_type):
        self.values, self.device_type = values, device_type

    def __dlpack_device__(self):
        return self.device_type, 0

    def __array__(self, *_, **__):
        raise TypeError("cannot convert a device tensor to numpy")


def net_on(backend):
    return TwoLayerNet(4, 3, 2, rng=0, dtype="float32", backend=backend)


@pytest.mark.parametrize("device_type", [2, 13])
def test_a_device_array_of_another_library_is_taken_as_it_is(emulated, device_type):
    net = net_on(emulated)
    expected = to_numpy(net.predict(X))
    np.testing.assert_array_equal(to_numpy(net.predict(Tensor(X, device_type))), expected)
    moved = asarray(Tensor(X, device_type), backend="cupy")
    assert type(moved) is emulated.xp.ndarray
    assert float(net.loss(Tensor(X, device_type), Tensor(T, device_type))) == pytest.approx(
        float(net.loss(X, T))
    )


@pytest.mark.parametrize(("backend", "device_type"), [("numpy", 2), ("numpy", 8), ("cupy", 10)])
def test_one_that_cannot_be_reached_is_refused_clearly(emulated, backend, device_type):
    words = f"x must be on a device that backend {backend} can reach, got .*Tensor; copy it to the host first"
    with pytest.raises(TypeError, match=words):
        net_on(backend).predict(Tensor(X, device_type))


@pytest.mark.gpu
def test_tensors_of_pytorch_on_the_device():
    backend_or_skip("cupy")
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    net = net_on("cupy")
    tensor = torch.from_numpy(X).cuda()
    np.testing.assert_array_equal(to_numpy(net.predict(tensor)), to_numpy(net.predict(X)))
    with pytest.raises(TypeError, match="x must be on a device that backend numpy can reach"):
        net_on("numpy").predict(tensor)


def test_an_array_on_another_device_is_refused(monkeypatch):
    backend = register(emulated_backend(monkeypatch, devices=2))
    net, here = net_on(backend), asarray(X, backend=backend)
    with backend.xp.cuda.Device(1):
        there = backend.asarray(X)
        words = (
            "TwoLayerNet.predict: params must be on the current device, cuda:1, got cuda:0; compute inside"
        )
        with pytest.raises(ValueError, match=words):
            net.predict(there)
        with pytest.raises(
            ValueError, match=r"train \(x_train, t_train\): params must be on the current device"
        ):
            train(net, X, T, iterations=1)
    with pytest.raises(
        ValueError, match=r"TwoLayerNet.predict: x must be on the current device, cuda:0, got cuda:1"
    ):
        net.predict(there)
    assert net.predict(here).shape == (4, 2)


def out_of_memory(*_, **__):
    raise MemoryError("Out of memory allocating 3,136,000,000 bytes (allocated so far: 12 bytes).")


def test_out_of_memory_says_how_much_and_what_to_lower(emulated, monkeypatch):
    net = net_on(emulated)
    monkeypatch.setattr(type(emulated), "zeros", out_of_memory)
    with pytest.raises(
        MemoryError, match=r"train: Out of memory allocating 3,136,000,000 bytes .*; lower batch_size"
    ):
        train(net, X, T, iterations=1)
    with pytest.raises(MemoryError, match=r"TwoLayerNet: Out of memory allocating .*; lower hidden_size"):
        net_on(emulated)


def test_the_command_says_it_in_one_line(emulated, monkeypatch, capsys):
    run = pytest.importorskip("backprop.cli", reason="the command line is not installed").run
    monkeypatch.setattr(type(emulated), "zeros", out_of_memory)
    assert run(["train", "--data", "sample", "--backend", "cupy", "--iterations", "1"]) == 3
    (said,) = capsys.readouterr().err.splitlines()
    assert "Out of memory allocating 3,136,000,000 bytes" in said and "--hidden" in said


def test_the_commands_tell_of_the_gpu(emulated, monkeypatch, tmp_path, capsys):
    """`train` and `info` as on a GPU: how the steps ran, in which precision, and what the first call cost."""
    run = pytest.importorskip("backprop.cli", reason="the command line is not installed").run
    monkeypatch.setenv("CUPY_CACHE_DIR", "/somewhere")
    monkeypatch.setattr(emulated, "kernel", lambda name: lambda *arguments: None)  # the words count here
    file = tmp_path / "run.json"
    options = ["--backend", "cupy", "--iterations", "3", "--seed", "0", "--json", str(file)]
    assert run(["train", "--data", "sample", "--precision", "tf32", *options]) == 0
    assert "steps: captured; precision: tf32; warm-up before: " in capsys.readouterr().out
    document = json.loads(file.read_text())
    assert (document["device"], document["settings"]["precision"]) == ("cuda:0 Emulated 3000", "tf32")
    assert (document["history"]["loop"], document["history"]["precision"]) == ("captured", "tf32")
    assert document["history"]["warmup_seconds"] > 0

    assert run(["info", "--backend", "cupy"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("warm-up"))
    assert line.endswith(" s on cupy; compiled kernels are kept in /somewhere")


def test_warming_up_disturbs_nothing_and_is_measured(emulated):
    net, state = net_on(emulated), np.random.default_rng(0)
    before = to_numpy(net.params.flat).copy()
    assert 0.0 < warmup() < 60.0 and 0.0 < warmup("cupy") < 60.0
    np.testing.assert_array_equal(to_numpy(net.params.flat), before)
    history = train(net, X, T, iterations=2, batch_size=2, rng=state)
    assert history.warmup_seconds >= 0.0 and history.precision == "ieee"


def test_the_kernel_cache_is_named(emulated, monkeypatch):
    monkeypatch.setenv("CUPY_CACHE_DIR", "/somewhere")
    assert emulated.kernel_cache() == "/somewhere"
    monkeypatch.delenv("CUPY_CACHE_DIR")
    assert emulated.kernel_cache().endswith("kernel_cache")
    assert load("numpy").kernel_cache() is None


class TestPrecision:
    """IEEE float32 unless TF32 is asked for; what was used is recorded."""

    @pytest.fixture(autouse=True)
    def by_cublas(self, monkeypatch):
        monkeypatch.setattr("backends.cupy.launch.SMALL", -1)

    def modes(self, backend):
        """The math modes that cuBLAS was told since it was loaded."""
        return cublas.cublas(backend.xp)._library.emulated.modes

    def test_ieee_unless_it_is_asked_for(self, emulated):
        net = net_on(emulated)
        net.predict(X)
        assert self.modes(emulated) == []
        with precision("tf32"):
            net.predict(X)
            with precision("ieee"):
                net.predict(X)
        net.predict(X)
        assert self.modes(emulated) == [3, 0]

    def test_the_history_says_which(self, emulated):
        with precision("tf32"):
            assert train(net_on(emulated), X, T, iterations=1, batch_size=2).precision == "tf32"
            assert train(net_on("numpy"), X, T, iterations=1, batch_size=2).precision == "ieee"
            wide = TwoLayerNet(4, 3, 2, dtype="float64", backend=emulated)
            assert train(wide, X, T, iterations=1, batch_size=2).precision == "ieee"
        assert train(net_on(emulated), X, T, iterations=1, batch_size=2).precision == "ieee"

    def test_a_gpu_without_tf32(self, monkeypatch):
        backend = emulated_backend(monkeypatch, compute_capability="75")
        with precision("tf32"):
            assert backend.precision("float32") == "ieee"

    def test_a_wrong_name(self):
        words = "precision: name must be one of ieee, tf32, got 'fp16'"
        with pytest.raises(ValueError, match=words), precision("fp16"):
            pass

    @pytest.mark.gpu
    def test_tf32_on_the_device(self):
        """Coarser than IEEE where the GPU has it, but not by more than 10 bits of mantissa allow."""
        backend = backend_or_skip("cupy")
        rng = np.random.default_rng(0)
        a, b = rng.random((512, 512), dtype="float32"), rng.random((512, 512), dtype="float32")
        exact, out = a.astype("float64") @ b, backend.zeros((512, 512), "float32")
        errors = {}
        for name in ("ieee", "tf32"):
            with precision(name):
                product = cublas.product(backend.xp, backend.asarray(a), backend.asarray(b), out)
                errors[name] = abs(to_numpy(product) / exact - 1).max()
                expected_coarser = backend.precision("float32") == "tf32"
        assert errors["ieee"] < 1e-5
        assert errors["tf32"] < 2e-3
        assert not expected_coarser or errors["tf32"] > 5 * errors["ieee"]


@pytest.mark.parametrize(("rows", "columns"), [((1,), ()), ((2, 0, 3), ()), ((2, 3), (4,)), ((0, 0), (2,))])
@pytest.mark.parametrize("dtypes", [("float32",), ("float64",), ("float32", "float64")])
def test_arrays_are_joined(cuda, rows, columns, dtypes):
    rng = np.random.default_rng(0)
    parts = [rng.random((n, *columns)).astype(dtypes[i % len(dtypes)]) for i, n in enumerate(rows)]
    joined, expected = cuda.concat([cuda.asarray(part) for part in parts]), np.concatenate(parts)
    assert joined.dtype == expected.dtype
    np.testing.assert_array_equal(to_numpy(joined), expected)


def test_memory_that_does_not_lie_together_is_written_and_copied(cuda):
    values = np.arange(12, dtype="float32").reshape(3, 4)
    array = cuda.asarray(values)
    target = cuda.zeros((4, 3), "float32")
    cuda.write(target, array.T)
    np.testing.assert_array_equal(to_numpy(target), values.T)
    cuda.write(target.T, array)
    np.testing.assert_array_equal(to_numpy(target), values.T)
    np.testing.assert_array_equal(to_numpy(cuda.copy(array[:, 1:3])), values[:, 1:3])
