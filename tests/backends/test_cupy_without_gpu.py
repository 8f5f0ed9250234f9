"""CuPy that is missing, broken or without a GPU says so in one line; its plumbing runs on a stand-in."""

import ctypes
import json
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from emulated_cupy import emulated_backend

import backprop
from backends import BackendUnavailable, backend_of, get_backend, load
from backends.cupy import cublas
from backprop import asarray, to_numpy

ASK = """
import json, logging
logging.basicConfig(level=logging.INFO, format="%(message)s")
import backprop
answers = {"available": backprop.available_backends()}
for function in (backprop.set_backend, lambda name: backprop.TwoLayerNet(2, 2, 2, backend=name)):
    try:
        function("cupy")
    except RuntimeError as error:
        answers["error"] = str(error)
answers["auto"] = [backprop.get_backend("auto").name for _ in range(2)]
print(json.dumps(answers))
"""
NO_GPU = """
__version__ = "14.0.0"
class cuda:
    def is_available():
        return False
    class runtime:
        def getDeviceCount():
            raise RuntimeError("cudaErrorNoDevice:\\n  no CUDA-capable device is detected")
"""
NO_HEADERS = """
__version__ = "14.0.0"
ndarray = type("ndarray", (), {})
class cuda:
    def is_available():
        return True
class RawModule:
    def __init__(self, code, options):
        pass
    def get_function(self, name):
        raise RuntimeError("Failed to find CUDA headers.\\n Install them")
"""
STUBS = {  # what `import cupy` finds, and what the error must say of it
    "absent": ("raise ModuleNotFoundError('No module named cupy', name='cupy')", "CuPy is not installed"),
    "lacks a library": (
        "raise ImportError('libnvrtc.so.12:\\n cannot open')",
        "(libnvrtc.so.12: cannot open)",
    ),
    "lacks a module": ("import no_such_module", "No module named 'no_such_module'"),
    "breaks": ("raise RuntimeError('driver too old')", "CuPy cannot be imported (driver too old)"),
    "not Python": ("this is no Python", "CuPy cannot be imported (invalid syntax"),
    "without a GPU": (NO_GPU, "CuPy 14.0.0 finds no CUDA GPU (cudaErrorNoDevice: no CUDA-capable device"),
    "left over": ("", "cupy"),  # an empty package: what some uninstallations leave
    "lacks CUDA's headers": (
        NO_HEADERS,
        "CuPy cannot compile a kernel (Failed to find CUDA headers. Install them)",
    ),
    "cannot ask": (NO_GPU.replace("return False", "raise RuntimeError('bad driver')"), "bad driver"),
}
INSTALL = ('pip install "cupy-cuda12x[ctk]"', '"cupy-cuda13x[ctk]"')
WAY_BACK = ', or choose backend "numpy"'


def assert_unusable(ran, *words):
    """The answers to ASK: one clear line, twice the same, and auto falls back and says so once."""
    assert ran.returncode == 0, ran.stderr
    answers = json.loads(ran.stdout)
    assert answers["available"] == ["numpy"]
    assert answers["auto"] == ["numpy", "numpy"]
    (said,) = ran.stderr.splitlines()
    error = answers["error"]
    assert len(error.splitlines()) == 1 and error.startswith('backend "cupy" cannot be used: ')
    for part in (*words, WAY_BACK):
        assert part in error
    reason = error.removeprefix('backend "cupy" cannot be used: ').partition(";")[0]
    assert said.endswith(f"auto takes numpy, since {reason}")
    return error


@pytest.mark.parametrize("kind", STUBS)
def test_one_line_says_what_is_wrong_how_to_install_it_and_the_way_back(kind, python, tmp_path):
    source, reason = STUBS[kind]
    (tmp_path / "cupy.py").write_text(source)
    error = assert_unusable(python(ASK, tmp_path), reason)
    assert all(command in error for command in INSTALL)
    assert len(error) <= 250, "and 200 where CuPy is not installed"
    assert kind != "absent" or len(error) <= 200


def test_a_gpu_that_is_full_is_no_reason_to_reinstall(python, tmp_path):
    error = "type('CUDARuntimeError', (RuntimeError,), {'status': 2})"
    (tmp_path / "cupy.py").write_text(NO_HEADERS.replace("RuntimeError(", f"{error}("))
    ran = python("import backprop; backprop.xp.zeros(2)", tmp_path, BACKPROP_BACKEND="cupy")
    last = ran.stderr.splitlines()[-1]
    assert "CuPy cannot compile a kernel (" in last and "reinstall" not in last
    assert last.endswith('; check nvidia-smi, or choose backend "numpy"')


def test_an_uncaught_error_ends_in_that_line(python, tmp_path):
    (tmp_path / "cupy.py").write_text(STUBS["absent"][0])
    ran = python("import backprop; backprop.xp.zeros(2)", tmp_path, BACKPROP_BACKEND="cupy")
    assert 'backend "cupy" cannot be used: CuPy is not installed' in ran.stderr.splitlines()[-1]
    assert "During handling" not in ran.stderr


def test_the_real_cupy_without_a_gpu(python):
    if find_spec("cupy") is None:
        pytest.skip("CuPy is not installed")
    if python("import cupy; assert not cupy.cuda.is_available()").returncode:
        pytest.skip("CuPy finds a GPU")
    assert_unusable(python(ASK), "finds no CUDA GPU (", "nvidia-smi")


@pytest.fixture
def waits(monkeypatch, put_cupy):
    """An emulated CuPy, in place of the real one; the list tells what waited for its device."""
    backend = emulated_backend(monkeypatch, devices=2)
    put_cupy(backend.xp)
    return backend.xp.waits


def test_arrays_go_in_and_out(waits):
    backend = get_backend("cupy")
    x = asarray([[1.0, 2.0]], "float32", backend="cupy")
    assert type(x) is backend.array_type is backend.xp.ndarray and x.dtype == "float32"
    assert backend_of(x) is backend is load("cupy")
    assert waits == []
    assert type(to_numpy(x)) is np.ndarray and to_numpy(x).tolist() == [[1.0, 2.0]]
    assert waits == ["asnumpy", "asnumpy"]


def test_leaving_the_device_takes_cupys_own_way(waits):
    x = asarray([1.0, 2.0], backend="cupy")
    assert asarray(x, backend="numpy").tolist() == [1.0, 2.0]
    assert waits == ["asnumpy"], "CuPy refuses an implicit conversion"


def test_it_waits_only_when_asked(waits):
    backend = get_backend("cupy")
    assert backend.host_view(asarray([1], backend="cupy")) is None and waits == []
    backend.synchronize()
    assert waits == ["synchronize"]


def test_the_device_is_told_in_words(waits):
    assert get_backend("cupy").device() == "cuda:0 Emulated 3000"
    with get_backend("cupy").xp.cuda.Device(1):
        assert get_backend("cupy").device() == "cuda:1 Emulated 3000"


def test_cupys_arrays_are_recognised_before_the_backend_was_asked_for(waits):
    import cupy

    x = cupy.ones(3)
    assert backend_of(x).name == "cupy"
    assert to_numpy(x).tolist() == [1.0, 1.0, 1.0]


def test_a_network_computes_there_what_it_computes_on_numpy(waits):
    x, t = np.random.default_rng(0).normal(size=(6, 4)), [0, 1, 2, 0, 1, 2]
    nets = [backprop.TwoLayerNet(4, 5, 3, dtype="float64", rng=1, backend=name) for name in ("numpy", "cupy")]
    waits.clear()
    expected, gradient = (net.gradient(x, t) for net in nets)
    assert waits == [], "nothing on the way may wait for the device"
    for name, values in gradient.items():
        assert backend_of(values).name == "cupy"
        np.testing.assert_allclose(to_numpy(values), expected[name], rtol=1e-13, atol=1e-15)
    histories = [backprop.train(net, x, t, iterations=5, batch_size=3, rng=2) for net in nets]
    np.testing.assert_allclose(histories[1].loss, histories[0].loss, rtol=1e-12)


def test_large_arrays_go_in_piece_by_piece(monkeypatch):
    """CuPy copies through page-locked memory of the same size, which it keeps."""
    backend, sizes = emulated_backend(monkeypatch), []
    monkeypatch.setattr("backends.cupy.backend.PIECE", 1000)
    asarray = backend.xp.asarray
    monkeypatch.setattr(
        backend.xp,
        "asarray",
        lambda data, **options: (sizes.append(data.nbytes), asarray(data, **options))[1],
    )
    rng = np.random.default_rng(0)
    arrays = rng.random((37, 11)), rng.random((1, 999)), rng.random((40, 30)).T, rng.random(126)[::-1]
    swapped, matrix = rng.random(200).astype(">f8"), rng.random((20, 30)).view(np.matrix)
    for x in (*arrays, swapped, matrix, rng.random(300) < 0.5):
        for dtype in (None, "float32"):
            moved = backend.asarray(x, dtype)
            assert type(moved) is backend.xp.ndarray
            assert moved.dtype == (dtype or x.dtype.newbyteorder("=")) and moved.dtype.isnative
            np.testing.assert_array_equal(backend.to_numpy(moved), x.astype(dtype or x.dtype))
    assert max(sizes) == 1000
    assert backend.xp.compiled == set()


class Cuda:
    """`cupy.cuda` of a CUDA 13, whose binding of cuBLAS is there or not; without CuPy's handles."""

    def __init__(self, error=None):
        self.runtime, self.error, self.looked_at = SimpleNamespace(runtimeGetVersion=lambda: 13000), error, 0

    @property
    def cublas(self):
        self.looked_at += 1
        if self.error:
            raise self.error


@pytest.mark.parametrize("library", ["libcublas.so.13", "cublas64_13.dll"])
def test_cublas_is_loaded_without_a_second_handle(monkeypatch, library):
    """CuPy finds the library when its binding is looked at; one of CuPy's handles takes memory."""
    cuda, loaded = Cuda(), []
    functions = SimpleNamespace(**{name: SimpleNamespace() for name in cublas.SIGNATURES})
    monkeypatch.setattr("sys.platform", "win32" if library.endswith("dll") else "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: (loaded.append((name, cuda.looked_at)), functions)[1])
    assert cublas._load(SimpleNamespace(cuda=cuda)) is functions
    assert loaded == [(library, 1)], "loaded once CuPy had found it"
    assert all(function.argtypes for function in vars(functions).values())


def test_a_cublas_that_is_missing_is_one_line():
    cuda = Cuda(ImportError("it is\n nowhere"))
    words = r'libcublas.so.13 cannot be loaded \(it is nowhere\); pip install "cupy-cuda13x\[ctk\]"'
    with pytest.raises(BackendUnavailable, match=words):
        cublas._load(SimpleNamespace(cuda=cuda))


def test_a_handle_of_cublas_is_made_by_nets_that_use_it(emulated):
    def handles():
        return sum(
            handle._library.emulated.handles for handle in getattr(cublas._of_thread, "handles", {}).values()
        )

    x, t = np.random.default_rng(0).random((6, 4), dtype="float32"), [0, 1, 2, 0, 1, 2]
    net = backprop.TwoLayerNet(4, 5, 3, dtype="float32", rng=1, backend="cupy")
    net.gradient(x, t)
    backprop.train(net, x, t, iterations=1, batch_size=3, rng=2)
    assert handles() == 0
    wide = backprop.TwoLayerNet(2000, 5, 3, dtype="float32", rng=1, backend="cupy")
    wide.gradient(np.zeros((2, 2000), "float32"), [0, 1])
    wide.gradient(np.zeros((2, 2000), "float32"), [0, 1])
    assert handles() == 1
    library = cublas.cublas(emulated.xp)._library.emulated
    cublas._of_thread.handles.clear()
    assert library.handles == 0, "gone with its thread"


def test_a_large_test_set_is_known_when_it_warms_up(emulated, monkeypatch):
    products = []
    monkeypatch.setattr(type(emulated), "warmup", lambda self, sizes: products.extend(sizes))
    x, t = np.zeros((3, 4), "float32"), [0, 1, 0]
    net = backprop.TwoLayerNet(4, 5, 2, dtype="float32", rng=1, backend="cupy")
    backprop.train(net, x, t, np.zeros((8, 4), "float32"), [0] * 8, iterations=1, batch_size=2)
    assert products == [(2, 4, 5), (2, 5, 2), (8, 4, 5), (8, 5, 2)]


def test_warming_up_loads_cublas_where_it_will_be_used(emulated):
    handles = cublas._of_thread
    emulated.warmup([(100, 784, 50), (100, 50, 10)])
    assert not hasattr(handles, "handles")
    emulated.warmup([(100, 784, 50), (16_384, 784, 50)])
    assert len(handles.handles) == 1
