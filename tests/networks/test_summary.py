"""The summary of a network: its numbers, and a table that fits into 80 columns."""

import numpy as np
import pytest

from backprop import Sequential, TwoLayerNet
from backprop.layers import (
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    GlobalAveragePool2D,
    Layer,
    LayerNorm,
    MaxPool2D,
    ReLU,
)
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


def test_convolutional_networks(backend):
    """Filters count once for every place; a pooling has the size of its output and no parameters."""
    layers = [Conv2D(30, 5), ReLU(), MaxPool2D(2), Affine(100), ReLU(), Affine(10)]
    made = Sequential(layers, (1, 28, 28), rng=0, dtype="float32").summary()
    assert made.rows == (
        Row("Conv2D1", (30, 24, 24), 780, 750 * 24 * 24, 780 * 4),
        Row("ReLU1", (30, 24, 24), 0, 0, 0),
        Row("MaxPool2D1", (30, 12, 12), 0, 0, 0),
        Row("Affine1", (100,), 432_100, 432_000, 432_100 * 4),
        Row("ReLU2", (100,), 0, 0, 0),
        Row("Affine2", (10,), 1_010, 1_000, 1_010 * 4),
    )
    assert made.total == Row("total", (10,), 433_890, 432_000 + 433_000, 433_890 * 4)
    lines = str(made).splitlines()
    assert lines[2].split() == ["Conv2D1", "(30,", "24,", "24)", "780", "432,000", "3,120"]
    assert max(map(len, lines)) <= 80


def test_strides_padding_and_channels_in_a_summary():
    layers = [Conv2D(4, (3, 2), stride=2, padding=1), BatchNorm(), AveragePool2D(3, 1, 1), Conv2D(6, 1)]
    rows = Sequential([*layers, GlobalAveragePool2D()], (2, 9, 8), rng=0).summary().rows
    assert [row[1:4] for row in rows] == [
        ((4, 5, 5), 4 * 12 + 4, 4 * 12 * 25),
        ((4, 5, 5), 8, 0),
        ((4, 5, 5), 0, 0),
        ((6, 5, 5), 24 + 6, 24 * 25),
        ((6,), 0, 0),
    ]


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
