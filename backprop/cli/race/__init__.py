"""`backprop race`: its options (command.py), the statistics (result.py), its lines (report.py), a picture."""

from backprop.cli.race.command import race

__all__ = ["race"]
