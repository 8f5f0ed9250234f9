"""A training run for tests on several ranks: `python ranked_training.py RESULT CASE`; rank 0 writes RESULT.

Faults are planted by the environment: FAULT=raise, kill, stop, other-data, other-rate or drift, and
RANK_AT_FAULT.
"""

import os
import signal
import sys
import time

import numpy as np

from backprop import Sequential, train
from backprop.layers import Affine, BatchNorm, Dropout, ReLU
from backprop.optimizers import SGD, Adam, Momentum
from backprop.training import Mpi

OPTIMIZERS = {"sgd": lambda: SGD(0.1), "momentum": lambda: Momentum(0.05), "adam": lambda: Adam(0.003)}
FAULT = os.environ.get("FAULT")


class Own(Sequential):
    """A network whose gradient and loss are overridden."""

    def gradient(self, x, t):
        return super().gradient(x, t)

    def loss(self, x, t):
        return super().loss(x, t)


def data(dtype):
    """Samples that can be learnt, and their labels."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(403, 20)).astype(dtype)
    return x, np.argmax(x @ rng.normal(size=(20, 5)), axis=1)


def network(case, dtype):
    """Return a network with Dropout, and what the case adds."""
    layers = [Affine(30), ReLU(), Dropout(0.3), Affine(5)]
    if "norm" in case:
        layers.insert(1, BatchNorm(synchronized="sync" in case))
    seed = None if "unseeded" in case else 1
    return (Own if "own" in case else Sequential)(layers, 20, rng=seed, dtype=dtype)


def main(result, case, *options):
    """Train, and write what came of it."""
    communicator = Mpi(timeout=float(os.environ.get("TIMEOUT", "60")))
    is_faulty = FAULT and communicator.rank == int(os.environ["RANK_AT_FAULT"])
    dtype = "float64" if "float64" in case else "float32"
    name = next((name for name in OPTIMIZERS if name in case), "sgd")
    x, t = data(dtype)
    if is_faulty and FAULT == "other-data":
        x[7, 3] += 1
    net, optimizer, seen = network(case, dtype), OPTIMIZERS[name](), []
    if is_faulty and FAULT == "other-rate":
        optimizer.learning_rate *= 2

    def callback(history):
        seen.append(len(history.loss))
        if is_faulty and len(history.loss) >= 40:
            if FAULT == "raise":
                raise LookupError("planted by the test")
            if FAULT == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if FAULT == "stop":
                time.sleep(1000)
            if FAULT == "drift":
                net.params["b1"][...] += 1e-6
        return "stopped" in case and communicator.rank == communicator.size - 1 and len(history.loss) >= 60

    given = {"checkpoint": options[0], "checkpoint_every": 20} if options else {}
    history = train(
        net,
        x,
        t,
        x[:101],
        t[:101],
        iterations=int(options[1]) if len(options) > 1 else 100,
        batch_size=48,
        optimizer=optimizer,
        rng=None if "unseeded" in case else 3,
        evaluate_every=20,
        shuffle="epochs" if "epochs" in case else "draw",
        validation=0.2 if "held" in case else None,
        patience=50 if "held" in case else None,
        recompute_loss="recompute" in case,
        callback=callback,
        resume="resume" in case,
        communicator=communicator,
        **given,
    )
    firsts = [array.tolist() for name, array in net.state.items() if "first_row" in name]
    everyone = communicator.gather((net.params.flat.tobytes(), history.loss, firsts, seen))
    assert all(one == everyone[0] for one in everyone), "the ranks differ"
    assert not any(map(any, firsts)), "first_row is left behind"
    if communicator.rank == 0:
        state = {name: array for name, array in net.state.items() if "running" in name}
        lists = {name: value for name, value in vars(history).items() if isinstance(value, list)}
        np.savez(result, params=net.params.flat, stopped=history.stopped, **lists, **state)


if __name__ == "__main__":
    main(*sys.argv[1:])
