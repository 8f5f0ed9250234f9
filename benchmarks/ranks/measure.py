"""The measurements: one process and several in turns, the communicator alone, and points for the model."""

from typing import Any

from benchmarks.ranks.launch import run

CASES = ((50, 100), (512, 1000), (4096, 1000), (4096, 8192))  # hidden, batch of all ranks
SIZES = (1, 1000, 39_760, 3_256_330, 10_000_000)  # floats; two of them are those of networks
POINTS = {50: [10, 25, 50, 100], 512: [125, 250, 500, 1000], 4096: [125, 500, 1000, 2000, 4096]}
TOLERANCE = 1e-5  # of losses, relative
BLOCK, MEAN_BLOCK = 0.5, 0.1  # seconds


def agreement(ranks: int, hidden: int, batch: int) -> float:
    """Return how far the first losses of K ranks are from those of one; raise AssertionError if too far."""
    job = {"do": "train", "hidden": hidden, "batches": [batch], "block": 0}
    one, several = (run(each, job)["found"][0]["losses"] for each in (1, ranks))
    worst = max(abs(a - b) / abs(a) for a, b in zip(one, several, strict=True))
    assert worst <= TOLERANCE, f"{ranks} ranks, hidden {hidden}, batch {batch}: losses off by {worst:.0e}"
    return float(worst)


def steps(ranks: list[int], hidden: int, batch: int, rounds: int) -> list[dict[str, Any]]:
    """Return the seconds of a step on one rank and on K, from new processes in turns, in changing order."""
    job = {"do": "train", "hidden": hidden, "batches": [batch], "block": BLOCK}
    seconds: dict[int, list[float]] = {count: [] for count in (1, *ranks)}
    for number in range(rounds):
        for count in sorted(seconds, reverse=bool(number % 2)):
            seconds[count].append(run(count, job)["found"][0]["seconds"])
    return [
        {"hidden": hidden, "batch": batch, "ranks": count, "seconds": each} for count, each in seconds.items()
    ]


def means(ranks: int, rounds: int) -> list[dict[str, Any]]:
    """Return the seconds of the communicator's mean and of the bare call, at each size."""
    found = run(ranks, {"do": "mean", "sizes": SIZES, "rounds": rounds, "block": MEAN_BLOCK})["found"]
    return [{"ranks": ranks, **each} for each in found]


def compute(rounds: int) -> list[dict[str, Any]]:
    """Return the seconds of a step of one process at the batches that a rank may have."""
    found = []
    for hidden, batches in POINTS.items():
        job = {"do": "train", "hidden": hidden, "batches": batches, "block": BLOCK}
        turns = [run(1, job)["found"] for _ in range(rounds)]
        for each in zip(*turns, strict=True):
            seconds = [turn["seconds"] for turn in each]
            found.append({"hidden": hidden, "batch": each[0]["batch"], "seconds": seconds})
    return found
