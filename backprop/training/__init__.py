"""Training: the loop, what it recorded, its steps, and what the first of them costs."""

from backprop.training.batches import SEGMENT, batch_loop
from backprop.training.history import History
from backprop.training.loop import ITERATIONS, train
from backprop.training.warming_up import warmup

__all__ = ["ITERATIONS", "SEGMENT", "History", "batch_loop", "train", "warmup"]
