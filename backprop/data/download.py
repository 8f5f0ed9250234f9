"""The download of MNIST's four files into the cache directory."""

import os
import sys
from typing import Any

from backprop.data.errors import DataError

# The first mirror that works is used; the files are the same on each.
MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
NO_CONNECTION = "no connection"
TIMEOUT = (5, 15)  # seconds to connect, and seconds without a byte


def cache_directory() -> str:
    """Return the user's cache directory of this library, which may not exist yet."""
    directory: str = os.fspath(_pooch().os_cache("backprop"))
    return directory


def download(directory: str | os.PathLike[str]) -> None:
    """Download MNIST's four .gz files into a directory, and check their SHA-256.

    A file with the right SHA-256 stays. Any other file of these names is replaced, so that the four always
    belong together. A file gets its name only when it is complete and checked.
    Raises DataError if the directory cannot be written or no mirror serves the files.
    """
    import tempfile

    try:
        os.makedirs(directory, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        cure = "make it writable, or set data_dir or BACKPROP_DATA_DIR to a directory with MNIST"
        raise DataError(f"{directory}: the cache cannot be written: {error.strerror}; {cure}") from None
    failures = []
    for mirror in MIRRORS:
        try:
            _download_from(mirror, directory)
            return
        except (OSError, ValueError) as error:  # of requests, and of pooch for a wrong SHA-256
            failures.append((mirror.split("/")[2], _reason(error)))
    cure = "connect to the network, set BACKPROP_DATA_DIR, or use load_mnist_sample"
    if all(reason == NO_CONNECTION for _, reason in failures):
        why = f"{NO_CONNECTION} to {', '.join(host for host, _ in failures)}"
    else:
        why = ", ".join(f"{host} ({reason})" for host, reason in failures)
    raise DataError(f"MNIST could not be downloaded to {directory}: {why}; {cure}")


def _download_from(mirror: str, directory: str | os.PathLike[str]) -> None:
    pooch = _pooch()
    terminal = sys.stderr is not None and sys.stderr.isatty()
    downloader = pooch.HTTPDownloader(progressbar=terminal, chunk_size=2**16, timeout=TIMEOUT)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # it reports each file on standard error
    try:
        for name, sha256 in SHA256.items():
            pooch.retrieve(mirror + name, sha256, fname=name, path=directory, downloader=downloader)
    finally:
        logger.setLevel(level)


def _pooch() -> Any:
    """Return the module pooch, imported late to keep `import backprop` light."""
    try:
        import pooch
    except ModuleNotFoundError as error:
        raise DataError(f"downloading MNIST needs {error.name}: pip install {error.name}") from None
    return pooch


def _reason(error: Exception) -> str:
    if not isinstance(error, OSError):
        return "wrong SHA-256"
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    # The message of a connection error quotes all nested errors, so it is left out.
    kind = type(error).__name__
    return error.strerror or (NO_CONNECTION if kind == "ConnectionError" else kind)
