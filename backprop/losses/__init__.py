"""Losses: layers with targets that return one loss per sample."""

from backprop.losses.loss import Loss
from backprop.losses.mean_squared_error import MeanSquaredError
from backprop.losses.sigmoid_binary_cross_entropy import SigmoidBinaryCrossEntropy
from backprop.losses.softmax_cross_entropy import SoftmaxCrossEntropy

__all__ = ["Loss", "MeanSquaredError", "SigmoidBinaryCrossEntropy", "SoftmaxCrossEntropy"]
