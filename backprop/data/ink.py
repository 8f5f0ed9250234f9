"""The ink of a picture: what stands out from the background that its border shows."""

import numpy as np

FAINT = 0.06  # the least contrast of ink and background, of that of black and white
NOISE = 0.2  # ink fainter than this share of full ink is noise, a shadow, or a line of the paper
SPECK = 0.05  # parts with less than this share of the ink are specks
CELLS = 64  # along the longer side: the cells whose neighbourhood decides what is one part


def ink_of(grey: np.ndarray) -> np.ndarray | None:
    """Return the ink of a picture (height, width), 0 for the background, 1 for full ink; None if it is blank.

    Whether the ink is darker or lighter than the background does not matter.
    """
    rest, spread = _without_background(grey)
    peak = np.abs(rest).max()
    if peak < max(FAINT, 5.0 * spread):
        return None
    if rest[np.abs(rest) > 0.5 * peak].sum() < 0.0:
        rest = -rest
    full = np.percentile(rest[rest > 0.5 * rest.max()], 75)
    ink = np.clip(rest / full, 0.0, 1.0)
    ink[ink < min(0.5, max(NOISE, 4.0 * spread / full))] = 0.0
    ink = _without_specks(ink)
    return ink if ink.any() else None


def _without_background(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the picture minus its background, and the spread of the background.

    The background is the plane through the greys of the border, so that a shadow may fall across the paper.
    What deviates from it, such as ink that touches the border, does not count.
    """
    height, width = grey.shape
    wide = max(1, min(height, width) // 40)
    ring = np.ones((height, width), bool)
    ring[wide : height - wide, wide : width - wide] = False
    y, x = np.nonzero(ring)
    values = grey[ring].astype("float64")
    place = np.stack([np.ones(len(y)), y / height - 0.5, x / width - 0.5], axis=1)
    off, plane = values - np.median(values), np.zeros(3)
    for _ in range(4):
        spread = 1.4826 * np.median(np.abs(off))
        near = np.abs(off) <= 2.5 * spread + 1e-6
        plane = np.linalg.lstsq(place[near], values[near], rcond=None)[0]
        off = values - place @ plane
    rows, columns = np.arange(height)[:, None] / height - 0.5, np.arange(width)[None] / width - 0.5
    rest = grey - (plane[0] + plane[1] * rows + plane[2] * columns)
    rest[np.abs(rest) < 1e-5] = 0.0
    return rest, float(1.4826 * np.median(np.abs(off)))


def _without_specks(ink: np.ndarray) -> np.ndarray:
    """Return the ink without parts that are much smaller than the whole."""
    side = max(1, -(-max(ink.shape) // CELLS))
    down, right = (-(-size // side) for size in ink.shape)
    padded = np.zeros((down * side, right * side), ink.dtype)
    padded[: ink.shape[0], : ink.shape[1]] = ink
    amount = padded.reshape(down, side, right, side).sum(axis=(1, 3))
    keep = np.zeros(amount.shape, bool)
    left = {(int(i), int(j)) for i, j in zip(*np.nonzero(amount), strict=True)}
    while left:
        part, new = [], [left.pop()]
        while new:
            i, j = new.pop()
            part.append((i, j))
            near = {(i + di, j + dj) for di in (-1, 0, 1) for dj in (-1, 0, 1)} & left
            left -= near
            new += near
        rows, columns = zip(*part, strict=True)
        keep[rows, columns] = amount[rows, columns].sum() >= SPECK * amount.sum()
    return np.where(keep.repeat(side, 0).repeat(side, 1)[: ink.shape[0], : ink.shape[1]], ink, 0.0)
