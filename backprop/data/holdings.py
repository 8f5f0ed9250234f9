"""The content of a data directory in words, from the headers of its files."""

import os

from backprop.data.checksums import known_set
from backprop.data.errors import DataError
from backprop.data.folder import find_files
from backprop.data.idx import IMAGES, LABELS, count_items
from backprop.data.known import KNOWN


def holdings(directory: str) -> str:
    """Return what a directory holds, or what is wrong with it; never raise."""
    directory = os.path.expanduser(directory)
    try:
        if not {*os.listdir(directory)} - {known.folder for known in KNOWN}:
            return "empty"
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"unusable: {error.strerror}"
    try:
        files = find_files(directory, "it")
        counts = [count_items(path, IMAGES) for path in (files.train_images, files.test_images)]
        for path, count in zip((files.train_labels, files.test_labels), counts, strict=True):
            if (labels := count_items(path, LABELS)) != count:
                raise DataError(f"{path}: has {labels} labels for {count} images; use files of the same set")
    except DataError as error:
        fault = str(error).removeprefix(directory).lstrip(f"{os.sep}: ")
        return f"unusable: {fault.rsplit('; ', 1)[0]}"  # without the cure
    images = f"{' + '.join(f'{count:,}' for count in counts)} images"
    known = known_set(files)
    return f"{images} by the headers" if known is None else f"{known.name} by its checksums, {images}"
