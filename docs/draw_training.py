"""Draw docs/training.svg of a run: `backprop train --seed 0 --json run.json`, then this with run.json.

Needs matplotlib, which the library itself does not.
"""

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt

WINDOW = 50  # iterations that a point of the loss curve averages over


def draw(run: dict, file: Path) -> None:
    """Loss and accuracies of a run, side by side, as SVG."""
    history = run["history"]
    loss = history["loss"]
    smooth = [sum(loss[i : i + WINDOW]) / WINDOW for i in range(0, len(loss) - WINDOW + 1, WINDOW)]
    plt.rcParams.update(
        {"svg.hashsalt": "backprop", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
    left.semilogy([(i + 0.5) * WINDOW for i in range(len(smooth))], smooth, color="#c0392b", linewidth=1)
    left.set(title=f"loss, mean of {WINDOW} batches (nats)", xlabel="iteration")
    right.plot(history["iterations"], history["train_accuracy"], color="#2c3e50", label="training set")
    right.plot(
        history["iterations"], history["test_accuracy"], color="#2980b9", linestyle="--", label="test set"
    )
    final = history["test_accuracy"][-1]
    right.annotate(
        f"test {final:.4f}",
        (history["iterations"][-1], final),
        (0, -24),
        textcoords="offset points",
        ha="right",
    )
    right.set(title="accuracy", xlabel="iteration", ylim=(0.8, 1.0))
    right.legend(loc="lower right", frameon=False)
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(__file__).with_name("training.svg"))
