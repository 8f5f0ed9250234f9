"""`backprop bench`: what it times (`gradients`, `training`, `job`), how much of it, and how it is shown."""

from backprop.cli.bench.command import bench

__all__ = ["bench"]
