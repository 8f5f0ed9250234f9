"""The four files of a set are found by the names that the sets and their copies have."""

import numpy as np
import pytest

from backprop.data import load_mnist

LABELS = [7, 3, 0, 9]  # of the test set that `digits` writes


@pytest.fixture
def folder(digits, tmp_path):
    """Write `digits` under other names, given as a function of MNIST's; returns the directory."""

    def write(rename, directory=tmp_path / "set", gz=False):
        directory.mkdir(exist_ok=True)
        for name, data in (digits.gz_files if gz else digits.files).items():
            (directory / rename(name)).write_bytes(data)
        return directory

    return write


def emnist(name, which="digits"):
    return f"emnist-{which}-{name.replace('t10k', 'test')}"


@pytest.mark.parametrize("gz", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize(
    "rename",
    [lambda name: name.replace("-idx", ".idx"), lambda name: name.replace("t10k", "test"), emnist],
    ids=["dots", "test", "emnist"],
)
def test_other_names_load(folder, rename, gz):
    assert load_mnist(data_dir=folder(rename, gz=gz))[1][1].tolist() == LABELS


def test_emnist_is_turned_upright(folder, digits):
    (x, _), (x_test, _) = load_mnist(normalize=False, flatten=False, data_dir=folder(emnist))
    np.testing.assert_array_equal(x[:, 0], digits.x_train.transpose(0, 2, 1))
    np.testing.assert_array_equal(x_test[:, 0], digits.x_test.transpose(0, 2, 1))
    (flat, _), _ = load_mnist(data_dir=folder(emnist))
    np.testing.assert_array_equal(flat, x.reshape(6, 784) / np.float32(255))
    assert x.flags.c_contiguous and flat.flags.c_contiguous and flat.flags.writeable


def test_labels_of_more_than_ten_classes_are_refused_by_name(folder, digits, idx, error_line):
    digits.files["train-labels-idx1-ubyte"] = idx(np.uint8([5, 0, 9, 1, 26, 2]))
    message = error_line(load_mnist, data_dir=folder(lambda name: emnist(name, "letters")))
    assert "emnist-letters-train-labels-idx1-ubyte: labels must be 0 to 9, got 26 at index 4; " in message
    assert message.endswith("use a set of ten classes, such as emnist-digits")


def test_two_sets_in_one_directory_are_refused_by_name(folder, error_line):
    for which in ("balanced", "byclass", "bymerge", "digits", "letters", "mnist"):
        directory = folder(lambda name, which=which: emnist(name, which))
    folder(str)
    assert error_line(load_mnist, data_dir=directory).endswith(
        "data_dir holds several sets: emnist-balanced, emnist-byclass, emnist-bymerge, emnist-digits, "
        "emnist-letters, emnist-mnist, train-…; put each in its own directory"
    )


def test_part_of_another_set_does_not_matter(folder):
    (folder(str) / "emnist-digits-train-images-idx3-ubyte.gz").write_bytes(b"unfinished")
    assert load_mnist(data_dir=folder(str))[1][1].tolist() == LABELS


def test_two_files_for_the_same_thing_are_refused_by_name(folder, error_line):
    directory = folder(str)
    (directory / "t10k-labels.idx1-ubyte").touch()
    assert error_line(load_mnist, data_dir=directory).endswith(
        "data_dir holds both t10k-labels-idx1-ubyte and t10k-labels.idx1-ubyte; keep only one"
    )


def test_a_directory_of_a_files_name_beside_the_file(folder, error_line):
    directory = folder(lambda name: name.replace("-idx", ".idx"))
    (directory / "train-images-idx3-ubyte").mkdir()
    assert load_mnist(data_dir=directory)[1][1].tolist() == LABELS
    (directory / "train-images.idx3-ubyte").unlink()
    message = error_line(load_mnist, data_dir=directory)
    assert "train-images-idx3-ubyte: is a directory; replace it with a regular file" in message


def test_what_is_lacking_has_the_names_of_its_set(folder, error_line):
    directory = folder(emnist)
    (directory / "emnist-digits-test-labels-idx1-ubyte").unlink()
    assert "data_dir lacks emnist-digits-test-labels-idx1-ubyte (or .gz); " in error_line(
        load_mnist, data_dir=directory
    )
