"""One group, run in this process: `python -m benchmarks.gpu_report.child NAME MODULE FILE SETTINGS`."""

import json
import signal
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings

AFTER = 10  # seconds beyond its limit


def main(name: str, module: str, path: str, settings: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # its children end with it, see processes.py
    told = Settings(**json.loads(settings))
    # Ends the process if its parent is gone, even while it hangs in CUDA.
    signal.alarm(int(told.limit) + AFTER)
    import_module(module).measure(Recorder(Path(path), name), told)


if __name__ == "__main__":
    main(*sys.argv[1:])
