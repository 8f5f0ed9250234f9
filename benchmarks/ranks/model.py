"""A model of the step's time on K processes: T(K) = compute(B / K) + all-reduce(bytes, K) - overlap.

`python -m benchmarks.ranks.model` prints its tables. For processes of this machine it is fitted to times and
compared with others; for GPUs it predicts, from one GPU and assumptions. Times are in seconds.
"""

import argparse
from collections.abc import Sequence
from math import ceil, log2
from typing import NamedTuple


class Link(NamedTuple):
    """Messages between two neighbours: bytes per second each way, and seconds that each takes besides."""

    bandwidth: float
    latency: float


class Compute(NamedTuple):
    """A step of one process: what does not shrink with its batch, and seconds per sample."""

    fixed: float
    per_sample: float

    def __call__(self, batch: float) -> float:
        return self.fixed + self.per_sample * batch


# Assumptions: NVLink of an H200, 900 GB/s both ways together; InfiniBand NDR, 400 Gb/s per GPU. The latencies
# are those by which NCCL chooses its algorithms (low-latency protocol, src/graph/tuning.cc).
NVLINK, INFINIBAND, NCCL_CALL, GPUS = Link(450e9, 0.6e-6), Link(50e9, 5e-6), 6.8e-6, 8
# Measured on one H200: batch and seconds of a step; an empty node of a graph.  NODES of a step: a guess.
SMALL, BIG, BIG_TF32 = (100, 19.9e-6), (8192, 2.879e-3), (8192, 0.892e-3)
NODE, NODES, MEMORY = 0.5e-6, 10, 4.8e12  # MEMORY: bytes per second, from the data sheet


def parameters(hidden: int) -> int:
    """Return the parameters of 784-hidden-10."""
    return 784 * hidden + hidden + hidden * 10 + 10


def ring(size: float, ranks: int, link: Link) -> float:
    """Return the time of an all-reduce in a ring: 2 (K - 1) messages of a K-th of the bytes."""
    return 2 * (ranks - 1) * (size / ranks / link.bandwidth + link.latency)


def tree(size: float, ranks: int, link: Link) -> float:
    """Return that of a pipelined tree: all bytes up and down, the latencies of its depth."""
    return 2 * size / link.bandwidth + 2 * ceil(log2(ranks)) * link.latency


def cluster(size: float, gpus: int) -> float:
    """Return that of GPUs in nodes of eight: within each node, then an eighth per GPU between the nodes."""
    inside, nodes = min(gpus, GPUS), ceil(gpus / GPUS)
    within = min(ring(size, inside, NVLINK), tree(size, inside, NVLINK))
    share = size / inside
    between = min(ring(share, nodes, INFINIBAND), tree(share, nodes, INFINIBAND)) if nodes > 1 else 0.0
    return NCCL_CALL + within + between if gpus > 1 else 0.0


def of_gpu(hidden: int, measured: tuple[int, float]) -> Compute:
    """Return the step of a GPU: its nodes and the update stay, all the rest is in proportion to the batch.

    The update moves 12 bytes per weight. That all the rest shrinks favours many GPUs.
    """
    batch, seconds = measured
    fixed = NODES * NODE + 12 * parameters(hidden) / MEMORY
    return Compute(fixed, (seconds - fixed) / batch)


def overlapped(buckets: Sequence[tuple[float, float]], gpus: int) -> float:
    """Return what is left of the all-reduce behind backward if each bucket is sent as soon as it is there.

    buckets: bytes, and seconds of backward that compute them, in the order of backward.
    """
    ready = end = 0.0
    for size, backward in buckets:
        ready += backward
        end = max(ready, end) + cluster(size, gpus)
    return end - ready


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return a and b of y = a + b x with the least sum of squared relative errors; neither is below 0."""
    w, x, y = zip(*((1 / y**2, x, y) for x, y in points), strict=True)
    s, sx, sy = sum(w), *(sum(a * b for a, b in zip(w, each, strict=True)) for each in (x, y))
    sxx, sxy = (sum(a * b * c for a, b, c in zip(w, x, each, strict=True)) for each in (x, y))
    slope = max(0.0, (s * sxy - sx * sy) / (s * sxx - sx**2))
    if (start := (sy - slope * sx) / s) < 0:
        return 0.0, sxy / sxx
    return start, slope


if __name__ == "__main__":
    from benchmarks.ranks.tables import show

    parser = argparse.ArgumentParser(prog="python -m benchmarks.ranks.model")
    parser.add_argument("--markdown", action="store_true")
    print(show(parser.parse_args().markdown), end="")
