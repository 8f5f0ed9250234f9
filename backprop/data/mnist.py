"""Load MNIST, or a set of its form, from a directory or the cache."""

import os
from dataclasses import dataclass

import numpy as np

from backprop.data.arguments import directory_path, require_flags
from backprop.data.arrays import CLASSES, Pair, arrange
from backprop.data.download import cache_directory, download
from backprop.data.errors import DataError
from backprop.data.folder import Files, find_files
from backprop.data.idx import IMAGES, LABELS, read_idx

VARIABLE = "BACKPROP_DATA_DIR"


def load_mnist(
    normalize: bool = True,
    flatten: bool = True,
    one_hot_label: bool = False,
    data_dir: str | os.PathLike[str] | None = None,
) -> tuple[Pair, Pair]:
    """MNIST, 60,000 training and 10,000 test images of handwritten digits, as NumPy arrays.

    normalize: x is float32 in [0, 1], pixel / 255; otherwise uint8 in 0..255.
    flatten: x has shape (N, 784); otherwise (N, 1, 28, 28).
    one_hot_label: t is one-hot, float32 (N, 10); otherwise int64 (N,).
    data_dir: the directory that holds the files; by default the one that the environment variable
    BACKPROP_DATA_DIR names, else the user's cache directory.
    Returns ((x_train, t_train), (x_test, t_test)).
    Raises DataError where a file is missing, damaged or not of MNIST's form, or the download failed;
    TypeError and ValueError for an argument of the wrong kind.

    The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    `t10k-labels-idx1-ubyte`, each plain or with `.gz` (which is taken where there are both); `-idx` may be
    `.idx`. They are judged by their content: any number of 28x28 images of unsigned bytes, with labels 0 to 9
    of any integer type. So Fashion-MNIST loads as well, and so do EMNIST's sets of digits under their own
    names (`emnist-digits-train-images-idx3-ubyte` …), whose images, stored transposed, are turned upright.

    A directory that you name is only read. The cache directory belongs to this function: when a file there is
    missing or damaged, MNIST is downloaded into it (11.6 MB, from a public mirror, checked by SHA-256) and
    takes the place of other .gz files of these names.

    Source: Yann LeCun, Corinna Cortes, Christopher J.C. Burges, "The MNIST database of handwritten digits".
    """
    where = "load_mnist"
    require_flags(where, normalize=normalize, flatten=flatten, one_hot_label=one_hot_label)
    directory = None if data_dir is None else directory_path(where, data_dir)
    return read_digits(directory, origin="data_dir").arranged(normalize, flatten, one_hot_label)


@dataclass(frozen=True)
class Digits:
    """Images (N, 28, 28) and labels (N,) as a set's files have them, and where these are."""

    directory: str
    files: Files
    train: Pair
    test: Pair

    def arranged(
        self, normalize: bool = True, flatten: bool = True, one_hot_label: bool = False
    ) -> tuple[Pair, Pair]:
        """Return what `load_mnist` does."""
        try:
            train, test = (
                arrange(*part, normalize, flatten, one_hot_label) for part in (self.train, self.test)
            )
        except MemoryError as error:
            cure = "take a smaller set, or load_mnist(normalize=False)"
            raise DataError(f"{self.directory}: does not fit into memory: {error}; {cure}") from None
        return train, test


def read_digits(data_dir: str | None, origin: str) -> Digits:
    """Read the set in data_dir, else in the directory that BACKPROP_DATA_DIR names, else in the cache.

    `origin` is what messages call data_dir: the name of the argument or option that it came from.
    """
    if data_dir is not None:
        return _read_directory(data_dir, origin)
    if variable := os.environ.get(VARIABLE):
        return _read_directory(variable, VARIABLE)
    cache = cache_directory()
    try:
        return _read_directory(cache, "the cache directory")
    except DataError:
        pass  # missing or damaged: the download, out here so that its error stands alone, mends both
    download(cache)
    return _read_directory(cache, "the cache directory")


def _read_directory(name: str, origin: str) -> Digits:
    directory = os.path.expanduser(name)
    files = find_files(directory, origin)
    train = _read_part(files.train_images, files.train_labels, files.transposed)
    test = _read_part(files.test_images, files.test_labels, files.transposed)
    return Digits(directory, files, train, test)


def _read_part(images_path: str, labels_path: str, transposed: bool) -> Pair:
    images, labels = read_idx(images_path, IMAGES), read_idx(labels_path, LABELS)
    if len(images) != len(labels):
        got = f"{len(labels)} labels for the {len(images)} images of {os.path.basename(images_path)}"
        raise DataError(f"{labels_path}: has {got}; put files of the same set there")
    if labels.min() < 0 or labels.max() >= CLASSES:
        index = int(np.argmax((labels < 0) | (labels >= CLASSES)))
        cure = "take a set of ten classes, such as emnist-digits"
        raise DataError(
            f"{labels_path}: labels are 0 to {CLASSES - 1}, got {labels[index]} at index {index}; {cure}"
        )
    return np.ascontiguousarray(images.swapaxes(1, 2)) if transposed else images, labels
