"""The model of two ranks on this machine: fitted to what was measured, and compared with it."""

import json
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.peers.report import Rows
from benchmarks.ranks.model import Compute, Link, line, parameters, ring

FILE = Path(__file__).parents[1] / "results" / "ranks-2-cores.json"


def measured() -> dict[str, Any]:
    """Return what `python -m benchmarks.ranks --json` has written on this machine."""
    return dict(json.loads(FILE.read_text(encoding="utf-8")))


def fitted(data: dict[str, Any]) -> tuple[Link, dict[int, Compute]]:
    """Return the link between two ranks of this machine, and the step of one by the hidden units."""
    points = [(4.0 * each["floats"], median(each["mean"])) for each in data["means"] if each["ranks"] == 2]
    start, slope = line(points)
    steps = {
        hidden: Compute(
            *line([(p["batch"], median(p["seconds"])) for p in data["compute"] if p["hidden"] == hidden])
        )
        for hidden in sorted({each["hidden"] for each in data["compute"]})
    }
    return Link(1 / slope, start / 2), steps


def off(predicted: float, found: float) -> str:
    return f"{predicted / found - 1:+.0%}".replace("-0%", "+0%")


def mean_rows(data: dict[str, Any]) -> Rows:
    link, _ = fitted(data)
    rows = []
    for each in (each for each in data["means"] if each["ranks"] == 2):
        found, predicted = median(each["mean"]), ring(4.0 * each["floats"], 2, link)
        rows.append(
            (f"{each['floats']:,}", f"{found * 1e6:,.1f}", f"{predicted * 1e6:,.1f}", off(predicted, found))
        )
    return rows


def step_rows(data: dict[str, Any]) -> Rows:
    link, steps = fitted(data)
    one = {
        (each["hidden"], each["batch"]): median(each["seconds"])
        for each in data["steps"]
        if each["ranks"] == 1
    }
    rows = []
    for each in data["steps"]:
        hidden, batch, ranks = (each[name] for name in ("hidden", "batch", "ranks"))
        size, found = 4.0 * parameters(hidden), median(each["seconds"])
        alone = steps[hidden](batch)
        predicted = steps[hidden](batch / ranks) + ring(size, ranks, link)
        ups = ("", "") if ranks == 1 else (f"{one[hidden, batch] / found:.2f}", f"{alone / predicted:.2f}")
        cells = f"{found * 1e3:,.2f}", f"{predicted * 1e3:,.2f}", off(predicted, found)
        rows.append((f"hidden {hidden}, batch {batch}", ranks, *cells, *ups))
    return rows
