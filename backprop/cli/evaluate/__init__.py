"""The command `backprop evaluate`: what a trained network gets right, and what it takes for what."""

from backprop.cli.evaluate.command import evaluate

__all__ = ["evaluate"]
