"""Train the same network on the GPU and on the CPU, and compare the time of a step.

Without CuPy or without a CUDA GPU it says why, and trains on NumPy alone.

    python gpu.py
"""

import argparse
import textwrap

import backprop

parser = argparse.ArgumentParser(description="Train the same network on the GPU and on the CPU.")
parser.add_argument("--iterations", type=int, default=2000, help="steps to train, 2,000 by default")
options = parser.parse_args()

try:
    backprop.get_backend("cupy")
    names = ["cupy", "numpy"]
    print("Training on the GPU by CuPy, then on the CPU by NumPy.")
except RuntimeError as error:  # CuPy is missing or finds no GPU; the message says what to do
    names = ["numpy"]
    print("Training on the CPU by NumPy only:")
    print(textwrap.fill(str(error), 80, break_on_hyphens=False))

(x_train, t_train), (x_test, t_test) = backprop.load_mnist_sample()
microseconds = {}
for name in names:
    # The seed gives the same weights and batches on both. `train` moves the data to the network's device.
    net = backprop.TwoLayerNet(784, 50, 10, rng=0, backend=name)
    settings = {"iterations": options.iterations, "evaluate_every": None, "rng": 0}
    history = backprop.train(net, x_train, t_train, **settings)
    microseconds[name] = history.seconds / options.iterations * 1e6
    accuracy = net.accuracy(x_test, t_test)
    device = net.backend.device()
    print(f"{name} on {device}: {microseconds[name]:.0f} µs per step, test accuracy {accuracy:.4f}")
    if name == "cupy":
        how = history.loop  # "captured" as a CUDA graph, or "eager: " and why not

if "cupy" in microseconds:
    ratio = microseconds["numpy"] / microseconds["cupy"]
    print(f"One step takes the CPU {ratio:.1f} times as long as the GPU.")
    print(f"Steps on the GPU: {how}.")
    on_host = net.to("numpy")  # a copy, to save it or to go on without the GPU
