"""The first step of a process: the seconds from `import cupy` until its loss has been read, as JSON."""

import json
import sys
import time
from importlib import import_module
from itertools import pairwise

PARTS = "importing backprop", "the device, and a network", "compiling", "data, capture, the step"


def main(backend_name: str) -> None:
    start = time.perf_counter()
    np = import_module("numpy")
    import_module(backend_name)
    imported = time.perf_counter()
    rng = np.random.default_rng(0)
    x, t = rng.random((1000, 784), dtype=np.float32), rng.integers(10, size=1000)
    batches = rng.integers(1000, size=(1, 100))

    times = [time.perf_counter()]
    import backprop
    from benchmarks.gpu_report import library

    times.append(time.perf_counter())
    net = backprop.TwoLayerNet(784, 50, 10, dtype="float32", rng=0, backend=backend_name)
    times.append(time.perf_counter())
    library.compile_first(net.backend)
    times.append(time.perf_counter())
    segment = library.training_loop(net, *net.prepare("first_step", x, t), 100, capture=True)
    (loss,) = segment(batches)
    times.append(time.perf_counter())
    parts = {part: end - begin for part, (begin, end) in zip(PARTS, pairwise(times), strict=True)}
    print(
        json.dumps(
            {"seconds": times[-1] - times[0], "import": imported - start, "parts": parts, "loss": loss}
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
