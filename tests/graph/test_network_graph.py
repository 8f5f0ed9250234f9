"""A network as a picture: shapes, parameters and norms are right, and the network does not change."""

import math

import numpy as np
import pytest
from boxes import Drawn, faults

from backends import asarray, to_numpy
from backprop import Sequential, TwoLayerNet
from backprop.graph import network_graph
from backprop.graph.digits import shown
from backprop.layers import Affine, BatchNorm, Conv2D, Layer, MaxPool2D, ReLU, Sigmoid
from backprop.losses import MeanSquaredError, SoftmaxCrossEntropy
from backprop.networks import Network


def norm(array):
    return math.sqrt((to_numpy(array).astype("float64") ** 2).sum())


@pytest.fixture
def net(backend):
    return TwoLayerNet(6, 4, 3, weight_init_std=1.0, dtype="float64", rng=0)


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    return rng.normal(size=(5, 2, 3)), np.array([0, 2, 1, 1, 0])


def test_every_number_is_the_networks(net, batch):
    seen = network_graph(net, *batch)
    gradient = net.gradient(*batch, input_gradient=True)
    assert [(p.name, p.layer) for p in seen.passes] == [
        ("Affine1", "Affine(6, 4)"), ("ReLU1", "ReLU()"), ("Affine2", "Affine(4, 3)"),
        ("SoftmaxCrossEntropy", "SoftmaxCrossEntropy()"),
    ]  # fmt: skip
    assert seen.loss == pytest.approx(float(net.loss(*batch)), rel=1e-15)
    assert [p.parameters for p in seen.passes] == [28, 0, 15, 0]
    assert [p.shapes for p in seen.passes] == [
        ((5, 6), (5, 4)), ((5, 4), (5, 4)), ((5, 4), (5, 3)), ((5, 3), ()),
    ]  # fmt: skip
    x = asarray(batch[0])
    hidden = net.layers["Affine1"].forward(x, training=False)
    norms = [norm(x), norm(hidden), norm(net.layers["ReLU1"].forward(hidden, False)), norm(net.predict(x))]
    assert [p.x_norm for p in seen.passes] == pytest.approx(norms, rel=1e-13)
    assert seen.passes[0].dx_norm == pytest.approx(norm(gradient["x"]), rel=1e-13)
    of_params = {name: size for p in seen.passes for name, size in p.grad_norms.items()}
    assert of_params == pytest.approx({n: norm(gradient[n]) for n in ("W1", "b1", "W2", "b2")}, rel=1e-13)


def test_the_gradient_norms_between_layers(backend):
    """One layer and its loss, where dx of the loss is known in closed form."""
    net = Network({"Affine1": Affine.create(4, 3, rng=0, dtype="float64")}, SoftmaxCrossEntropy(), 4, 3)
    x, t = np.eye(4), np.array([0, 1, 2, 0])
    logits = to_numpy(net.predict(x))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = (p - np.eye(3)[t]) / 4
    assert network_graph(net, x, t).passes[-1].dx_norm == pytest.approx(norm(expected))


def test_what_is_drawn(net, batch):
    seen = network_graph(net, *batch)
    drawn = Drawn(seen.to_svg(local=True))
    above = [*(f"norm {shown(p.x_norm)}" for p in seen.passes), shown(seen.loss)]
    below = [*(f"norm {shown(p.dx_norm)}" for p in seen.passes), "1"]
    assert list(drawn.on_edges("forward").values()) == above
    assert list(drawn.on_edges("gradient").values()) == below
    texts = [box.what for box in drawn.texts]
    for text in ("Affine1", "6 → 4", "28 parameters", "4 → 4", "3 → loss", "15 parameters", "x", "loss"):
        assert text in texts
    for name, size in seen.passes[0].grad_norms.items():
        assert f"‖d{name}‖ {shown(size)}" in texts
    assert list(faults(seen.to_svg(local=True))) == [] == list(faults(seen.to_svg()))
    assert "norms on a batch of 5" in drawn.root.get("aria-label")
    assert repr(seen) == "<NetworkGraph TwoLayerNet: Affine1, ReLU1, Affine2, SoftmaxCrossEntropy>"


def state(net):
    layers = [*net.layers.values(), net.loss_layer]
    return (
        to_numpy(net.params.flat).tobytes(),
        {name: to_numpy(array).tobytes() for name, array in net.state.items()},
        {name: id(array) for name, array in net.params.items()},
        [layer._kept for layer in layers],
    )


def test_the_live_network_is_left_alone(batch, backend):
    layers = [Affine(4), ReLU(), BatchNorm(), Affine(3)]
    net = Network(layers, SoftmaxCrossEntropy(), 6, 3, rng=0, dtype="float64")
    handed_out = net.gradient(*batch)
    before = {name: to_numpy(array).copy() for name, array in handed_out.items()}
    net.layers["ReLU1"].forward(asarray(np.ones((1, 4))))  # somebody is in the middle of something
    at_first = state(net)
    x, t = batch[0].copy(), batch[1].copy()
    network_graph(net, x, t)
    after = state(net)
    assert after[:3] == at_first[:3]
    assert all(mine is theirs for mine, theirs in zip(after[3], at_first[3], strict=True))
    np.testing.assert_array_equal(x, batch[0])
    np.testing.assert_array_equal(t, batch[1])
    for name, array in handed_out.items():
        np.testing.assert_array_equal(to_numpy(array), before[name])


def test_a_longer_network_in_float32():
    options = {"rng": 0, "dtype": "float32"}
    layers = {
        "Affine1": Affine.create(6, 5, **options), "Sigmoid1": Sigmoid(),
        "Affine2": Affine.create(5, 4, **options), "ReLU2": ReLU(), "Affine3": Affine.create(4, 2, **options),
    }  # fmt: skip
    net = Network(layers, SoftmaxCrossEntropy(), 6, 2)
    seen = network_graph(net, np.ones((3, 6)), [[1, 0], [0, 1], [1, 0]])
    assert [p.name for p in seen.passes][:-1] == list(layers)
    assert {name for p in seen.passes for name in p.grad_norms} == set(net.params)
    assert list(faults(seen.to_svg())) == []


def test_images_keep_their_shape(backend, batch):
    net = Network([Affine(4), ReLU(), Affine(3)], SoftmaxCrossEntropy(), (2, 3), 3, rng=0)
    for x in (batch[0], batch[0].reshape(5, 6)):
        seen = network_graph(net, x, batch[1])
        assert seen.passes[0].shapes == ((5, 2, 3), (5, 4))
        assert "2×3 → 4" in [box.what for box in Drawn(seen.to_svg()).texts]


@pytest.fixture
def for_images():
    layers = [Conv2D(30, 5), ReLU(), MaxPool2D(2), Affine(100), ReLU(), Affine(10)]
    return Sequential(layers, (1, 28, 28), rng=0)


def test_a_convolution_shows_its_shapes_and_not_its_values(for_images):
    seen = network_graph(for_images, np.ones((2, 1, 28, 28)), [3, 7])
    assert seen.passes[2].shapes == ((2, 30, 24, 24), (2, 30, 12, 12))
    for drawn in (seen.to_svg(local=True), seen.to_mermaid(), seen.to_dot()):
        for text in ("1×28×28 → 30×24×24", "30×24×24 → 30×12×12", "30×12×12 → 100", "780 parameters"):
            assert text in drawn
    few = network_graph(for_images[3:], np.ones((2, 30, 12, 12)), [3, 7])
    assert len(seen.to_html()) < len(few.to_html()) + 5000, "no page holds the values of an image"
    assert "has shape (2, 30, 24, 24)" in told(seen)


def rows_of(svg):
    """The left ends of the layers' boxes, in the order of the layers, a list per level."""
    rows, level = [], -100.0
    for shape in Drawn(svg).shapes:
        middle = (shape.top + shape.bottom) / 2
        assert abs(middle - level) < 1 or middle > level + 50, "a level row, or a new one below"
        if middle > level + 50:
            rows.append([])
        rows[-1].append(shape.left)
        level = middle
    return rows


@pytest.mark.parametrize("local", [False, True])
def test_a_long_network_is_drawn_in_rows(for_images, local):
    svg = network_graph(for_images, np.ones((2, 1, 28, 28)), [3, 7]).to_svg(local=local)
    assert list(faults(svg)) == [] and Drawn(svg).width < 900
    rows = rows_of(svg)
    assert [len(row) for row in rows] == [2, 3, 2] and all(row == sorted(row) for row in rows)
    lines = list(Drawn(svg).lines.values())
    assert len(lines) == 8 and [line[0][1] < line[-1][1] - 20 for line in lines].count(True) == 2


def test_a_network_of_any_depth_keeps_its_width_and_its_order():
    net = Sequential([Affine(8) if i % 2 else ReLU() for i in range(60)], 8, rng=0, dtype="float64")
    svg = network_graph(net, np.ones((2, 8)), [3, 7]).to_svg(local=True)
    assert list(faults(svg)) == [] and Drawn(svg).width < 1080
    rows = rows_of(svg)
    assert sum(map(len, rows)) == 61 and len(rows) > 5
    assert all(row == sorted(row) for row in rows)


@pytest.mark.parametrize(("layers", "down"), [(5, "LR"), (6, "TB")])
def test_a_deep_network_runs_downwards_in_other_tools(layers, down):
    net = Sequential([Affine(4) for _ in range(layers)], 4, rng=0)
    seen = network_graph(net, np.ones((2, 4)), [0, 1])
    assert seen.to_mermaid().startswith(f"flowchart {down}\n") and f"rankdir={down}\n" in seen.to_dot()


def told(graph):
    """Return the page's words for the forward pass."""
    return " ".join(node.get("forward", "") for node in graph.diagram().facts["nodes"])


def norms_of_gradients(graph):
    return {name: size for each in graph.passes for name, size in each.grad_norms.items()}


def test_a_network_with_batch_norm_as_in_training(backend, batch):
    layers = [Affine(4, weight_init_std=1.0), BatchNorm(), ReLU(), Affine(3)]
    net = Network(layers, SoftmaxCrossEntropy(), 6, 3, rng=0, dtype="float64")
    seen = network_graph(net, *batch)
    assert seen.loss == pytest.approx(float(net.loss(*batch, training=True)), rel=1e-14)
    gradient = net.gradient(*batch, input_gradient=True)
    expected = {name: norm(gradient[name]) for name in net.params}
    assert norms_of_gradients(seen) == pytest.approx(expected, rel=1e-12, abs=1e-15)  # b1 has none
    assert seen.passes[0].dx_norm == pytest.approx(norm(gradient["x"]), rel=1e-12)
    assert (seen.passes[1].layer, seen.passes[1].parameters) == ("BatchNorm(4)", 8)
    assert seen.passes[2].x_norm == pytest.approx(math.sqrt(5 * 4), rel=1e-3)  # γ = 1, β = 0
    assert list(faults(seen.to_svg(local=True))) == []


def test_only_a_cross_entropy_is_in_nats(net, batch):
    seen = network_graph(net, *batch)
    assert f"The mean loss is {shown(seen.loss)} nats." in told(seen)
    regression = Network([Affine(4), Sigmoid(), Affine(2)], MeanSquaredError(), 6, 2, rng=0, dtype="float64")
    seen = network_graph(regression, batch[0], np.ones((5, 2)))
    assert f"The mean loss is {shown(seen.loss)}." in told(seen) and "nats" not in told(seen)
    assert seen.loss == pytest.approx(float(regression.loss(batch[0], np.ones((5, 2)))), rel=1e-14)
    assert seen.passes[-1].name == "MeanSquaredError"
    assert list(faults(seen.to_svg(local=True))) == []


class Doubled:
    """A layer without parameters or a `params` attribute."""

    def forward(self, x):
        return 2.0 * x

    def backward(self, dout):
        return 2.0 * dout


class FromTheBook:
    """A layer whose parameters and gradients are attributes, the gradients from the first backward on."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class HalfSquare:
    """A loss without a base class."""

    def forward(self, y, t):
        self.difference = y - t
        return 0.5 * (self.difference**2).sum() / len(t)

    def backward(self, dout=1):
        return dout * self.difference / len(self.difference)


class Scaled(Layer):
    """A layer with forward and backward formulas only."""

    def compute(self, xp, x, w):
        return x * w, (x, w)

    def derive(self, xp, dout, x, w):
        return dout * w, xp.sum(dout * x, axis=0)


def test_layers_of_ones_own(batch):
    W = np.random.default_rng(2).normal(size=(6, 3))
    layers = [Doubled(), FromTheBook(W, np.zeros(3)), Scaled(w=np.array([1.0, 2.0, 3.0]))]
    net = Network(layers, HalfSquare(), 6, 3, dtype="float64")
    t = np.ones((5, 3))
    seen = network_graph(net, batch[0], t)
    assert not hasattr(layers[1], "x"), "it worked on a copy"
    assert [(p.name, p.layer, p.parameters) for p in seen.passes] == [
        ("Doubled1", "Doubled", 0), ("FromTheBook1", "FromTheBook", 21), ("Scaled1", "Scaled()", 3),
        ("HalfSquare", "HalfSquare", 0),
    ]  # fmt: skip
    gradient = net.gradient(batch[0], t, input_gradient=True)
    expected = {name: norm(gradient[name]) for name in net.params}
    assert norms_of_gradients(seen) == pytest.approx(expected, rel=1e-13)
    assert seen.passes[0].dx_norm == pytest.approx(norm(gradient["x"]), rel=1e-13)
    assert seen.loss == pytest.approx(float(net.loss(batch[0], t)), rel=1e-14)
    assert list(faults(seen.to_svg(local=True))) == [] and "object at" not in seen.to_html()
    assert "nats" not in told(seen)


def test_what_is_no_network_and_what_is_no_batch(net, batch):
    with pytest.raises(
        TypeError, match=r"^network_graph: a network has layers, .* but float has no layers; for numbers"
    ):
        network_graph(1.0, *batch)
    with pytest.raises(TypeError, match="but backprop.layers.affine.Affine has no layers"):
        network_graph(net.layers["Affine1"], *batch)
    with pytest.raises(ValueError, match="^network_graph: x must have shape"):
        network_graph(net, np.ones((2, 5)), [0, 1])
    with pytest.raises(ValueError, match="^network_graph: labels must lie in 0..2"):
        network_graph(net, np.ones((2, 6)), [0, 3])
    with pytest.raises(ValueError, match="^network_graph: x must hold at least one sample"):
        network_graph(net, np.ones((0, 6)), [])
