"""The command `backprop train`: its options (settings.py), what they build, and what it prints."""

from backprop.cli.train.command import train

__all__ = ["train"]
