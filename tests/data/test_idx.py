"""An IDX file is read by its content, and every fault in it has its line."""

import gzip

import numpy as np
import pytest

from backprop.data import DataError
from backprop.data.idx import read_idx


@pytest.fixture
def read(tmp_path):
    def read_images(data, item_shape=(28, 28)):
        path = tmp_path / "some-images"
        path.write_bytes(data)
        return read_idx(path, "images", item_shape)

    return read_images


@pytest.mark.parametrize("layers", range(4))
def test_content_decides_how_often_a_file_is_unzipped(read, digits, idx, layers):
    data = idx(digits.x_train)
    for _ in range(layers):
        data = gzip.compress(data)
    images = read(data)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, digits.x_train)


def test_labels_have_one_dimension(tmp_path, digits, idx):
    (tmp_path / "labels").write_bytes(idx(digits.t_test))
    np.testing.assert_array_equal(read_idx(tmp_path / "labels", "labels", ()), [7, 3, 0, 9])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda raw, gz: b"", "00000803, got an empty file"),
        (lambda raw, gz: b"<html>", "00000803, got 3c68746d"),
        (lambda raw, gz: raw[:10], "ends after 10 of 16 header bytes"),
        (lambda raw, gz: raw[:-1], "is cut short: 6 images take 4720 bytes, got 4719"),
        (lambda raw, gz: raw + b"\0", "has bytes left over: 6 images take 4720 bytes, got 4721"),
        (lambda raw, gz: raw[:4] + b"\xff" * 4 + raw[8:], "is cut short: 4294967295 images"),
        (lambda raw, gz: gz[:-20], "damaged gzip: "),
        (lambda raw, gz: gz[:5], "damaged gzip: "),
        (lambda raw, gz: gz[:1000] + bytes(9) + gz[1009:], "damaged gzip: "),
        (lambda raw, gz: gz + b"tail", "damaged gzip: "),
        (lambda raw, gz: gzip.compress(raw[:-1]), "is cut short"),
    ],
)
def test_a_damaged_file_is_one_line(read, digits, idx, error_line, damage, words):
    raw = idx(digits.x_train)
    message = error_line(read, damage(raw, gzip.compress(raw)))
    assert "some-images: " in message
    assert words in message


def test_labels_in_the_place_of_images(read, digits, idx, error_line):
    message = error_line(read, idx(digits.t_train))
    assert "an IDX file of images is 00000803, got 00000801; put the file of images there" in message


def test_images_of_another_size(read, idx, error_line):
    message = error_line(read, idx(np.zeros((2, 32, 30), np.uint8)))
    assert "images must be 28x28, got 32x30" in message


def test_a_file_without_images(read, idx, error_line):
    assert "holds no images" in error_line(read, idx(np.zeros((0, 28, 28), np.uint8)))


def test_no_bit_flip_in_a_gzip_file_gets_through(read, digits, idx):
    raw = idx(digits.x_test[:1])
    data = gzip.compress(raw)
    for position in range(10, len(data)):  # the first 10 bytes hold a time stamp and flags that say nothing
        flipped = bytearray(data)
        flipped[position] ^= 1
        with pytest.raises(DataError):
            read(bytes(flipped))


def test_an_unreadable_file(tmp_path, error_line):
    message = error_line(read_idx, tmp_path, "images", (28, 28))
    assert f"{tmp_path}: cannot be read: " in message


def test_a_line_break_in_a_path_stays_out_of_the_message(tmp_path, error_line):
    assert "two lines" in error_line(read_idx, tmp_path / "two\nlines", "images", (28, 28))
