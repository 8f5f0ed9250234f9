"""MNIST, or a data set in its format, from a directory or the cache."""

import os

from backprop.data.arguments import directory_path, require_flags
from backprop.data.arrays import Pair
from backprop.data.known import MNIST
from backprop.data.reading import read_set


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
        If a file is missing, damaged or not in MNIST's format, if the set is Fashion-MNIST, or if the
        download fails.
    TypeError, ValueError
        If a flag is neither True nor False, or data_dir cannot be a path.

    Notes
    -----
    The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    `t10k-labels-idx1-ubyte`, plain or with `.gz`; the `.gz` file is taken if both exist. `-idx` may also be
    `.idx`. Only the content decides: any number of 28x28 images of unsigned bytes, and labels 0 to 9 of any
    integer type. EMNIST's sets of digits load under their own names
    (`emnist-digits-train-images-idx3-ubyte` and so on); their images are stored transposed and are turned
    upright. Fashion-MNIST's files have the names of MNIST's; they are refused, since `load_fashion_mnist`
    loads them.

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
    return read_set(MNIST, directory, origin="data_dir").arranged(normalize, flatten, one_hot_label)
