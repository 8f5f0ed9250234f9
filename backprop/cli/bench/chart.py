"""The chart of `backprop bench`: time per training step against width, with a panel per batch size.

Where the lines of two backends cross, the other one becomes faster. A single backend also gets a dashed line:
the time if the whole step ran at the GEMM peak, the rate of a large matrix product.
"""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from backprop.cli.bench.plan import Row, three_digits
from backprop.plots.canvas import COLOURS, INK, new_figure, save, style


def draw(rows: Sequence[Row], title: Sequence[str], file: Path) -> None:
    """Draw the rows of the training steps, in the format of the file's suffix.  title: lines."""
    batches = sorted({row["batch"] for row in rows})
    figure = new_figure("bench", (3.3 * len(batches) + 0.6, 3.7 + 0.2 * len(title)), title)
    figure.supxlabel("hidden units", fontsize=9, color=INK)
    panels = figure.subplots(1, len(batches), sharey=True, squeeze=False)[0]
    for panel, batch in zip(panels, batches, strict=True):
        panel.set_title(f"batch of {batch:,}", fontsize=10, color=INK)
        _draw_panel(panel, [row for row in rows if row["batch"] == batch])
    panels[0].set_ylabel("time per step (ms)", fontsize=9, color=INK)
    panels[0].legend(loc="upper left", frameon=False, fontsize=8, labelcolor=INK, handlelength=2.4)
    save(figure, file)


def _draw_panel(panel: Any, rows: Sequence[Row]) -> None:
    widths = sorted({row["hidden"] for row in rows})
    panel.set(xscale="log", yscale="log", xticks=widths, xticklabels=[f"{width:,}" for width in widths])
    panel.minorticks_off()
    panel.yaxis.set_major_formatter(lambda ms, _: f"{ms:,.10g}")
    style(panel)
    panel.margins(x=0.16, y=0.12)
    names = list(dict.fromkeys(row["backend"] for row in rows))
    for name, colour in zip(names, cycle(COLOURS), strict=False):
        mine = sorted((row for row in rows if row["backend"] == name), key=lambda row: row["hidden"])
        x, ms = [row["hidden"] for row in mine], [1e3 * row["seconds"] for row in mine]
        panel.plot(x, ms, "o-", color=colour, linewidth=1.8, markersize=4.5, label=name)
        if len(names) == 1:
            at_peak = [time * row["of_peak"] for time, row in zip(ms, mine, strict=True)]
            panel.plot(x, at_peak, "--", color=colour, linewidth=1, alpha=0.6, label="at the GEMM peak")
        for row, time in zip(mine, ms, strict=True):
            of_others = [other["seconds"] for other in rows if other["hidden"] == row["hidden"]]
            slowest = row["seconds"] == max(of_others)
            if slowest or row["seconds"] == min(of_others):
                panel.annotate(
                    three_digits(time),
                    (row["hidden"], time),
                    (0, 6 if slowest else -6),
                    textcoords="offset points",
                    ha="center",
                    va="bottom" if slowest else "top",
                    fontsize=8,
                    color=colour,
                )
