"""`backprop race`: the settings (`recipes`), the runs (`runs`), their statistics and output, a picture."""

from backprop.cli.race.command import race

__all__ = ["race"]
