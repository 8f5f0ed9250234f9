"""A picture of one handwritten digit, in the form of MNIST's images."""

import os

import numpy as np

from backprop.arrays.checks import path_name
from backprop.data.errors import DataError
from backprop.data.ink import ink_of
from backprop.data.picture import read_greys
from backprop.data.strokes import widened

SIDE, BOX = 28, 20  # pixels of an image, and of the digit within
DETAIL = 5  # pixels, for each of MNIST's, in which strokes are widened


def load_digit(path: str | os.PathLike[str]) -> np.ndarray:
    """Load a picture of one handwritten digit, in the form of MNIST's images.

    Parameters
    ----------
    path : str or os.PathLike
        PNG, JPEG or any other format that Pillow reads: a photograph, a scan or a drawing. The ink may be
        dark or light, of any colour, and on a transparent background.

    Returns
    -------
    numpy.ndarray
        float32 (1, 784) in [0, 1], 0 for the background and 1 for full ink: a row for `net.predict`.

    Raises
    ------
    DataError
        If the file is no picture, is damaged, has more than 89,478,485 pixels, or shows no digit; or if
        Pillow is missing.
    TypeError, ValueError
        If path cannot be a path.

    Notes
    -----
    The background is what the border shows; its brightness may change evenly from side to side. What differs
    from it is ink. Ink fainter than a fifth of the darkest is removed, and so are small parts far from the
    rest. As in MNIST, the digit is scaled so that its longer side has 20 pixels, and its centre of mass is
    put in the middle of 28 x 28. Strokes thinner than MNIST's, such as those of a pen, are widened first. An
    image that has MNIST's form already is returned as it is.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition,
    Proceedings of the IEEE 86, 1998, section III.

    Examples
    --------
    >>> from backprop.data import load_digit
    >>> x = load_digit("seven.png")  # doctest: +SKIP
    >>> net.predict_labels(x)  # doctest: +SKIP
    array([7])
    """
    path = path_name("load_digit", "path", path)
    grey = read_greys(path)
    if _is_in_form(grey):
        return grey.reshape(1, SIDE * SIDE)
    ink = ink_of(grey)
    if ink is None:
        rule = "shows no digit, as nothing stands out from the background"
        raise DataError(f"{path}: {rule}; use a picture with more contrast")
    return in_form(ink).reshape(1, SIDE * SIDE)


def in_form(ink: np.ndarray) -> np.ndarray:
    """Return ink (height, width), 0 for the background, in the form of MNIST: float32 (28, 28).

    The longer side of the digit has 20 pixels, and its centre of mass is in the middle of the image.
    """
    ink = _cropped(ink)
    if max(ink.shape) > DETAIL * BOX:
        ink = _cropped(widened(_scaled(ink, DETAIL * BOX), DETAIL))
    small = _scaled(ink, BOX)
    small /= small.max()
    image = np.zeros((SIDE, SIDE), "float32")
    top, left = (
        min(max(0, round(SIDE / 2 - centre)), SIDE - size)
        for centre, size in zip(_centre(small), small.shape, strict=True)
    )
    image[top : top + small.shape[0], left : left + small.shape[1]] = small
    return image


def _is_in_form(grey: np.ndarray) -> bool:
    """Return whether this is an image as MNIST has them, which is left as it is."""
    if grey.shape != (SIDE, SIDE) or np.median(grey) > 0.0 or not grey.any():
        return False
    centred = all(abs(centre - SIDE / 2) <= 0.5 for centre in _centre(grey))
    return centred and max(_cropped(grey).shape) == BOX


def _cropped(ink: np.ndarray) -> np.ndarray:
    """Return the part that has ink."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _scaled(ink: np.ndarray, longer: int) -> np.ndarray:
    """Return ink with this longer side, smoothed where pixels are merged."""
    from PIL import Image

    height, width = ink.shape
    scale = longer / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = Image.Resampling.BOX if scale < 1.0 else Image.Resampling.BICUBIC
    small = Image.fromarray(np.ascontiguousarray(ink, "float32")).resize(size, way)
    bounded: np.ndarray = np.clip(np.asarray(small), 0.0, 1.0)
    return bounded


def _centre(ink: np.ndarray) -> tuple[float, float]:
    """Return the row and the column of the centre of mass."""
    rows, columns = ink.sum(axis=1, dtype="float64"), ink.sum(axis=0, dtype="float64")
    total = rows.sum()
    return float(rows @ np.arange(len(rows)) / total), float(columns @ np.arange(len(columns)) / total)
