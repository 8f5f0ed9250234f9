"""Three steps, captured and eager, in their own process: `… few_steps BACKEND own,cublas`.

own, cublas: the products to use.  compute-sanitizer runs this file.
"""

import sys

import numpy as np

from backends import load
from backprop import TwoLayerNet
from benchmarks.gpu_report import library

STEPS, BATCH, SAMPLES = 3, 100, 300


def main(backend: str, products: str) -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.random((SAMPLES, 784), dtype=np.float32), rng.integers(10, size=SAMPLES)
    batches = rng.integers(SAMPLES, size=(STEPS, BATCH))
    # A pool rounds allocations up, so memcheck would miss an access just beyond an array.
    library.without_pool(load(backend))
    for whose in products.split(","):
        for capture in (True, False):
            with library.own_products(whose == "own"):
                net = TwoLayerNet(784, 50, 10, dtype="float32", rng=0, backend=backend)
                data = net.prepare("few_steps", x, labels)
                losses = library.training_loop(net, *data, BATCH, capture)(batches)
                right = net.share_correct(*data)
            way = "captured" if capture else "eager"
            said = ", ".join(f"{loss:.4f}" for loss in losses)
            print(f"{whose}, {way}: losses {said}; {right:.0%} right", flush=True)
            if not np.isfinite(losses).all():
                sys.exit("a loss is not finite")


if __name__ == "__main__":
    main(*sys.argv[1:])
