"""The command `backprop predict`: what a trained network takes pictures for."""

from backprop.cli.predict.command import predict

__all__ = ["predict"]
