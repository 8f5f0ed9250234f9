"""A data set of four files, read from a directory or from the cache, which is filled first."""

import os
from dataclasses import dataclass

import numpy as np

from backprop.data.arrays import CLASSES, Pair, arrange
from backprop.data.checksums import different_file, known_set
from backprop.data.download import cache_directory, download
from backprop.data.errors import DataError
from backprop.data.folder import Files, find_files
from backprop.data.idx import IMAGES, LABELS, read_idx
from backprop.data.known import DataSet

VARIABLE = "BACKPROP_DATA_DIR"


@dataclass(frozen=True)
class Images:
    """The images (N, 28, 28) and labels (N,) of a data set as in its files, and the paths of these.

    known: the data set that they are by their checksums, or None.
    """

    directory: str
    files: Files
    train: Pair
    test: Pair
    known: DataSet | None

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


def read_set(known: DataSet, data_dir: str | None, origin: str) -> Images:
    """Read a data set from data_dir, else from where BACKPROP_DATA_DIR has it, else from the cache.

    origin: what errors call data_dir: the argument or option that it came from.
    """
    if data_dir is not None:
        return _read_directory(known, data_dir, origin)
    if (named := named_directory(known)) is not None:
        return _read_directory(known, named, VARIABLE)
    cache = cache_directory(known)
    try:
        return _read_directory(known, cache, "the cache directory")
    except DataError:
        pass  # missing or damaged: download below, outside `except`, so that its error has no context
    download(known, cache)
    return _read_directory(known, cache, "the cache directory")


def named_directory(known: DataSet) -> str | None:
    """Return the directory that BACKPROP_DATA_DIR names for a data set, or None.

    For MNIST it is that directory. For a data set with a folder of its own it is this folder within, if
    there is one.
    """
    variable = os.environ.get(VARIABLE)
    if not variable or not known.folder:
        return variable or None
    folder = os.path.join(variable, known.folder)
    return folder if os.path.isdir(os.path.expanduser(folder)) else None


def _read_directory(known: DataSet, name: str, origin: str) -> Images:
    directory = os.path.expanduser(name)
    files = find_files(directory, origin, known.name)
    train = _read_part(files.train_images, files.train_labels, files.transposed)
    test = _read_part(files.test_images, files.test_labels, files.transposed)
    return Images(directory, files, train, test, _recognized(known, directory, files, origin))


def _recognized(known: DataSet, directory: str, files: Files, origin: str) -> DataSet | None:
    """Return the data set that the files are by their checksums; None for other images in MNIST's format.

    Raises DataError for another set than the one that was asked for. Other images pass for MNIST, and for no
    set that is known by its .gz files alone.
    """
    found = known_set(files)
    if found is known:
        return found
    if found is not None:
        cure = f"use {found.loader}, or name another directory"
        raise DataError(
            f"{directory}: {origin} holds {found.name} by its checksums, not {known.name}; {cure}"
        )
    if known.contents:
        return None
    path = str(different_file(files, known))
    what = "is no .gz file" if not path.endswith(".gz") else "has another SHA-256"
    cure = f"replace it with {known.name}'s own .gz file"
    raise DataError(f"{path}: {what}, so it cannot be told to be {known.name}'s; {cure}")


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
