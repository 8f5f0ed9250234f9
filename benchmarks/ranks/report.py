"""The measurements as tables, beside the targets."""

from statistics import median
from typing import Any

from benchmarks.peers.report import Line, Rows, at_most

SPEED_UP = {(4096, 1000, 2): 1.6}  # at least, by hidden, batch and ranks
COST_AT, COST = (39_760, 3_256_330), 1.2  # floats of the two networks; at most so much of the bare call

STEP_HEADER = ("", "ranks", "ms a step", "samples a second", "speed-up")
MEAN_HEADER = ("floats", "ranks", "mean, µs", "bare call, µs", "ratio")


def spread(values: list[float], scale: float = 1.0, digits: int = 2) -> str:
    """Return the median and, in brackets, the range."""
    middle, low, high = (f"{scale * f(values):,.{digits}f}" for f in (median, min, max))
    return f"{middle} ({low} to {high})"


def speed_ups(timed: list[dict[str, Any]]) -> dict[tuple[int, int, int], list[float]]:
    """Return by hidden, batch and ranks the time on one rank / that on K, in each round."""
    one = {(each["hidden"], each["batch"]): each["seconds"] for each in timed if each["ranks"] == 1}
    found = {}
    for each in timed:
        pairs = zip(one[each["hidden"], each["batch"]], each["seconds"], strict=True)
        found[each["hidden"], each["batch"], each["ranks"]] = [alone / own for alone, own in pairs]
    return found


def step_rows(timed: list[dict[str, Any]]) -> Rows:
    ratios, rows = speed_ups(timed), []
    for each in timed:
        hidden, batch, ranks = key = each["hidden"], each["batch"], each["ranks"]
        speed = [batch / seconds for seconds in each["seconds"]]
        cell = spread(ratios[key]) if ranks > 1 else "1"
        what = f"hidden {hidden}, batch {batch}"
        rows.append((what, ranks, spread(each["seconds"], 1e3), spread(speed, digits=0), cell))
    return rows


def cost(each: dict[str, Any]) -> list[float]:
    """Return the time of the communicator's mean / that of the bare call, in each round."""
    return [mine / bare for mine, bare in zip(each["mean"], each["allreduce"], strict=True)]


def mean_rows(taken: list[dict[str, Any]]) -> Rows:
    return [
        (
            f"{each['floats']:,}",
            each["ranks"],
            spread(each["mean"], 1e6, 1),
            spread(each["allreduce"], 1e6, 1),
            spread(cost(each)),
        )
        for each in taken
    ]


def lines(timed: list[dict[str, Any]], taken: list[dict[str, Any]]) -> list[Line]:
    """Return what was wanted, beside what was measured; "-" where nothing was asked for."""
    found = []
    for (hidden, batch, ranks), rounds in speed_ups(timed).items():
        if ranks > 1:
            what = f"hidden {hidden}, batch {batch}: speed-up of {ranks} ranks"
            limit, measured = SPEED_UP.get((hidden, batch, ranks)), median(rounds)
            verdict = "" if limit is None else "met" if measured >= limit else "MISSED"
            wanted = "-" if limit is None else f"at least {limit:.2f}"
            found.append(Line(what, wanted, measured, rounds, verdict))
    for each in taken:
        if each["floats"] in COST_AT:
            what = f"the mean of {each['floats']:,} floats over {each['ranks']} ranks / MPI's bare call"
            found += at_most(what, cost(each), COST)
    return found
