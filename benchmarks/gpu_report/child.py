"""A group in this process: `python -m benchmarks.gpu_report.child NAME MODULE FILE SETTINGS`."""

import json
import signal
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings


def main(name: str, module: str, path: str, settings: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what it started ends with it, see processes.py
    record = Recorder(Path(path), name)
    import_module(module).measure(record, Settings(**json.loads(settings)))


if __name__ == "__main__":
    main(*sys.argv[1:])
