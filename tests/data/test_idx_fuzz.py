"""Whatever bytes lie in a file, the reader gives the array that they are, or a DataError of one line."""

import gzip
import math
import os
import tempfile
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.data import DataError
from backprop.data.idx import IMAGES, LABELS, Kind, read_idx

DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4"}
TINY = Kind("images", (2, 3), (8,))  # so that right files of several images are short
KINDS = (TINY, LABELS, IMAGES)
OVERHEAD = 2**19  # bytes: the buffers of files and of zlib
DEFLATE_RATIO = 1032


def right_answer(data, kind):
    """The items of a file with these bytes, all unzipped at once; None where it is no file of this kind."""
    zipped = data[:2] == b"\x1f\x8b"
    try:
        data = gzip.decompress(data) if zipped else data
    except (EOFError, OSError, zlib.error):
        return None
    head = 8 + 4 * len(kind.item_shape)
    if len(data) < head or data[:2] != b"\0\0" or data[2] not in kind.types or data[3] != head // 4 - 1:
        return None
    shape = [int.from_bytes(data[i : i + 4], "big") for i in range(4, head, 4)]
    items = data[head:]
    size = math.prod(shape) * np.dtype(DTYPES[data[2]]).itemsize
    if tuple(shape[1:]) != kind.item_shape or len(items) != size or shape[0] == 0:
        return None
    return np.frombuffer(items, DTYPES[data[2]]).reshape(shape)


numbers = st.sampled_from([0, 1, 2, 3, 6, 28, 29, 255, 784, 2**31 - 1, 2**31, 2**32 - 1])
rarely = st.sampled_from([False, False, False, True])


@st.composite
def idx_files(draw):
    """A kind, and the bytes of a file of it that may be wrong in any of its parts."""
    kind = draw(st.sampled_from(KINDS))
    code, dims = draw(st.sampled_from(kind.types)), 1 + len(kind.item_shape)
    sizes = [draw(st.integers(1, 3)), *kind.item_shape]
    length = math.prod(sizes) * np.dtype(DTYPES[code]).itemsize
    if draw(rarely):
        sizes[draw(st.integers(0, dims - 1))] = draw(numbers)
    if draw(rarely):
        code = draw(st.integers(0, 20))
    if draw(rarely):
        length = max(0, length + draw(st.integers(-2, 2)))
    pattern = draw(st.binary(min_size=1, max_size=40))
    items = (pattern * (length // len(pattern) + 1))[:length]
    data = bytes((0, 0, code, dims)) + b"".join(size.to_bytes(4, "big") for size in sizes) + items
    return kind, damaged(draw, data) if draw(rarely) else data


def damaged(draw, data):
    """Return the same bytes with one changed, the end cut off, or some inserted."""
    at = draw(st.integers(0, len(data)))
    kind = draw(st.sampled_from(["change", "cut", "insert"]))
    if kind == "cut":
        return data[:at]
    piece = draw(st.binary(min_size=1, max_size=8))
    return data[:at] + piece + data[at + (len(piece) if kind == "change" else 0) :]


def judge(path, data, kind):
    """Read a file of these bytes; what comes is the right answer, and memory was bounded."""
    path.write_bytes(data)
    expected = right_answer(data, kind)
    most = len(data) * (DEFLATE_RATIO if data[:2] == b"\x1f\x8b" else 4) + OVERHEAD
    tracemalloc.start()
    try:
        items = read_idx(path, kind)
    except DataError as error:
        assert expected is None
        assert str(error).startswith(f"{path}: ") and len(str(error).splitlines()) == 1
    else:
        assert expected is not None and items.shape == expected.shape and items.dtype == expected.dtype
        assert items.tobytes() == expected.tobytes()
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak <= most


INPUTS_EACH = 5


@pytest.fixture
def path():
    """A file in memory where the system has such, since it is written thousands of times."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as directory:
        yield Path(directory) / "file"


@pytest.mark.parametrize(
    "inputs", [pytest.param(5000, id="fixed"), pytest.param(100_000, id="new", marks=pytest.mark.slow)]
)
def test_any_file(path, inputs):
    counts = {"read": 0}

    @settings(max_examples=inputs // INPUTS_EACH, deadline=None, database=None, derandomize=inputs == 5000)
    @given(idx_files(), st.binary(max_size=300), st.data())
    def search(file, noise, data):
        kind, plain = file
        zipped = gzip.compress(plain, compresslevel=1)
        for content in (plain, zipped, damaged(data.draw, zipped), gzip.compress(zipped), noise):
            judge(path, content, kind)
            counts["read"] += 1

    search()
    assert counts["read"] >= inputs
