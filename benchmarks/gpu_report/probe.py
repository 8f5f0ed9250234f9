"""A first look at the GPU and the data, in its own process since a driver may hang: `… probe SETTINGS`."""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from backends import why_unavailable
from backprop import load_mnist
from backprop.data.errors import DataError
from benchmarks.gpu_report.machine import of_backend
from benchmarks.gpu_report.processes import DONE, run, tail
from benchmarks.gpu_report.settings import Settings

LIMIT = 60.0  # seconds
REFUSED = 3  # its exit status if there is no GPU or no data


class Unusable(Exception):
    """Error: no usable GPU, or the data that was asked for is missing."""


def probe(settings: Settings) -> dict[str, Any]:
    """Return device and versions. Raises Unusable if there is no GPU or no such data."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        command = [sys.executable, "-m", "benchmarks.gpu_report.probe", json.dumps(asdict(settings))]
        ending = run(command, LIMIT, log)
        said = tail(log, 40)
    if ending.how != DONE:
        raise Unusable(said[-1] if ending.status == REFUSED else f"looking for the GPU: {ending.how}")
    return json.loads(next(line for line in said if line.startswith("{")))


def main(told: str) -> int:
    settings = Settings(**json.loads(told))
    if settings.device == "cuda" and (error := why_unavailable("cupy")):
        print(error)
        return REFUSED
    try:
        if settings.mnist is not None:
            load_mnist(data_dir=settings.mnist)  # fail before minutes are spent if it is missing or damaged
    except DataError as error:
        print(error)
        return REFUSED
    print(json.dumps(of_backend(settings.backend)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
