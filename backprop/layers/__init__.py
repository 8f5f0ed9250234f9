"""Layers: one short file each, every one with a `forward` and a `backward`."""

from backprop.layers.affine import Affine
from backprop.layers.relu import ReLU
from backprop.layers.sigmoid import Sigmoid
from backprop.layers.softmax_cross_entropy import SoftmaxCrossEntropy

__all__ = ["Affine", "ReLU", "Sigmoid", "SoftmaxCrossEntropy"]
