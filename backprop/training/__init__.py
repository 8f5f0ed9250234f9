"""Training: one step (step.py), the loop around it (loop.py), its arguments and parts, and its record."""

from backends.communicators import Alone, Communicator, Mpi, Nccl, RankFailed
from backprop.training.arguments import ITERATIONS
from backprop.training.history import Diverged, History
from backprop.training.rate_range import LearningRateRange, learning_rate_range
from backprop.training.step import SEGMENT, Trainer
from backprop.training.train import train
from backprop.training.warmup import warmup

__all__ = ["ITERATIONS", "SEGMENT", "Diverged", "History", "Trainer", "train", "warmup"]
__all__ += ["LearningRateRange", "learning_rate_range"]
__all__ += ["Alone", "Communicator", "Mpi", "Nccl", "RankFailed"]
