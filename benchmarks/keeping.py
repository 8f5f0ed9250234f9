"""The cost of keeping a network: `python -m benchmarks.keeping [--rounds N] [--iterations N]`.

The chapter's job, 10,000 iterations of 784-50-10, without checkpoints and with one every epoch, in turns.
Then files of a network of 84 MB: their size beyond the numbers, the seconds to save and load, and on Linux
the memory that loading takes beyond the network's own arrays.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from backprop import Sequential, TwoLayerNet, train
from backprop.layers import Affine, ReLU
from backprop.networks import Network
from benchmarks.memory import STATUS
from benchmarks.peers.data import Data, load

MOST_TIME, MOST_MEMORY, MOST_BYTES, MOST_PER_ARRAY = 1.03, 0.2, 2_000, 100
LOAD = """
import sys
import safetensors.numpy
from backprop.networks import Network
from benchmarks.memory import resident
before = resident(peak=True)
net = Network.load(sys.argv[1])
print((resident(peak=True) - before) * 2**20 / net.params.flat.nbytes - 1.0)
"""


def job(data: Data, iterations: int, folder: str | None) -> float:
    """Return the seconds of the chapter's job, with a checkpoint every epoch if a folder is given."""
    net = TwoLayerNet(rng=0)
    begun = time.perf_counter()
    train(net, *data[:4], iterations=iterations, rng=0, checkpoint=folder)
    return time.perf_counter() - begun


def cost(rounds: int, iterations: int) -> tuple[list[float], list[float]]:
    """Return the seconds of the job without and with checkpoints, in turns and in changing order."""
    plain: list[float] = []
    kept: list[float] = []
    data = load()
    job(data, min(iterations, 1_000), None)
    for turn in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            works = [(plain, None), (kept, os.path.join(folder, "run"))]
            for seconds, place in works if turn % 2 else works[::-1]:
                seconds.append(job(data, iterations, place))
    return plain, kept


def files(folder: str) -> tuple[float, float, int, int]:
    """Save and load a large network.

    Return the seconds of both, the bytes of the file beyond the numbers, and how many arrays it has.
    """
    net = Sequential([Affine(4096), ReLU(), Affine(4096), ReLU(), Affine(10)], 1024, rng=0)
    path = os.path.join(folder, "net.safetensors")
    saving, loading = [], []
    for _ in range(5):
        begun = time.perf_counter()
        net.save(path)
        saving.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        Network.load(path)
        loading.append(time.perf_counter() - begun)
    return (
        median(saving),
        median(loading),
        Path(path).stat().st_size - net.params.flat.nbytes,
        len(net.params),
    )


def verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return 1 if a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11, help="of the job, each way (%(default)s)")
    parser.add_argument("--iterations", type=int, default=10_000, help="of the job (%(default)s)")
    options = parser.parse_args(arguments)
    if min(options.rounds, options.iterations) < 1:
        parser.error("--rounds and --iterations must be at least 1")
    plain, kept = cost(options.rounds, options.iterations)
    ratio = median(with_them / without for without, with_them in zip(plain, kept, strict=True))
    met = [ratio <= MOST_TIME]
    print(f"{options.iterations:,} iterations: {median(plain):.3f} s, with checkpoints {median(kept):.3f} s")
    print(f"ratio {ratio:.4f}, median of {options.rounds} pairs; at most {MOST_TIME}: {verdict(met[-1])}")
    with tempfile.TemporaryDirectory() as folder:
        saving, loading, beyond, count = files(folder)
        most = MOST_BYTES + MOST_PER_ARRAY * count
        met.append(beyond <= most)
        print(f"84 MB of weights: saved in {saving:.3f} s, loaded in {loading:.3f} s")
        print(f"the file is {beyond:,} bytes larger than its numbers; at most {most:,}: {verdict(met[-1])}")
        if STATUS.exists():
            command = [sys.executable, "-c", LOAD, os.path.join(folder, "net.safetensors")]
            extra = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            met.append(extra <= MOST_MEMORY)
            print(
                f"loading takes {extra:.3f} of their size beyond the network's arrays; "
                f"at most {MOST_MEMORY}: {verdict(met[-1])}"
            )
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
