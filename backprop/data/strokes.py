"""The strokes of a thin pen, widened to those of MNIST: scaled down as they are, they would fade."""

import numpy as np

THIN, USUAL = 1.8, 2.3  # pixels: the strokes of a tenth and of half of the images of MNIST are thinner


def widened(ink: np.ndarray, pixel: float) -> np.ndarray:
    """Return ink (height, width) with strokes that are not thinner than those of MNIST.

    pixel: the side of a pixel of MNIST in pixels of the ink.
    """
    width = stroke_width(ink) / pixel
    if width >= THIN:
        return ink
    radius = 0.5 * (USUAL - width) * pixel
    whole = int(radius)
    steps = range(-whole, whole + 1)
    disc = [(i, j) for i in steps for j in steps if i * i + j * j <= radius * radius]
    around = np.pad(ink, 2 * whole)
    height, length = (size + 2 * whole for size in ink.shape)
    wide: np.ndarray = np.zeros((height, length), ink.dtype)
    for i, j in disc:
        np.maximum(wide, around[whole + i :, whole + j :][:height, :length], out=wide)
    return wide


def stroke_width(ink: np.ndarray) -> float:
    """Return the mean width of the strokes in pixels: twice the ink by the length of its edges."""
    padded = np.pad(ink, 1)
    down, right = np.diff(padded, axis=0)[:, :-1], np.diff(padded, axis=1)[:-1]
    return 2.0 * float(ink.sum()) / float(np.hypot(down, right).sum())
