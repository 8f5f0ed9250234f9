"""Training: one step (step.py), the loop around it (train.py), its record (history.py), and warming up."""

from backprop.training.history import Diverged, History
from backprop.training.step import SEGMENT, Trainer
from backprop.training.train import ITERATIONS, train
from backprop.training.warmup import warmup

__all__ = ["ITERATIONS", "SEGMENT", "Diverged", "History", "Trainer", "train", "warmup"]
