"""The picture of a race: seconds and accuracy of each seed, with the mean and the target."""

from collections.abc import Sequence
from pathlib import Path

from backprop.cli.bench.plan import three_digits
from backprop.cli.race.result import Result
from backprop.plots.canvas import COLOURS, INK, new_figure, save, style

SIZE = 6.4, 3.8  # inches


def draw(result: Result, title: Sequence[str], file: Path) -> None:
    """Draw one point per run, in the format of the file's suffix.  title: lines."""
    figure = new_figure("race", (SIZE[0], SIZE[1] + 0.2 * len(title)), title)
    panel = figure.subplots()
    style(panel)
    seconds = [each.seconds for each in result.finishes]
    accuracies = [100 * each.accuracy for each in result.finishes]
    panel.scatter(seconds, accuracies, s=22, color=COLOURS[0], alpha=0.7, linewidths=0)
    words = f"mean {result.mean_in_percent}"
    panel.axhline(100 * result.mean, color=COLOURS[0], linewidth=1.3, label=words)
    if result.is_mnist:
        words = f"target {result.target} %"
        panel.axhline(result.target, color=COLOURS[1], linewidth=1.3, linestyle="--", label=words)
    words = f"median {three_digits(result.seconds)} s"
    panel.axvline(result.seconds, color=COLOURS[0], linewidth=1.0, linestyle=":", label=words)
    panel.margins(x=0.08, y=0.14)
    panel.set_xlabel("seconds of training", fontsize=9, color=INK)
    panel.set_ylabel("test accuracy (%)", fontsize=9, color=INK)
    panel.legend(frameon=False, fontsize=8, labelcolor=INK, loc="best")
    save(figure, file)
