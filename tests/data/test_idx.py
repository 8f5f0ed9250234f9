"""An IDX file is read by its content, and every fault in it has its line."""

import gzip
import io
from contextlib import contextmanager

import numpy as np
import pytest

from backprop.data import DataError
from backprop.data.idx import IMAGES, LABELS, count_items, read_idx


@pytest.fixture
def read(tmp_path):
    def read_images(data, kind=IMAGES):
        path = tmp_path / "some-images"
        path.write_bytes(data)
        return read_idx(path, kind)

    return read_images


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_content_decides_whether_a_file_is_unzipped(read, digits, idx, pack):
    images = read(pack(idx(digits.x_train)))
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, digits.x_train)


@pytest.mark.parametrize(("code", "dtype"), [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4")])
def test_labels_are_of_any_integer_type(read, digits, code, dtype):
    labels = digits.t_test.astype(dtype)
    np.testing.assert_array_equal(read(bytes((0, 0, code, 1, 0, 0, 0, 4)) + labels.tobytes(), LABELS), labels)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (12, IMAGES, "images must be unsigned bytes, got int32; convert them"),
        (14, IMAGES, "images must be unsigned bytes, got float64; convert them"),
        (13, LABELS, "labels must be integers, got float32; convert them"),
        (10, LABELS, "an IDX file of labels must begin with 00000801, got 00000a01"),
    ],
)
def test_another_element_type_is_refused_by_name(read, error_line, code, kind, words):
    head = bytes((0, 0, code, 1 + len(kind.item_shape)))
    assert words in error_line(read, head + bytes(8), kind)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda raw, gz: b"", "00000803, got an empty file"),
        (lambda raw, gz: b"<html>", "00000803, got 3c68746d"),
        (lambda raw, gz: raw[:10], "ends after 10 of 16 header bytes"),
        (
            lambda raw, gz: raw[:-1],
            "6 images take 4704 bytes after the header, got at most 4703",
        ),
        (lambda raw, gz: raw + b"\0", "has extra bytes: 6 images take 4704 bytes after the header"),
        (lambda raw, gz: raw[:4] + b"\xff" * 4 + raw[8:], "is truncated: 4294967295 images"),
        (lambda raw, gz: gz[:-20], "damaged gzip: "),
        (lambda raw, gz: gz[:5], "damaged gzip: "),
        (lambda raw, gz: gz[:1000] + bytes(9) + gz[1009:], "damaged gzip: "),
        (lambda raw, gz: gz + b"tail", "damaged gzip: "),
        (
            lambda raw, gz: gzip.compress(raw[:-1]),
            "6 images take 4704 bytes after the header, got 4703",
        ),
        (lambda raw, gz: gzip.compress(raw + b"\0"), "has extra bytes: 6 images"),
        (lambda raw, gz: gz[:-8] + bytes(4) + gz[-4:], "damaged gzip: CRC check failed"),
        (lambda raw, gz: gz[:-4] + bytes(4), "damaged gzip: Incorrect length"),
    ],
)
def test_a_damaged_file_is_one_line(read, digits, idx, error_line, damage, words):
    raw = idx(digits.x_train)
    message = error_line(read, damage(raw, gzip.compress(raw)))
    assert "some-images: " in message
    assert words in message


def test_labels_in_the_place_of_images(read, digits, idx, error_line):
    message = error_line(read, idx(digits.t_train))
    assert (
        "an IDX file of images must begin with 00000803, got 00000801; replace it with the file of images"
        in message
    )


def test_images_of_another_size(read, idx, error_line):
    message = error_line(read, idx(np.zeros((2, 32, 30), np.uint8)))
    assert "images must be 28x28, got 32x30" in message


def test_a_file_without_images(read, idx, error_line):
    assert "holds no images" in error_line(read, idx(np.zeros((0, 28, 28), np.uint8)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_terabytes_that_a_header_promises_are_refused_before_anything_is_allocated(
    read, peak, error_line, pack
):
    head = bytes((0, 0, 8, 3)) + np.array([2**32 - 1, 28, 28], ">u4").tobytes()
    with peak() as memory:
        message = error_line(read, pack(head + bytes(784)))
    assert "is truncated: 4294967295 images take 3367254359280 bytes after the header, got at" in message
    assert memory.bytes < 2**20


def test_an_unzipped_file_is_read_no_further_than_its_header_promises(read, peak, error_line, idx):
    bomb = gzip.compress(idx(np.zeros((1, 28, 28), np.uint8)) + bytes(2**24), compresslevel=1)
    with peak() as memory:
        message = error_line(read, bomb)
    assert "has extra bytes: 1 images take 784 bytes" in message
    assert memory.bytes < 2**20


def test_more_than_there_is_memory(read, digits, idx, error_line, monkeypatch):
    class Stream(io.BytesIO):
        def read(self, size):
            if size > 16:
                raise MemoryError
            return super().read(size)

    @contextmanager
    def content(path):
        yield Stream(path.read_bytes()), 2**20

    monkeypatch.setattr("backprop.data.idx.content", content)
    message = error_line(read, idx(digits.x_train))
    assert "is too large: 6 images take 4704 bytes, more than fits in memory" in message


def test_the_count_is_read_from_the_header_alone(tmp_path, peak, idx):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx(np.zeros((2**14, 28, 28), np.uint8)), compresslevel=1)[:-1])
    with peak() as memory:
        assert count_items(path, IMAGES) == 2**14
    assert memory.bytes < 2**20


def test_no_bit_flip_in_a_gzip_file_gets_through(read, digits, idx):
    raw = idx(digits.x_test[:1])
    data = gzip.compress(raw)
    for position in range(10, len(data)):  # the first 10 bytes hold a time stamp and flags that say nothing
        flipped = bytearray(data)
        flipped[position] ^= 1
        with pytest.raises(DataError):
            read(bytes(flipped))
