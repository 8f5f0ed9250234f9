"""Layers, one short file each, of two formulas: `compute` for the output, `derive` for the gradients."""

from backprop.layers.affine import Affine
from backprop.layers.average_pool2d import AveragePool2D
from backprop.layers.batch_norm import BatchNorm
from backprop.layers.conv2d import Conv2D
from backprop.layers.dropout import Dropout
from backprop.layers.flatten import Flatten
from backprop.layers.gelu import GELU
from backprop.layers.global_average_pool2d import GlobalAveragePool2D
from backprop.layers.layer import Layer
from backprop.layers.layer_norm import LayerNorm
from backprop.layers.leaky_relu import LeakyReLU
from backprop.layers.max_pool2d import MaxPool2D
from backprop.layers.relu import ReLU
from backprop.layers.sigmoid import Sigmoid
from backprop.layers.softmax import Softmax
from backprop.layers.tanh import Tanh
from backprop.losses.softmax_cross_entropy import SoftmaxCrossEntropy

__all__ = [
    "Affine",
    "AveragePool2D",
    "BatchNorm",
    "Conv2D",
    "Dropout",
    "Flatten",
    "GELU",
    "GlobalAveragePool2D",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "MaxPool2D",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Tanh",
]
