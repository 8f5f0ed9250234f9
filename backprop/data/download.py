"""The download of a data set's four files into the cache directory."""

import os
import sys
from typing import Any

from backprop.data.errors import DataError
from backprop.data.known import DataSet

NO_CONNECTION = "no connection"
TIMEOUT = (5, 15)  # seconds to connect, and seconds without a byte


def cache_directory(known: DataSet) -> str:
    """Return the directory of a data set in the user's cache, which may not exist yet."""
    return os.path.join(os.fspath(_pooch().os_cache("backprop")), known.folder).rstrip(os.sep)


def download(known: DataSet, directory: str | os.PathLike[str]) -> None:
    """Download the four .gz files of a data set into a directory, and check their SHA-256.

    A file with the right SHA-256 stays. Any other file of these names is replaced, so that the four always
    belong together. A file gets its name only when it is complete and checked.
    Raises DataError if the directory cannot be written or no mirror serves the files.
    """
    import tempfile

    try:
        os.makedirs(directory, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        cure = f"make it writable, or set data_dir or BACKPROP_DATA_DIR to a directory with {known.name}"
        raise DataError(f"{directory}: the cache cannot be written: {error.strerror}; {cure}") from None
    failures = []
    for mirror in known.mirrors:
        try:
            _download_from(mirror, known, directory)
            return
        except (OSError, ValueError) as error:  # of requests, and of pooch for a wrong SHA-256
            failures.append((mirror.split("/")[2], _reason(error)))
    cure = f"connect to the network, {known.offline}"
    if all(reason == NO_CONNECTION for _, reason in failures):
        why = f"{NO_CONNECTION} to {', '.join(host for host, _ in failures)}"
    else:
        why = ", ".join(f"{host} ({reason})" for host, reason in failures)
    raise DataError(f"{known.name} could not be downloaded to {directory}: {why}; {cure}")


def _download_from(mirror: str, known: DataSet, directory: str | os.PathLike[str]) -> None:
    pooch = _pooch()
    terminal = sys.stderr is not None and sys.stderr.isatty()
    downloader = pooch.HTTPDownloader(progressbar=terminal, chunk_size=2**16, timeout=TIMEOUT)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # it reports each file on standard error
    try:
        for name, sha256 in known.sha256.items():
            pooch.retrieve(mirror + name, sha256, fname=name, path=directory, downloader=downloader)
    finally:
        logger.setLevel(level)


def _pooch() -> Any:
    """Return the module pooch, imported late to keep `import backprop` light."""
    try:
        import pooch
    except ModuleNotFoundError as error:
        raise DataError(f"downloading data needs {error.name}: pip install {error.name}") from None
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
