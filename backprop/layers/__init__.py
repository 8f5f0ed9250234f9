"""Layers, one short file each, of two formulas: `compute` for the output, `derive` for the gradients."""

from backprop.layers.affine import Affine
from backprop.layers.batch_norm import BatchNorm
from backprop.layers.layer import Layer
from backprop.layers.relu import ReLU
from backprop.layers.sigmoid import Sigmoid
from backprop.losses.softmax_cross_entropy import SoftmaxCrossEntropy

__all__ = ["Affine", "BatchNorm", "Layer", "ReLU", "Sigmoid", "SoftmaxCrossEntropy"]
