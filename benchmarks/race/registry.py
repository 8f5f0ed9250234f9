"""The racers by name."""

from benchmarks.race.ours import Ours
from benchmarks.race.pytorch import Eager
from benchmarks.race.racer import Racer
from benchmarks.race.with_jax import Scan

RACERS: dict[str, type[Racer]] = {racer.name: racer for racer in (Ours, Eager, Scan)}
