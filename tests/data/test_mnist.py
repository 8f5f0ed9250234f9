"""load_mnist finds the files, gives the arrays asked for, and refuses what is not MNIST's form."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from backprop.data import load_mnist


def test_defaults(digits, tmp_path):
    (x_train, t_train), (x_test, t_test) = load_mnist(data_dir=digits.write(tmp_path / "mnist"))
    assert (x_train.dtype, t_train.dtype) == (np.float32, np.int64)
    assert (x_test.dtype, t_test.dtype) == (np.float32, np.int64)
    np.testing.assert_array_equal(x_train, digits.x_train.reshape(6, 784).astype(np.float32) / 255)
    np.testing.assert_array_equal(x_test, digits.x_test.reshape(4, 784).astype(np.float32) / 255)
    np.testing.assert_array_equal(t_train, digits.t_train)
    np.testing.assert_array_equal(t_test, digits.t_test)


def test_every_option_changes_its_own_thing(digits, tmp_path):
    directory = digits.write(tmp_path / "mnist")
    (x, t), _ = load_mnist(normalize=False, flatten=False, one_hot_label=True, data_dir=directory)
    assert (x.dtype, t.dtype) == (np.uint8, np.float32)
    np.testing.assert_array_equal(x, digits.x_train.reshape(6, 1, 28, 28))
    assert t.shape == (6, 10)
    np.testing.assert_array_equal(t.argmax(axis=1), digits.t_train)
    np.testing.assert_array_equal(t.sum(axis=1), 1)


@pytest.mark.parametrize("normalize", [True, False])
def test_arrays_belong_to_the_caller(digits, tmp_path, normalize):
    directory = digits.write(tmp_path / "mnist")
    for pair in load_mnist(normalize=normalize, data_dir=directory):
        assert all(array.flags.writeable and array.flags.c_contiguous for array in pair)


def test_plain_files_load_and_gz_goes_first(digits, tmp_path):
    directory = digits.write(tmp_path / "mnist", gz=False)
    assert load_mnist(data_dir=str(directory))[1][1].tolist() == [7, 3, 0, 9]
    digits.write(directory)
    (directory / "t10k-labels-idx1-ubyte").write_bytes(b"")
    assert load_mnist(data_dir=directory)[1][1].tolist() == [7, 3, 0, 9]


LABELS = [7, 3, 0, 9]  # of the test set that `digits` writes


def test_argument_goes_before_variable_and_variable_before_cache(digits, tmp_path, cache, monkeypatch):
    directory = digits.write(tmp_path / "named")
    monkeypatch.setenv("BACKPROP_DATA_DIR", str(tmp_path / "nowhere"))
    assert load_mnist(data_dir=directory)[1][1].tolist() == LABELS
    monkeypatch.setenv("BACKPROP_DATA_DIR", str(directory))
    assert load_mnist()[1][1].tolist() == LABELS
    monkeypatch.setenv("BACKPROP_DATA_DIR", "")
    digits.write(cache)
    shutil.rmtree(directory)
    assert load_mnist()[1][1].tolist() == LABELS


def test_home_is_expanded(digits, tmp_path, monkeypatch):
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    digits.write(tmp_path / "home" / "mnist")
    assert load_mnist(data_dir="~/mnist")[1][1].tolist() == LABELS


@pytest.mark.parametrize("origin", ["data_dir", "BACKPROP_DATA_DIR"])
def test_missing_files_in_a_named_directory_are_listed(digits, tmp_path, monkeypatch, error_line, origin):
    directory = digits.write(tmp_path / "mnist")
    (directory / "t10k-images-idx3-ubyte.gz").unlink()
    (directory / "train-labels-idx1-ubyte.gz").unlink()
    before = sorted(os.listdir(directory))
    monkeypatch.setenv("BACKPROP_DATA_DIR", str(directory))
    message = error_line(load_mnist, data_dir=directory if origin == "data_dir" else None)
    assert f"{directory}: {origin} lacks train-labels-idx1-ubyte, t10k-images-idx3-ubyte (" in message
    cure = {"data_dir": "omit data_dir", "BACKPROP_DATA_DIR": "unset BACKPROP_DATA_DIR"}[origin]
    assert f"{cure} to download MNIST" in message
    assert sorted(os.listdir(directory)) == before


def test_no_directory(tmp_path, error_line):
    message = error_line(load_mnist, data_dir=tmp_path / "nowhere")
    assert "nowhere: data_dir is not a readable directory: No such file" in message
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "file").touch()
    assert "file: data_dir is not a readable directory: " in error_line(
        load_mnist, data_dir=tmp_path / "file"
    )
    (tmp_path / "empty").mkdir()
    assert "lacks train-images-idx3-ubyte, train-l" in error_line(load_mnist, data_dir=tmp_path / "empty")


def test_labels_of_another_set(digits, tmp_path, error_line):
    digits.gz_files["train-labels-idx1-ubyte.gz"] = digits.gz_files["t10k-labels-idx1-ubyte.gz"]
    message = error_line(load_mnist, data_dir=digits.write(tmp_path / "mnist"))
    assert "train-labels-idx1-ubyte.gz: has 4 labels for the 6 images of train-images" in message


def test_label_out_of_range(digits, idx, tmp_path, error_line):
    digits.files["t10k-labels-idx1-ubyte"] = idx(np.uint8([7, 3, 10, 9]))
    message = error_line(load_mnist, data_dir=digits.write(tmp_path / "mnist", gz=False))
    assert "t10k-labels-idx1-ubyte: labels must be 0 to 9, got 10 at index 2" in message


def test_a_set_that_does_not_fit_into_memory(digits, tmp_path, error_line, monkeypatch):
    def arrange(*args):
        raise MemoryError("Unable to allocate 1. GiB")

    monkeypatch.setattr("backprop.data.reading.arrange", arrange)
    message = error_line(load_mnist, data_dir=digits.write(tmp_path / "mnist"))
    assert "/mnist: does not fit into memory: Unable to allocate 1. GiB; use a smaller set" in message


def test_import_is_light():
    code = "import sys, backprop.data; print({'pooch', 'requests', 'tqdm'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("set()\n", "")
