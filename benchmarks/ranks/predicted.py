"""The model of a cluster of GPUs: predictions from one of them, at a fixed batch and at a growing one."""

from benchmarks.peers.report import Rows
from benchmarks.ranks.model import BIG, BIG_TF32, SMALL, cluster, of_gpu, overlapped, parameters

COUNTS = (1, 8, 64, 1000)
GPU_STEPS = (
    ("784-50-10, batch 100", 50, SMALL),
    ("hidden 4096, batch 8192, float32", 4096, BIG),
    ("hidden 4096, batch 8192, TF32", 4096, BIG_TF32),
)


def gpu_rows(weak: bool) -> Rows:
    """Return a row per network and number of GPUs.  weak: the batch grows with their number."""
    rows: Rows = []
    for name, hidden, point in GPU_STEPS:
        compute, size, batch = of_gpu(hidden, point), 4.0 * parameters(hidden), point[0]
        for gpus in COUNTS:
            share = batch if weak else batch / gpus
            if share < 1:
                rows.append((name, f"{gpus:,}", "-", "-", "-", "fewer samples than GPUs"))
                continue
            own, sent = compute(share), cluster(size, gpus)
            gain = gpus * share / batch * compute(batch) / (own + sent)
            cells = (f"{each * 1e6:,.1f}" for each in (own, sent, own + sent))
            rows.append((name, f"{gpus:,}", *cells, f"{gain:,.2f}"))
    return rows


def bucket_rows() -> Rows:
    """Return what a bucket per layer, sent during backward, would save at a fixed batch.

    The shares of a step are those of its multiply-adds. The first layer of 784-4096-10, whose gradient comes
    last, has nearly all weights. The other network has as many weights and as much work in ten equal layers.
    """
    rows: Rows = []
    size, compute = 4.0 * parameters(4096), of_gpu(4096, BIG)
    last, first, every = 20, 784, 784 + 10 + 784 + 20
    early = 4.0 * (4096 * 10 + 10)
    forms = {
        "784-4096-10": [(early, last / every), (size - early, first / every)],
        "ten equal layers": [(size / 10, 2 / 3 / 10)] * 10,
    }
    for name, buckets in forms.items():
        for gpus in COUNTS[1:]:
            own, sent = compute(BIG[0] / gpus), cluster(size, gpus)
            work = own - compute.fixed
            left = overlapped([(each, share * work) for each, share in buckets], gpus)
            cells = (f"{each * 1e6:,.1f}" for each in (work, sent, left, sent - left))
            rows.append((name, f"{gpus:,}", *cells, f"{(sent - left) / (own + sent):+.0%}"))
    return rows
