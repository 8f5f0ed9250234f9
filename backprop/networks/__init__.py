"""Networks: layers in a chain with a loss at its end."""

from backprop.networks.deep_conv_net import DeepConvNet
from backprop.networks.multi_layer_net import MultiLayerNet
from backprop.networks.network import Network
from backprop.networks.sequential import Sequential
from backprop.networks.simple_conv_net import SimpleConvNet
from backprop.networks.tensor_file import FileError
from backprop.networks.to_torch import to_torch
from backprop.networks.two_layer_net import TwoLayerNet

__all__ = [
    "DeepConvNet",
    "FileError",
    "MultiLayerNet",
    "Network",
    "Sequential",
    "SimpleConvNet",
    "TwoLayerNet",
    "to_torch",
]
