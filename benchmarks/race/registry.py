"""The racers by name, and those that can run here."""

from benchmarks.peers.registry import why_missing
from benchmarks.race.ours import Ours
from benchmarks.race.pytorch import Eager
from benchmarks.race.racer import Racer
from benchmarks.race.with_jax import Scan

RACERS: dict[str, type[Racer]] = {racer.name: racer for racer in (Ours, Eager, Scan)}


def installed(racers: dict[str, type[Racer]]) -> dict[str, type[Racer]]:
    """Return the racers that can run here."""
    return {name: racer for name, racer in racers.items() if why_missing(racer) is None}
