"""Fashion-MNIST: 70,000 pictures of clothes in MNIST's format, from a directory or the cache."""

import os

from backprop.data.arguments import directory_path, require_flags
from backprop.data.arrays import Pair
from backprop.data.known import FASHION_MNIST
from backprop.data.reading import read_set

# The names of the labels 0 to 9, as on the page of the data set.
FASHION_MNIST_CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)


def load_fashion_mnist(
    normalize: bool = True,
    flatten: bool = True,
    one_hot_label: bool = False,
    data_dir: str | os.PathLike[str] | None = None,
) -> tuple[Pair, Pair]:
    """Load Fashion-MNIST as NumPy arrays, and download it on first use.

    Parameters
    ----------
    normalize : bool
        True: x is float32 in [0, 1], pixel / 255. False: x is uint8 in 0..255.
    flatten : bool
        True: x has shape (N, 784). False: x has shape (N, 1, 28, 28).
    one_hot_label : bool
        True: t is one-hot, float32 (N, 10). False: t is int64 (N,).
    data_dir : str or os.PathLike, optional
        Directory with the files. Default: the folder `fashion-mnist` in the directory of the environment
        variable BACKPROP_DATA_DIR, if there is one, else `fashion-mnist` in the user's cache directory.

    Returns
    -------
    (x_train, t_train), (x_test, t_test) : tuples of numpy.ndarray
        New arrays: 60,000 training and 10,000 test images of clothes, with their labels.

    Raises
    ------
    DataError
        If a file is missing, damaged or not Fashion-MNIST's, or the download fails.
    TypeError, ValueError
        If a flag is neither True nor False, or data_dir cannot be a path.

    Notes
    -----
    `FASHION_MNIST_CLASSES` has the names of the labels 0 to 9.

    The four files have the names of MNIST's, and so do those of other sets. Therefore only the .gz files
    whose SHA-256 is Fashion-MNIST's are accepted; checksums of unzipped files have not been published. A
    directory that you name is only read. The cache directory belongs to this function: if a file there is
    missing or another one, Fashion-MNIST is downloaded (30.9 MB, from its own page or a mirror, checked by
    SHA-256).

    Source: Xiao, Rasul and Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms, arXiv 1708.07747, 2017.

    Examples
    --------
    >>> from backprop.data import FASHION_MNIST_CLASSES, load_fashion_mnist
    >>> (x_train, t_train), (x_test, t_test) = load_fashion_mnist()  # doctest: +SKIP
    >>> FASHION_MNIST_CLASSES[t_train[0]]  # doctest: +SKIP
    'Ankle boot'
    """
    where = "load_fashion_mnist"
    require_flags(where, normalize=normalize, flatten=flatten, one_hot_label=one_hot_label)
    directory = None if data_dir is None else directory_path(where, data_dir)
    return read_set(FASHION_MNIST, directory, origin="data_dir").arranged(normalize, flatten, one_hot_label)
