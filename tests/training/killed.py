"""A run that may be killed at any moment: it goes on from its checkpoints, and writes what it ended in."""

import json
import sys

import numpy as np

from backprop import Sequential, to_numpy, train
from backprop.layers import Affine, BatchNorm, Dropout, ReLU
from backprop.optimizers import Adam, OneCycle

OPTIONS = {
    "draw": {"shuffle": "draw"},
    "epochs": {"shuffle": "epochs"},
    "patience": {"shuffle": "epochs", "validation": 0.2, "patience": 50},
    "MT19937": {"shuffle": "draw"},
}


def run(name, checkpoint=None, iterations=600, **more):
    """Train with a bit of everything; return network, optimizer, generator and history."""
    data = np.random.default_rng(0)
    x, t = data.normal(size=(500, 20)), data.integers(4, size=500)
    net = Sequential([Affine(16), BatchNorm(), ReLU(), Dropout(0.2), Affine(4)], 20, rng=3)
    optimizer = Adam(0.01, weight_decay=1e-3, clip=2.0)
    rng = np.random.Generator((np.random.MT19937 if name == "MT19937" else np.random.PCG64)(5))
    options = {"rng": rng, "evaluate_every": 40, "batch_size": 33, "schedule": OneCycle(), **OPTIONS[name]}
    if checkpoint is not None:
        options = {"checkpoint": checkpoint, "checkpoint_every": 7, "resume": True, **options}
    history = train(
        net, x, t, x[:100], t[:100], iterations=iterations, optimizer=optimizer, **{**options, **more}
    )
    return net, optimizer, options["rng"], history


def ending(net, optimizer, rng, history):
    """Return all that a run ended in, as text: numbers as their bits."""
    arrays = {"w": net.params.flat, "optimizer": optimizer.state.flat, **net.state}
    bits = {name: to_numpy(array).tobytes().hex() for name, array in arrays.items()}
    record = {name: value for name, value in vars(history).items() if "seconds" not in name}
    record.pop("resumed_at")
    return json.dumps([bits, record, repr(rng.bit_generator.state)])


if __name__ == "__main__":
    name, folder, result = sys.argv[1:]
    text = ending(*run(name, folder))
    with open(result, "w") as file:
        file.write(text)
