"""Find MNIST's four files and load them."""

import os

import numpy as np

from backprop.data.arrays import CLASSES, Pair, arrange
from backprop.data.download import cache_directory, download
from backprop.data.errors import DataError
from backprop.data.idx import read_idx

VARIABLE = "BACKPROP_DATA_DIR"
_FILES = (
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
)


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
    Raises DataError where a file is missing, damaged or not of MNIST's form, or the download failed.

    The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    `t10k-labels-idx1-ubyte`, each plain or with `.gz` (which is taken where there are both). They are judged
    by their content, so Fashion-MNIST loads as well. A directory that you name is only read. The cache
    directory belongs to this function: when a file there is missing or damaged, MNIST is downloaded into it
    (11.6 MB, from a public mirror, checked by SHA-256) and takes the place of other .gz files of these names.

    Source: Yann LeCun, Corinna Cortes, Christopher J.C. Burges, "The MNIST database of handwritten digits".
    """
    if data_dir is not None:
        parts = _read_directory(data_dir, origin="data_dir")
    elif variable := os.environ.get(VARIABLE):
        parts = _read_directory(variable, origin=VARIABLE)
    else:
        parts = _read_cache()
    train, test = (arrange(*part, normalize, flatten, one_hot_label) for part in parts)
    return train, test


def _read_cache() -> list[Pair]:
    cache = cache_directory()
    try:
        return _read_directory(cache, origin="the cache directory")
    except DataError:
        pass  # missing or damaged: the download, out here so that its error stands alone, mends both
    download(cache)
    return _read_directory(cache, origin="the cache directory")


def _read_directory(name: str | os.PathLike[str], origin: str) -> list[Pair]:
    directory = os.path.expanduser(name)
    cure = f"put MNIST's four files there, or leave {origin} unset to have them downloaded to the cache"
    try:
        present = set(os.listdir(directory))
    except OSError as error:
        raise DataError(f"{directory}: {origin} is no readable directory: {error.strerror}; {cure}") from None
    missing = [name for pair in _FILES for name in pair if not present & {name, f"{name}.gz"}]
    if missing:
        raise DataError(f"{directory}: {origin} lacks {', '.join(missing)} (plain or .gz); {cure}")
    found = ([f"{name}.gz" if f"{name}.gz" in present else name for name in pair] for pair in _FILES)
    return [_read_part(*(os.path.join(directory, name) for name in pair)) for pair in found]


def _read_part(images_path: str, labels_path: str) -> Pair:
    images = read_idx(images_path, "images", (28, 28))
    labels = read_idx(labels_path, "labels", ())
    if len(images) != len(labels):
        got = f"{len(labels)} labels for the {len(images)} images of {os.path.basename(images_path)}"
        raise DataError(f"{labels_path}: has {got}; put files of the same set there")
    if labels.max() >= CLASSES:
        index = int(np.argmax(labels >= CLASSES))
        got = f"{labels[index]} at index {index}; put a file of such labels there"
        raise DataError(f"{labels_path}: labels are 0 to {CLASSES - 1}, got {got}")
    return images, labels
