"""The targets: speed, and agreement, without which no speed counts."""

from typing import NamedTuple

import numpy as np

from benchmarks.gpu_report.readings import (
    BLACK_BOX,
    CAPTURED,
    COLUMNS,
    EAGER,
    GRAPH,
    NUMPY,
    PYTORCH,
    SCAN,
    Values,
    fact,
    off_accuracy,
    off_losses,
    off_race,
    percent_right,
    time_of,
    times_slower,
)
from benchmarks.race.agreement import ACCURACY, WEIGHTS

# Limits on the distance of losses from NumPy's. Summing in another order makes a median difference of 2e-7,
# factors in TF32 one of 2e-6 or more. Products in TF32 are off by 1e-4, and a bias that is never updated by
# more. But one input of a ReLU that rounds to the other side of 0 moves later losses by 1e-4. In the big
# step, a b2 that is not updated moves the second loss by 5e-5.
LOSSES = {"median": (np.median, 1e-6), "largest": (np.max, 1e-3)}
FIRST_TWO, FIRST_CONVOLUTIONS, POINTS = 2e-6, 1e-4, 0.2
CONVOLUTIONAL = "SimpleConvNet", "DeepConvNet"
METHODS = {"central": 1e-7, "complex": 1e-13}  # largest difference from backpropagation


def numerical_name(way: str, method: str) -> str:
    """Return the name of a numerical gradient's rows."""
    return f"{way}, {method}, CUB off"  # see groups.py


DIFFERENCES = {
    numerical_name(way, method): limit for way in (BLACK_BOX, COLUMNS) for method, limit in METHODS.items()
}


RACERS = {CAPTURED: "race", PYTORCH: "race-pytorch", GRAPH: "race-pytorch", SCAN: "race-jax"}  # groups


class Target(NamedTuple):
    """A target.

    needs: the rows that it is computed from, as (group, name).
    holds: True if missing it means wrong results, not slow ones.
    """

    what: str
    unit: str
    limit: float
    values: Values
    needs: tuple[tuple[str, str], ...]
    at_least: bool = False
    holds: bool = False

    @property
    def wanted(self) -> str:
        bound = "≥" if self.at_least else "≤"
        return f"{bound} {self.limit:g} {self.unit}".rstrip()

    def is_met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit  # both false for NaN


def _speed() -> list[Target]:
    ours, big = ("ours", CAPTURED), ("big", "ours, float32")
    race = ("race", CAPTURED)
    return [
        Target("race to 97 %", "s", 0.02, time_of("race", CAPTURED), (race,)),
        Target("race to 97 %: accuracy", "%", 97.0, percent_right(CAPTURED), (race,), True),
        *(
            Target(f"race: {name} / ours", "x", limit, times_slower("race", name, CAPTURED), needs, True)
            for name, limit in ((PYTORCH, 2.5), (GRAPH, 1.2), (SCAN, 1.0))
            for needs in (((RACERS[name], name), race),)
        ),
        *(
            # Not in a rehearsal: over few steps, PyTorch's rule of momentum is not that of the book.
            Target(f"race, {name}: accuracy off", "points", 100 * ACCURACY, off_race(name), needs)
            for name in (PYTORCH, GRAPH, SCAN)
            for needs in (((RACERS[name], name), race),)
        ),
        Target("job, captured", "s", 0.35, time_of("job", CAPTURED), (ours,)),
        Target("job, captured: the stretch", "s", 0.12, time_of("job", CAPTURED), (ours,)),
        *(
            Target(f"job: {name} / captured", "x", limit, times_slower("job", name, CAPTURED), needs, True)
            for name, limit, needs in (
                (PYTORCH, 5.0, (("pytorch", PYTORCH), ours)),
                (GRAPH, 1.2, (("pytorch", GRAPH), ours)),
                (SCAN, 1.0, (("jax", SCAN), ours)),
            )
        ),
        Target(
            "big step, float32: ours / its products alone",
            "x",
            1.15,
            times_slower("big", "ours, float32", "products, float32"),
            (big, ("big", "products, float32")),
        ),
        Target(
            "big step, ours: float32 / TF32",
            "x",
            2.5,
            times_slower("big", "ours, float32", "ours, TF32"),
            (big, ("big", "ours, TF32")),
            at_least=True,
        ),
        *(
            Target(
                f"{net}: {name} / ours",
                "x",
                1.0,
                times_slower("convolution", f"{name}, {net}", f"{CAPTURED}, {net}"),
                (("convolution-pytorch", f"{name}, {net}"), ("convolution", f"{CAPTURED}, {net}")),
                at_least=True,
            )
            for net in CONVOLUTIONAL
            for name in (PYTORCH, GRAPH)
        ),
        Target("cold start", "s", 2.0, time_of("cold start", "ours"), (("cold", "ours"),)),
        *(
            Target(
                f"numerical, {name}",
                "s",
                0.1,
                time_of("numerical", name),
                (("numerical", name),),
            )
            for name in (numerical_name(COLUMNS, method) for method in METHODS)
        ),
    ]


def _agreement() -> list[Target]:
    numpy, targets = ("numpy", NUMPY), []
    for group, name in (
        ("ours", CAPTURED),
        ("ours", EAGER),
        ("pytorch", PYTORCH),
        ("pytorch", GRAPH),
        ("jax", SCAN),
    ):
        needs = ((group, name), numpy)
        targets += [
            *(
                Target(f"{name}: losses off, {which}", "", limit, off, needs, holds=True)
                for which, (by, limit) in LOSSES.items()
                for off in (off_losses("job", name, NUMPY, by=by),)
            ),
            Target(
                f"{name}: accuracy against NumPy's", "points", POINTS, off_accuracy(name), needs, holds=True
            ),
        ]
    for name, group in RACERS.items():
        needs = ((group, name),)
        off = fact("race", name, "off")
        targets.append(Target(f"race, {name}: first steps off", "", WEIGHTS, off, needs, holds=True))
    return [
        *targets,
        Target(
            "captured and eager: every loss",
            "",
            0.0,
            fact("difference", "ours, captured and eager", "value"),
            (("ours", CAPTURED), ("ours", EAGER)),
            holds=True,
        ),
        Target(
            "big step, float32: losses against NumPy's",
            "",
            FIRST_TWO,
            off_losses("big", "ours, float32", NUMPY, "big losses"),
            (("big", "ours, float32"), ("big", NUMPY)),
            holds=True,
        ),
        *(
            Target(
                f"{net}: losses against NumPy's",
                "",
                FIRST_CONVOLUTIONS,
                off_losses("convolution", f"{CAPTURED}, {net}", f"{NUMPY}, {net}", "convolution losses"),
                (("convolution", f"{CAPTURED}, {net}"), ("convolution", f"{NUMPY}, {net}")),
                holds=True,
            )
            for net in CONVOLUTIONAL
        ),
        *(
            Target(
                f"numerical, {name}: error",
                "",
                limit,
                fact("numerical", name, "difference"),
                (("numerical", name),),
                holds=True,
            )
            for name, limit in DIFFERENCES.items()
        ),
    ]


SPEED, AGREEMENT = _speed(), _agreement()
