"""The images of a command line: pictures of one digit each, and IDX files of many."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from backprop.data import load_digit
from backprop.data.idx import IMAGES, is_idx, read_idx

SHADES = " .:-=+*#%@"


class Images(NamedTuple):
    """The images of a file as rows of pixels, (N, 784) in [0, 1].  many: it is an IDX file."""

    file: Path
    x: Any
    many: bool

    def names(self) -> Iterator[tuple[str, int | None]]:
        """Yield what each image is called, and its index in an IDX file."""
        name = click.format_filename(self.file)
        for index in range(len(self.x)):
            yield (f"{name}[{index}]", index) if self.many else (name, None)


def read_images(file: Path) -> Images:
    """Return the images of a file.

    Those of an IDX file, plain or gzipped, are in MNIST's form already. Any other file must be a picture of
    one digit, which is brought into this form. Raises DataError.
    """
    if not is_idx(file):
        return Images(file, load_digit(file), many=False)
    pixels = read_idx(file, IMAGES)
    return Images(file, pixels.reshape(len(pixels), -1).astype("float32") / 255, many=True)


def shown(pixels: Any, side: int = 28) -> str:
    """Return an image as text, two characters a pixel, the darker the denser.

    >>> print(shown([0.0, 0.5, 1.0, 0.0], side=2))
      ++
    @@
    """
    rows = (pixels[start : start + side] for start in range(0, side * side, side))
    scale = len(SHADES) - 1
    return "\n".join("".join(2 * SHADES[round(float(p) * scale)] for p in row).rstrip() for row in rows)
