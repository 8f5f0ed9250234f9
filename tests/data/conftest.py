"""Small data sets in MNIST's form, out of reach of the real variable, cache and network."""

import gzip
import hashlib
import http.server
import struct
import threading
import tracemalloc
import zlib
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from backprop.data.known import KNOWN, MNIST


def idx_bytes(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


class Digits:
    """Six training and four test images with labels, and their files' bytes by name."""

    def __init__(self, seed=3):
        rng = np.random.default_rng(seed)
        self.x_train, self.x_test = (rng.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (6, 4))
        self.t_train, self.t_test = np.uint8([5, 0, 9, 1, 9, 2]), np.uint8([7, 3, 0, 9])
        self.files = {
            "train-images-idx3-ubyte": idx_bytes(self.x_train),
            "train-labels-idx1-ubyte": idx_bytes(self.t_train),
            "t10k-images-idx3-ubyte": idx_bytes(self.x_test),
            "t10k-labels-idx1-ubyte": idx_bytes(self.t_test),
        }
        self.gz_files = {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in self.files.items()}
        self.sha256 = {name: hashlib.sha256(data).hexdigest() for name, data in self.gz_files.items()}
        self.contents = tuple((zlib.crc32(data), len(data)) for data in self.files.values())

    def write(self, directory, gz=True):
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in (self.gz_files if gz else self.files).items():
            (directory / name).write_bytes(data)
        return directory


@pytest.fixture
def digits():
    return Digits()


@pytest.fixture
def idx():
    return idx_bytes


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The cache directory of a new user, with mirrors that refuse to connect."""
    import pooch

    monkeypatch.delenv("BACKPROP_DATA_DIR", raising=False)
    for variable in ("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for known in KNOWN:
        monkeypatch.setattr(known, "mirrors", ("http://127.0.0.1:9/a/", "http://127.0.0.1:9/b/"))
    return pooch.os_cache("backprop")


@pytest.fixture
def serve(digits, monkeypatch):
    """Make mirrors of dictionaries, name to bytes; return their addresses and the list of names asked for."""
    servers = []

    def start(*mirrors):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                _, number, name = self.path.split("/")
                asked.append(f"{number}/{name}")
                data = mirrors[int(number)].get(name)
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"") + (data == b"cut short")))
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        servers.append(server)
        urls = [f"http://127.0.0.1:{server.server_port}/{number}/" for number in range(len(mirrors))]
        for known in KNOWN:
            monkeypatch.setattr(known, "mirrors", tuple(urls))
        return urls, asked

    monkeypatch.setattr(MNIST, "sha256", digits.sha256)
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def error_line():
    """Call a function and return its DataError's message, one line."""
    from backprop.data import DataError

    def call(function, *args, **kwargs):
        with pytest.raises(DataError) as caught:
            function(*args, **kwargs)
        message = str(caught.value)
        assert len(message.splitlines()) == 1
        assert len(message.partition(": ")[2]) <= 200, "behind the path"
        return message

    return call


@pytest.fixture
def peak():
    """`with peak() as memory:` measures in memory.bytes the most that is allocated in the block."""

    @contextmanager
    def measured():
        memory = SimpleNamespace(bytes=None)
        tracemalloc.start()
        try:
            yield memory
            memory.bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return measured
