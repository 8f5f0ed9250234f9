"""The summary of a network: its numbers, and a table that fits into 80 columns."""

import numpy as np
import pytest

from backprop import Sequential, TwoLayerNet
from backprop.layers import Affine, BatchNorm, Layer, LayerNorm, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.networks.summary import Row


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("float64", 8)])
def test_every_row_and_the_totals(backend, dtype, size):
    net = Sequential([Affine(50), BatchNorm(), ReLU(), Affine(10)], (28, 28), rng=0, dtype=dtype)
    made = net.summary()
    assert made.rows == (
        Row("Affine1", (50,), 39_250, 39_200, 39_250 * size),
        Row("BatchNorm1", (50,), 100, 0, 100 * size),
        Row("ReLU1", (50,), 0, 0, 0),
        Row("Affine2", (10,), 510, 500, 510 * size),
    )
    assert made.total == Row("total", (10,), 39_860, 39_700, 39_860 * size)
    assert made.total.parameters == net.params.flat.shape[0]
    assert [line.split()[0] for line in str(made).splitlines()] == [
        *("layer", "input", "Affine1", "BatchNorm1", "ReLU1", "Affine2", "total")
    ]
    assert repr(made) == str(made) == str(net.summary())


class Outer(Layer):
    """A layer that uses every weight three times."""

    def compute(self, xp, x, w):
        return x * w, (x, w)

    def derive(self, xp, dout, x, w):
        return dout * w, xp.sum(dout * x, axis=0)

    def multiply_adds(self, out_shape):
        return 3 * out_shape[0]


class Book:
    """A layer of the book."""

    def __init__(self):
        self.W, self.dW = np.eye(4, dtype="float32"), None

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


def test_layers_of_users_count_too():
    net = Network(
        [Outer(w=np.ones(4, "float32")), Book(), Affine(2)], SoftmaxCrossEntropy(), 4, backend="numpy"
    )
    assert [row[1:4] for row in net.summary().rows] == [((4,), 4, 12), ((4,), 16, 16), ((2,), 10, 8)]


def test_wide_characters_take_two_columns():
    net = Sequential({"全結合": Affine(3), "out": Affine(2)}, 4, rng=0)
    table, printed = str(net.summary()).splitlines(), repr(net).splitlines()
    assert table[2].index("(3,)") + 3 == table[3].index("(2,)")
    assert printed[1].index("Affine(4") + 3 == printed[2].index("Affine(3")


def test_gains_of_a_normalization_are_no_weights():
    rows = Sequential([LayerNorm(), Affine(2)], (3, 4), rng=0).summary().rows
    assert [row[2:4] for row in rows] == [(24, 0), (26, 24)]


def test_long_names_and_large_numbers_fit():
    layers = {"a_layer_with_a_long_name_" * 4: Affine(3000), "b": ReLU(), "c" * 200: Affine(5)}
    lines = str(Sequential(layers, (10, 10, 10)).summary()).splitlines()
    assert max(map(len, lines)) <= 80 and lines[-1].split() == [
        "total",
        "3,018,005",
        "3,015,000",
        "12,072,020",
    ]
    assert max(map(len, str(Sequential([Affine(2)], (1,) * 40).summary()).splitlines())) <= 80
    assert "a_layer_with" in lines[2] and "…" in lines[2]


def test_networks_of_every_kind_have_one():
    assert TwoLayerNet(4, 3, 2).summary().total == Row("total", (2,), 23, 18, 92)
