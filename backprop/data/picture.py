"""A picture file as an array of greys, read by Pillow whatever its format and mode."""

import os
import warnings
from typing import Any

import numpy as np

from backends import cut
from backprop.data.content import require_regular
from backprop.data.errors import DataError

MOST_PIXELS = 89_478_485  # Pillow's own limit, which a program may have lifted
DETAIL = 1000  # pixels along the longer side; larger pictures are reduced
WHITE = np.float32(255)


def read_greys(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the greys of a picture, float32 (height, width): from 0, black, to 1, white.

    The orientation of a photograph (EXIF) is followed. Parts that are transparent get a background that the
    rest stands out from.
    Raises DataError if Pillow is missing or the file is no picture, damaged or too large.
    """
    image_class, turned = _pillow()
    require_regular(path)
    try:
        with warnings.catch_warnings(), open(path, "rb") as file:
            warnings.simplefilter("ignore")  # of odd but readable files
            warnings.simplefilter("error", image_class.DecompressionBombWarning)
            with image_class.open(file) as image:
                return _greys(path, image, turned)
    except DataError:
        raise
    except image_class.UnidentifiedImageError:
        raise DataError(f"{path}: is no picture that Pillow can read; save it as PNG") from None
    except (image_class.DecompressionBombWarning, image_class.DecompressionBombError):
        raise DataError(f"{path}: must have at most {MOST_PIXELS:,} pixels; make it smaller") from None
    except Exception as error:  # Pillow's readers raise many kinds for a damaged file
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{path}: cannot be read: {cut(why, 80)}; save it again as PNG") from None


def _greys(path: str | os.PathLike[str], image: Any, turned: Any) -> np.ndarray:
    """Return the greys of an opened image."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        rule = f"must have at most {MOST_PIXELS:,} pixels, got {width:,} x {height:,}"
        raise DataError(f"{path}: {rule}; make it smaller")
    if image.format == "EPS":  # which Pillow hands to another program
        raise DataError(f"{path}: is EPS, which is a program; save it as PNG")
    image = turned(image)
    if image.mode[0] in "IF":  # 16 or 32 bits, which Pillow's own conversion would clip
        return _stretched(path, np.asarray(image, "float32"))
    if image.has_transparency_data:
        layers = np.asarray(_reduced(image.convert("RGBA")).convert("LA")) / WHITE
        return _on_a_background(layers[..., 0], layers[..., 1])
    if image.mode not in ("1", "L"):
        image = image.convert("RGB")
    return np.asarray(_reduced(image.convert("L"))) / WHITE


def _reduced(image: Any) -> Any:
    """Return an image with at most DETAIL pixels along its longer side."""
    factor = -(-max(image.size) // DETAIL)
    return image.reduce(factor) if factor > 1 else image


def _stretched(path: str | os.PathLike[str], values: np.ndarray) -> np.ndarray:
    """Return values of any range as greys."""
    low, high = min(float(values.min()), 0.0), float(values.max())
    if not np.isfinite(high - low):
        raise DataError(f"{path}: holds values that are not finite; save it again as PNG")
    step = -(-max(values.shape) // DETAIL)
    return (values[::step, ::step] - np.float32(low)) / np.float32(max(high - low, 1e-30))


def _on_a_background(grey: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Return greys without transparency.

    Ink on nothing gets the background that is farther from it. An opaque picture with transparent edges, such
    as a page with round corners, continues its own.
    """
    opaque = grey[opacity > 0.5]
    if not opaque.size:
        background = 0.0
    elif opaque.size > 0.5 * grey.size and np.ptp(opaque) > 0.5:
        background = float(np.median(opaque))
    else:
        background = float(opaque.mean() < 0.5)
    seen: np.ndarray = grey * opacity + background * (1.0 - opacity)
    return seen


def _pillow() -> tuple[Any, Any]:
    """Return Pillow's module Image and its function exif_transpose, imported late and only when used."""
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise DataError(f"reading pictures needs Pillow ({error}): pip install pillow") from None
    return Image, ImageOps.exif_transpose
