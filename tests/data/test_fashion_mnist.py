"""load_fashion_mnist takes Fashion-MNIST alone, which it knows by SHA-256; load_mnist never takes it."""

import gzip
import os
from inspect import signature

import numpy as np
import pytest

from backprop.data import FASHION_MNIST_CLASSES, load_fashion_mnist, load_mnist
from backprop.data.holdings import holdings
from backprop.data.known import FASHION_MNIST, KNOWN, MNIST


@pytest.fixture
def clothes(monkeypatch, digits):
    """Stand-ins for the files of Fashion-MNIST, beside those for MNIST's, both with their checksums."""
    made = type(digits)(seed=4)
    monkeypatch.setattr(FASHION_MNIST, "sha256", made.sha256)
    monkeypatch.setattr(MNIST, "contents", digits.contents)
    return made


def test_it_loads_as_mnist_does(clothes, tmp_path):
    directory = clothes.write(tmp_path / "clothes")
    (x, t), (x_test, t_test) = load_fashion_mnist(data_dir=directory)
    np.testing.assert_array_equal(x, clothes.x_train.reshape(6, 784).astype(np.float32) / 255)
    np.testing.assert_array_equal(x_test, clothes.x_test.reshape(4, 784).astype(np.float32) / 255)
    assert (t.tolist(), t_test.tolist()) == (clothes.t_train.tolist(), clothes.t_test.tolist())
    (x, t), _ = load_fashion_mnist(False, False, True, str(directory))
    assert (x.dtype, x.shape, t.shape) == (np.uint8, (6, 1, 28, 28), (6, 10))
    assert [*signature(load_fashion_mnist).parameters] == [*signature(load_mnist).parameters]


def test_each_set_is_refused_where_the_other_is_asked_for(clothes, digits, tmp_path, error_line):
    wrong = error_line(load_fashion_mnist, data_dir=digits.write(tmp_path / "a"))
    assert wrong == (
        f"{tmp_path}/a: data_dir holds MNIST by its checksums, not Fashion-MNIST; "
        "use load_mnist, or name another directory"
    )
    wrong = error_line(load_mnist, data_dir=clothes.write(tmp_path / "b"))
    assert wrong == (
        f"{tmp_path}/b: data_dir holds Fashion-MNIST by its checksums, not MNIST; "
        "use load_fashion_mnist, or name another directory"
    )
    plain = digits.write(tmp_path / "c", gz=False)
    assert "data_dir holds MNIST by its checksums" in error_line(load_fashion_mnist, data_dir=plain)


@pytest.mark.parametrize("name", list(FASHION_MNIST.sha256))
def test_any_other_file_is_refused_by_its_name(clothes, tmp_path, error_line, name):
    directory = clothes.write(tmp_path / "clothes")
    content = bytearray(gzip.decompress((directory / name).read_bytes()))
    content[-1] ^= 1  # a label that is still one of ten, or a pixel
    (directory / name).write_bytes(gzip.compress(bytes(content)))
    message = error_line(load_fashion_mnist, data_dir=directory)
    assert message.startswith(f"{directory}/{name}: has another SHA-256, so it cannot be told to be ")
    assert load_mnist(data_dir=directory)[1][0].shape == (4, 784), "other images in MNIST's format"


def test_unzipped_files_are_refused_since_their_checksums_are_not_known(clothes, tmp_path, error_line):
    message = error_line(load_fashion_mnist, data_dir=clothes.write(tmp_path / "clothes", gz=False))
    assert "t10k-labels-idx1-ubyte: is no .gz file, so it cannot be told to be Fashion-MNIST's; " in message
    clothes.write(tmp_path / "clothes")
    assert len(load_fashion_mnist(data_dir=tmp_path / "clothes")[0][0]) == 6, "the .gz files go first"


def test_the_variable_names_mnists_directory_and_fashion_mnists_is_within(
    clothes, digits, tmp_path, monkeypatch, error_line, cache
):
    monkeypatch.setenv("BACKPROP_DATA_DIR", str(digits.write(tmp_path / "data")))
    assert error_line(load_fashion_mnist).startswith("Fashion-MNIST could not be downloaded to ")
    clothes.write(tmp_path / "data" / "fashion-mnist")
    assert load_fashion_mnist()[1][1].tolist() == clothes.t_test.tolist()
    np.testing.assert_array_equal(load_mnist(False)[1][0], digits.x_test.reshape(4, 784))
    (tmp_path / "data" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    assert "fashion-mnist: BACKPROP_DATA_DIR lacks t10k-labels" in error_line(load_fashion_mnist)


def test_the_cache_has_a_folder_for_it_that_is_filled_and_mended(serve, clothes, digits, cache):
    _, asked = serve(clothes.gz_files)
    assert load_fashion_mnist()[1][1].tolist() == clothes.t_test.tolist()
    assert load_fashion_mnist()[1][1].tolist() == clothes.t_test.tolist()
    assert asked == [f"0/{name}" for name in clothes.gz_files]
    assert os.listdir(cache) == ["fashion-mnist"] and holdings(str(cache)) == "empty"
    assert sorted(os.listdir(cache / "fashion-mnist")) == sorted(clothes.gz_files)
    told = "Fashion-MNIST by its checksums, 6 + 4 images"
    assert holdings(str(cache / "fashion-mnist")) == told
    digits.write(cache / "fashion-mnist")  # another set is replaced
    assert load_fashion_mnist()[1][1].tolist() == clothes.t_test.tolist()
    assert holdings(str(cache / "fashion-mnist")) == told


def test_a_mirror_with_another_set_is_not_believed(serve, clothes, digits, error_line):
    serve(digits.gz_files)
    message = error_line(load_fashion_mnist)
    assert "(wrong SHA-256)" in message
    assert message.endswith("; connect to the network, or pass its directory as data_dir")


def test_the_checksums_are_written_as_they_are_published():
    for known in KNOWN:
        assert len({*known.sha256.values()}) == 4
        assert {len(bytes.fromhex(value)) for value in known.sha256.values()} == {32}
        assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in known.mirrors)
    assert not {*MNIST.sha256.values()} & {*FASHION_MNIST.sha256.values()}


def test_ten_classes_have_names():
    assert len({*FASHION_MNIST_CLASSES}) == 10
    assert (FASHION_MNIST_CLASSES[0], FASHION_MNIST_CLASSES[9]) == ("T-shirt/top", "Ankle boot")
