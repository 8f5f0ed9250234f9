"""The growth of a process by training: `python -m benchmarks.memory [--steps N]`, on Linux.

The data is loaded first. Then `train` runs for 1,000 iterations, in which all buffers are made, and twice for
the further steps. The first of these may grow by the losses that it records, 32 bytes each in a list; the
second finds that memory free again, so that nothing should be left to grow.
"""

import argparse
import sys
from pathlib import Path

FIRST, FURTHER = 1_000, 10_000
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident(peak: bool = False) -> float:
    """Return this process's resident memory, or its peak since `forget_peak`, in MiB, from Linux's /proc.

    getrusage would not do: Linux counts the peak of the parent process, too.
    """
    name = "VmHWM" if peak else "VmRSS"
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 2**10


def forget_peak() -> None:
    CLEAR.write_text("5")


def growth(steps: int, hidden: int, batch_size: int) -> list[tuple[str, float, float]]:
    """Print what each part of a training run added, and its peak above the start, in MiB."""
    from backprop import TwoLayerNet, train
    from benchmarks.peers.data import load

    data = load()
    net = TwoLayerNet(784, hidden, 10, rng=0)
    parts = []
    for count in (FIRST, steps, steps):
        forget_peak()
        before = resident()
        train(net, *data[:4], iterations=count, batch_size=batch_size, rng=0, recompute_loss=True)
        parts.append((f"{count:,} steps", resident() - before, resident(peak=True) - before))
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=FURTHER, help="further steps (%(default)s)")
    parser.add_argument("--hidden", type=int, default=50)
    parser.add_argument("--batch", type=int, default=100)
    arguments = parser.parse_args()
    if not STATUS.exists():
        sys.exit(f"benchmarks.memory: reads {STATUS}, which only Linux has")
    parts = growth(arguments.steps, arguments.hidden, arguments.batch)
    print(f"784-{arguments.hidden}-10, batch {arguments.batch}, after the data is loaded:")
    for part, kept, peak in parts:
        print(f"{part}: {kept:+.1f} MiB kept, {peak:+.1f} MiB at the peak")
    losses = arguments.steps * (sys.getsizeof(0.5) + 8) / 2**20
    print(f"the losses of {arguments.steps:,} steps take {losses:.1f} MiB")


if __name__ == "__main__":
    main()
