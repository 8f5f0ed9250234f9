"""`backprop bench`: what it times (`gradients`, `training`, `job`), the sizes (`plan`), and the output."""

from backprop.cli.bench.command import bench

__all__ = ["bench"]
