"""The time of `import backprop` against `import numpy`: medians of 9 fresh processes each, in turns.

    python benchmarks/import_time.py

Both with their byte code compiled, in a directory of this run's own, as they are once installed.
"""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

PROCESSES = 9
CHECKOUT = Path(__file__).parents[1]
CODE = "from time import perf_counter as now; start = now(); import {}; print(now() - start)"


def milliseconds(module: str, cache: str) -> float:
    """Return the time of the import statement alone, in a new interpreter that keeps byte code in `cache`."""
    output = subprocess.run(
        [sys.executable, "-c", CODE.format(module)],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return 1e3 * float(output)


def main() -> None:
    times: dict[str, list[float]] = {"numpy": [], "backprop": []}
    with TemporaryDirectory() as cache:
        for module in times:
            milliseconds(module, cache)  # compiles
        for _ in range(PROCESSES):
            for module, measured in times.items():
                measured.append(milliseconds(module, cache))
    numpy, backprop = (median(measured) for measured in times.values())
    print(
        f"import numpy {numpy:.1f} ms, import backprop {backprop:.1f} ms: {backprop / numpy:.2f} x "
        f"(medians of {PROCESSES} processes each, in turns; wanted: at most 1.5 x)"
    )


if __name__ == "__main__":
    main()
