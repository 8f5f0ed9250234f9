"""The shapes and dtypes of the arrays that the loaders return."""

from typing import TypeAlias

import numpy as np

Pair: TypeAlias = tuple[np.ndarray, np.ndarray]
CLASSES = 10


def arrange(
    images: np.ndarray, labels: np.ndarray, normalize: bool, flatten: bool, one_hot_label: bool
) -> Pair:
    """Return new arrays (x, t) made from images (N, 28, 28) and labels (N,), both uint8.

    x is float32 in [0, 1] with `normalize`, else uint8; (N, 784) with `flatten`, else (N, 1, 28, 28).
    t is float32 (N, 10) with `one_hot_label`, else int64 (N,).
    """
    count, height, width = images.shape
    # Dividing straight into float32 needs no temporary array as large as the images.
    x = np.divide(images, np.float32(255), dtype=np.float32) if normalize else images.copy()
    t = np.eye(CLASSES, dtype=np.float32)[labels] if one_hot_label else labels.astype(np.int64)
    return x.reshape((count, height * width) if flatten else (count, 1, height, width)), t
