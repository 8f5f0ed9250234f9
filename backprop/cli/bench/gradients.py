"""Backpropagation against the numerical gradient: compared first, then timed."""

import math
import time
from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any

import backprop
from backends import Array, Backend
from backprop.arrays.initializers import generator
from backprop.cli.bench.plan import Disagreement, Plan, Row, repeat
from backprop.cli.blas import blas_threads, threads_in_force
from backprop.reporting.timing import Work, in_turns

BATCH = 3
LIMITS = {"central": 1e-7, "complex": 1e-12}  # largest difference allowed in any entry
SLOW = 1.0  # seconds; a slower call is timed once


def gradients(plan: Plan, sizes: tuple[int, int, int], backends: Sequence[Backend], seed: int) -> list[Row]:
    """Time `gradient` and `numerical_gradient` of a network: a row per backend and method.

    float64, 3 samples. Raises Disagreement if the two gradients differ.
    """
    rng, network = generator(seed), "-".join(map(str, sizes))
    x, t = rng.random((BATCH, sizes[0])), rng.integers(sizes[-1], size=BATCH)
    works: dict[str, Work] = {}
    single: dict[str, list[float]] = {}
    rows: list[Row] = []
    with blas_threads(BATCH * sizes[0] * sizes[1]):
        for backend in backends:
            net = backprop.TwoLayerNet(*sizes, dtype="float64", rng=seed, backend=backend)
            data = backend.asarray(x), backend.asarray(t)
            gradient = net.gradient(*data)
            works[backend.name] = repeat(backend, partial(net.gradient, *data))
            for method in LIMITS:
                numerical = partial(net.numerical_gradient, *data, method=method)
                found, seconds = _call(backend, numerical)
                name = _numerical(backend.name, method)
                if seconds < SLOW:
                    works[name] = repeat(backend, numerical)
                else:
                    single[name] = [seconds]
                difference = _largest_difference(backend, gradient, found)
                _require_small(difference, f"{network} on {backend.name}", method)
                rows.append({"backend": backend.name, "method": method, "largest_difference": difference})
        threads = threads_in_force()
        rounds = in_turns(works, rounds=plan.rounds, block=plan.block).seconds | single
    of_case = {"network": network, "batch": BATCH, "dtype": "float64", "blas_threads": threads}
    reference = backends[0].name
    return [of_case | row | _times(rounds, row["backend"], row["method"], reference) for row in rows]


def _times(rounds: dict[str, list[float]], backend: str, method: str, reference: str) -> Row:
    numerical = rounds[_numerical(backend, method)]
    return {
        "backprop_seconds": median(rounds[backend]),
        "numerical_seconds": median(numerical),
        "ratio": median(numerical) / median(rounds[backend]),
        "backprop_of_reference": median(rounds[backend]) / median(rounds[reference]),
        "numerical_of_reference": median(numerical) / median(rounds[_numerical(reference, method)]),
        "rounds": {"backprop": rounds[backend], "numerical": numerical},
    }


def _numerical(backend: str, method: str) -> str:
    return f"{backend}, {method}"


def _call(backend: Backend, function: Any) -> tuple[Any, float]:
    """Return the result of a call, and the seconds until the device has finished."""
    start = time.perf_counter()
    result = function()
    backend.synchronize()
    return result, time.perf_counter() - start


def _largest_difference(backend: Backend, one: dict[str, Array], other: dict[str, Array]) -> float:
    pairs = [(backend.to_numpy(one[name]), backend.to_numpy(other[name])) for name in one]
    differences = [float(abs(mine - theirs).max()) for mine, theirs in pairs]
    return max(differences, key=lambda value: (math.isnan(value), value))  # max alone may skip a NaN


def _require_small(difference: float, where: str, method: str) -> None:
    if not difference <= LIMITS[method]:  # True for NaN as well
        cure = "; a kink of ReLU can cause this: try another --seed" if method == "central" else ""
        raise Disagreement(
            f"{where}: backpropagation and the numerical gradient (method {method}) differ by "
            f"{difference:.1e}, at most {LIMITS[method]:.0e} allowed{cure}"
        )
