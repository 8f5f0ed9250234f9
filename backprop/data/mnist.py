"""MNIST, or a data set in its format, from a directory or the cache."""

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
    """Load MNIST as NumPy arrays, and download it on first use.

    Parameters
    ----------
    normalize : bool
        True: x is float32 in [0, 1], pixel / 255. False: x is uint8 in 0..255.
    flatten : bool
        True: x has shape (N, 784). False: x has shape (N, 1, 28, 28).
    one_hot_label : bool
        True: t is one-hot, float32 (N, 10). False: t is int64 (N,).
    data_dir : str or os.PathLike, optional
        Directory with the files. Default: the environment variable BACKPROP_DATA_DIR, else the user's cache
        directory.

    Returns
    -------
    (x_train, t_train), (x_test, t_test) : tuples of numpy.ndarray
        New arrays: 60,000 training and 10,000 test images of handwritten digits, with their labels.

    Raises
    ------
    DataError
        If a file is missing, damaged or not in MNIST's format, or the download fails.
    TypeError, ValueError
        If a flag is neither True nor False, or data_dir cannot be a path.

    Notes
    -----
    The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    `t10k-labels-idx1-ubyte`, plain or with `.gz`; the `.gz` file is taken if both exist. `-idx` may also be
    `.idx`. Only the content decides: any number of 28x28 images of unsigned bytes, and labels 0 to 9 of any
    integer type. Fashion-MNIST therefore loads as well. So do EMNIST's sets of digits under their own names
    (`emnist-digits-train-images-idx3-ubyte` and so on); their images are stored transposed and are turned
    upright.

    A directory that you name is only read. The cache directory belongs to this function: if a file there is
    missing or damaged, MNIST is downloaded (11.6 MB, from a public mirror, checked by SHA-256), and other .gz
    files of these names are replaced.

    Source: Yann LeCun, Corinna Cortes, Christopher J.C. Burges, "The MNIST database of handwritten digits".

    Examples
    --------
    >>> (x_train, t_train), (x_test, t_test) = load_mnist()  # doctest: +SKIP
    >>> x_train.shape, t_train.shape  # doctest: +SKIP
    ((60000, 784), (60000,))
    """
    where = "load_mnist"
    require_flags(where, normalize=normalize, flatten=flatten, one_hot_label=one_hot_label)
    directory = None if data_dir is None else directory_path(where, data_dir)
    return read_digits(directory, origin="data_dir").arranged(normalize, flatten, one_hot_label)


@dataclass(frozen=True)
class Digits:
    """The images (N, 28, 28) and labels (N,) of a data set as in its files, and the paths of these."""

    directory: str
    files: Files
    train: Pair
    test: Pair

    def arranged(
        self, normalize: bool = True, flatten: bool = True, one_hot_label: bool = False
    ) -> tuple[Pair, Pair]:
        """Return the arrays that `load_mnist` returns."""
        try:
            train, test = (
                arrange(*part, normalize, flatten, one_hot_label) for part in (self.train, self.test)
            )
        except MemoryError as error:
            cure = "use a smaller set, or load_mnist(normalize=False)"
            raise DataError(f"{self.directory}: does not fit into memory: {error}; {cure}") from None
        return train, test


def read_digits(data_dir: str | None, origin: str) -> Digits:
    """Read the set in data_dir, else in the directory of BACKPROP_DATA_DIR, else in the cache.

    origin: what errors call data_dir: the argument or option that it came from.
    """
    if data_dir is not None:
        return _read_directory(data_dir, origin)
    if variable := os.environ.get(VARIABLE):
        return _read_directory(variable, VARIABLE)
    cache = cache_directory()
    try:
        return _read_directory(cache, "the cache directory")
    except DataError:
        pass  # missing or damaged: download below, outside `except`, so that its error has no context
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
        raise DataError(f"{labels_path}: has {got}; use files of the same set")
    if labels.min() < 0 or labels.max() >= CLASSES:
        index = int(np.argmax((labels < 0) | (labels >= CLASSES)))
        cure = "use a set of ten classes, such as emnist-digits"
        raise DataError(
            f"{labels_path}: labels must be 0 to {CLASSES - 1}, got {labels[index]} at index {index}; {cure}"
        )
    return np.ascontiguousarray(images.swapaxes(1, 2)) if transposed else images, labels
