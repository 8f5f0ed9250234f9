"""The content of a directory is reported correctly, from headers and checksums, and nothing in it raises."""

import gzip
import os

import pytest

from backprop.data.checksums import is_mnist
from backprop.data.folder import find_files
from backprop.data.holdings import holdings
from backprop.data.known import MNIST

REAL = os.environ.get("BACKPROP_DATA_DIR")


def test_a_set_of_other_images(digits, tmp_path):
    assert holdings(str(digits.write(tmp_path / "mnist"))) == "6 + 4 images by the headers"
    assert holdings(str(digits.write(tmp_path / "plain", gz=False))) == "6 + 4 images by the headers"


@pytest.mark.parametrize("gz", [True, False], ids=["gz", "plain"])
def test_mnist_is_told_by_every_bit_of_it(digits, tmp_path, monkeypatch, gz):
    monkeypatch.setattr(MNIST, "contents", digits.contents)
    directory = digits.write(tmp_path / "mnist", gz)
    assert holdings(str(directory)) == "MNIST by its checksums, 6 + 4 images"
    content = digits.files["t10k-images-idx3-ubyte"]
    for other in (content[:-1] + bytes([content[-1] ^ 1]), content + b"\0"):
        (directory / f"t10k-images-idx3-ubyte{'.gz' * gz}").write_bytes(gzip.compress(other) if gz else other)
        assert not is_mnist(find_files(str(directory), "it"))


@pytest.mark.skipif(not REAL, reason="BACKPROP_DATA_DIR does not name a directory with MNIST")
def test_the_real_mnist_is_known(tmp_path):
    assert holdings(REAL) == "MNIST by its checksums, 60,000 + 10,000 images"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda file: file.unlink(), "unusable: it lacks t10k-labels-idx1-ubyte (or .gz)"),
        (
            lambda file: file.write_bytes(b""),
            "unusable: t10k-labels-idx1-ubyte.gz: an IDX file of labels must begin with 00000801, "
            "got an empty file",
        ),
        (
            lambda file: file.write_bytes(b"\x1f\x8b\x08"),
            "unusable: t10k-labels-idx1-ubyte.gz: damaged gzip: Compressed file ended before the "
            "end-of-stream marker was reached",
        ),
        (
            lambda file: file.write_bytes(bytes((0, 0, 8, 1, 0, 0, 0, 3)) + bytes(3)),
            "unusable: t10k-labels-idx1-ubyte.gz: has 3 labels for 4 images",
        ),
        (
            lambda file: (file.unlink(), os.mkfifo(file)),
            "unusable: t10k-labels-idx1-ubyte.gz: is a pipe",
        ),
    ],
    ids=["lacking", "empty", "damaged", "another number", "pipe"],
)
def test_what_is_wrong_is_told(digits, tmp_path, spoil, told):
    directory = digits.write(tmp_path / "mnist")
    spoil(directory / "t10k-labels-idx1-ubyte.gz")
    assert holdings(str(directory)) == told


def test_what_is_no_directory(tmp_path):
    assert holdings(str(tmp_path / "nowhere")) == "missing"
    (tmp_path / "file").touch()
    assert holdings(str(tmp_path / "file")) == "unusable: Not a directory"
    (tmp_path / "dangling").symlink_to("nowhere")
    assert holdings(str(tmp_path / "dangling")) == "missing"
    (tmp_path / "empty").mkdir()
    assert holdings(str(tmp_path / "empty")) == "empty"
