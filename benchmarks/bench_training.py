"""The training step of 784-50-10 at batch 100: draw, gather, forward, backward, update."""

import numpy as np
import pytest

from backprop import TwoLayerNet
from backprop.optimizers import SGD
from backprop.training import SEGMENT, batch_loop

SAMPLES, BATCH = 60_000, 100  # as many samples as MNIST, since gathering depends on what the caches hold


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.random((SAMPLES, 784), dtype=np.float32), rng.integers(10, size=SAMPLES)


@pytest.mark.benchmark(group="training, 100 steps")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_step(timed, backend, data, dtype):
    net = TwoLayerNet(784, 50, 10, dtype=dtype, rng=0)
    x, labels = net.enter("train", *data)
    optimizer, rng = SGD(0.1), np.random.default_rng(1)

    run = batch_loop(net, optimizer, x, labels, BATCH, recompute_loss=False)

    # What `train` does between two looks at the losses; `train` itself would add its evaluations.
    def segment():
        batches = rng.integers(SAMPLES, size=(SEGMENT, BATCH))
        run(batches)()

    facts = {"network": "784-50-10", "batch": BATCH, "dtype": dtype, "steps": SEGMENT}
    timed(segment, rounds=21, **facts)
