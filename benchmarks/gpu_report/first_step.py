"""The first step of a process: the seconds from `import cupy` until its loss has been read, as JSON."""

import json
import sys
import time
from importlib import import_module


def main(backend_name: str) -> None:
    start = time.perf_counter()
    np = import_module("numpy")
    import_module(backend_name)
    imported = time.perf_counter()
    rng = np.random.default_rng(0)
    x, t = rng.random((1000, 784), dtype=np.float32), rng.integers(10, size=1000)
    batches = rng.integers(1000, size=(1, 100))

    begun = time.perf_counter()
    import backprop
    from benchmarks.gpu_report import library

    net = backprop.TwoLayerNet(784, 50, 10, dtype="float32", rng=0, backend=backend_name)
    segment = library.training_loop(net, *net.prepare("first_step", x, t), 100, capture=True)
    (loss,) = segment(batches)
    taken = time.perf_counter() - begun
    print(json.dumps({"seconds": taken, "import_seconds": imported - start, "loss": loss}))


if __name__ == "__main__":
    main(sys.argv[1])
