"""A network as modules of PyTorch: equal outputs for every layer, names, training that continues alike."""

import copy
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from backends import dtype_name, to_numpy
from backprop import Sequential, TwoLayerNet, layers, load_mnist_sample
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from backprop.losses import Loss, MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.networks import MultiLayerNet, Network, to_torch
from backprop.networks.to_torch import MODULES
from backprop.optimizers import SGD

ROOT = Path(__file__).parents[2]
EXPORTED = [getattr(layers, name) for name in layers.__all__]
CLASSES = {each for each in EXPORTED if each is not Layer and not issubclass(each, Loss)}
MAKE = {  # with settings that are not the usual ones of PyTorch or of this library
    Affine: lambda: Affine(5),
    BatchNorm: lambda: BatchNorm(momentum=0.7, eps=0.01),
    Dropout: lambda: Dropout(0.4),
    Flatten: Flatten,
    AveragePool2D: lambda: AveragePool2D(3, 1, 1),
    Conv2D: lambda: Conv2D(5, (3, 2), stride=2, padding=1),
    GELU: GELU,
    GlobalAveragePool2D: GlobalAveragePool2D,
    LayerNorm: lambda: LayerNorm(eps=0.1),
    LeakyReLU: lambda: LeakyReLU(0.3),
    MaxPool2D: lambda: MaxPool2D(3, 2, 1),
    ReLU: ReLU,
    Sigmoid: Sigmoid,
    Softmax: Softmax,
    Tanh: Tanh,
}
SHAPES = {"2-d": (6,), "3-d": (3, 4), "4-d": (3, 4, 2), "5-d": (3, 2, 2, 2)}  # of a sample
OF_IMAGES = (AveragePool2D, Conv2D, GlobalAveragePool2D, MaxPool2D)  # which take 4 axes only
EVERY = [
    pytest.param(kind, shape, id=f"{kind.__name__}-{axes}")
    for kind in MAKE
    for axes, shape in SHAPES.items()
    if axes == "4-d" or kind not in OF_IMAGES
]
LIMITS = {"float32": 1e-6, "float64": 1e-13}  # relative to the largest output


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed; it is in the extra `peers`")


def samples(shape, dtype, seed=0):
    return (1.0 + 2.0 * np.random.default_rng(seed).standard_normal((8, *shape))).astype(dtype)


def used(net, seed=1):
    """Return a network whose numbers are not those that it began with."""
    rng = np.random.default_rng(seed)
    net.params.flat = rng.uniform(-0.7, 0.7, net.params.flat.shape)
    for name, array in net.state.items():
        if name.startswith("running"):
            array[...] = net.backend.asarray(rng.uniform(0.2, 1.0, array.shape), net.dtype)
    return net


def outputs(torch, model, x):
    with torch.no_grad():
        return model(torch.tensor(x)).numpy()


def require_equal(torch, net, shape=None):
    """Require the same outputs, in the same dtype, and that nothing has changed."""
    name, shape = dtype_name(net.dtype), net.input_shape if shape is None else shape
    before = [to_numpy(array).tobytes() for array in (net.params.flat, *net.state.values())]
    x, model = samples(shape, name), to_torch(net)
    mine, theirs = to_numpy(net.predict(x)), outputs(torch, model, x)
    assert theirs.dtype == name and mine.shape == theirs.shape
    assert abs(mine - theirs).max() <= LIMITS[name] * abs(mine).max()
    assert [to_numpy(array).tobytes() for array in (net.params.flat, *net.state.values())] == before
    return model


# ------------------------------------------------------------------------------------------------ every layer


def test_every_layer_of_the_library_has_its_modules():
    assert MODULES.keys() == CLASSES == MAKE.keys()


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize(("kind", "shape"), EVERY)
def test_a_layer_gives_the_same_outputs(torch, kind, shape, dtype):
    net = used(Sequential([MAKE[kind](), Affine(3)], shape, rng=0, dtype=dtype))
    model = require_equal(torch, net)
    assert not model.training and type(model) is torch.nn.Sequential
    for tensor in model.state_dict().values():
        assert tensor.device.type == "cpu" and tensor.dtype in (getattr(torch, dtype), torch.int64)


@pytest.mark.parametrize("shape", [(6,), (3, 4, 2)], ids=["2-d", "4-d"])
@pytest.mark.parametrize("dtype", LIMITS)
def test_a_network_of_all_layers(backend, torch, shape, dtype):
    chain = [LayerNorm(), BatchNorm(), Tanh(), Affine(7), LeakyReLU(), Affine(6), BatchNorm(), GELU()]
    chain += [Affine(9), ReLU(), Dropout(), Affine(8), Sigmoid(), Flatten(), Affine(4), Softmax()]
    require_equal(torch, used(Network(chain, SoftmaxCrossEntropy(), shape, rng=0, dtype=dtype)))


@pytest.mark.parametrize("dtype", LIMITS)
def test_convolutional_networks(backend, torch, dtype):
    chain = [Conv2D(4, 3, padding=1), BatchNorm(), ReLU(), MaxPool2D(2), Conv2D(5, (1, 2)), Tanh(), Affine(3)]
    model = require_equal(torch, used(Sequential(chain, (2, 6, 8), rng=0, dtype=dtype)))
    assert [*model.state_dict()][:2] == ["Conv2D1.weight", "Conv2D1.bias"]
    assert model.Conv2D1.weight.shape == (4, 2, 3, 3) and model.MaxPool2D1.stride == 2
    assert "Affine1_flatten" in dict(model.named_children())
    chain = [
        Conv2D(4, 2, stride=2),
        GELU(),
        AveragePool2D(2, 1),
        Dropout(),
        Conv2D(3, 1),
        GlobalAveragePool2D(),
    ]
    model = require_equal(torch, used(Network(chain, SoftmaxCrossEntropy(), (1, 7, 9), rng=0, dtype=dtype)))
    larger = np.ones((2, 1, 11, 8), dtype)  # the size of the image does not matter to a global pooling
    assert outputs(torch, model, larger).shape == (2, 3)


def test_samples_of_one_number_without_an_axis(torch):
    require_equal(torch, used(Network([Affine(4), Tanh(), Affine(2)], SoftmaxCrossEntropy(), (), rng=0)))
    require_equal(torch, used(Network([Flatten(), Affine(2)], SoftmaxCrossEntropy(), (), rng=0)))


def test_the_networks_of_the_book(torch):
    require_equal(torch, TwoLayerNet(20, 10, 4, rng=0))
    options = {"use_batchnorm": True, "use_dropout": True, "weight_decay_lambda": 0.1}
    require_equal(torch, used(MultiLayerNet(20, [10, 8], 4, activation="gelu", rng=0, **options)))


# -------------------------------------------------------------------------------------- names, copies, device


def test_modules_have_the_names_of_the_layers(torch):
    model = to_torch(Sequential([Affine(5), BatchNorm(), ReLU(), Affine(3)], (2, 3), rng=0))
    names = ["Affine1_flatten", "Affine1", "BatchNorm1", "ReLU1", "Affine2"]
    assert [name for name, _ in model.named_children()] == names
    assert [*model.state_dict()][:4] == [
        "Affine1.weight",
        "Affine1.bias",
        "BatchNorm1.weight",
        "BatchNorm1.bias",
    ]
    assert model.Affine1.weight.shape == (5, 6) and model.BatchNorm1.num_batches_tracked == 0
    chain = {"A": Affine(5), "A_flatten": ReLU(), "A_flatten_": Affine(3)}
    model = to_torch(Sequential(chain, (2, 3), rng=0))
    assert [name for name, _ in model.named_children()] == ["A_flatten__", *chain]


@pytest.mark.parametrize("name", ["", "a.b", "forward", "x" * 300 + "."])
def test_a_name_that_pytorch_refuses_is_named(torch, name):
    with pytest.raises(
        ValueError, match=r"^to_torch: PyTorch refuses the layer name '.*; pass the layers to the"
    ) as e:
        to_torch(Sequential({name: Affine(3)}, 4, rng=0))
    assert len(str(e.value)) <= 200


def test_numbers_are_copies_and_pytorchs_random_numbers_stay(torch):
    net, before = Sequential([Affine(5), BatchNorm(), Affine(3)], 4, rng=0), torch.get_rng_state()
    model = to_torch(net)
    assert bool((torch.get_rng_state() == before).all())
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    own = copy.deepcopy([dict(net.params), dict(net.state)])
    for tensor in model.state_dict().values():
        tensor.add_(1)
    np.testing.assert_equal([dict(net.params), dict(net.state)], own)
    again = to_torch(net)
    net.gradient(samples((4,), "float32"), [0, 1, 2, 0, 1, 2, 0, 1])
    net.params.flat = net.params.flat + 1
    assert all(bool((tensor == kept[name]).all()) for name, tensor in again.state_dict().items())
    assert all(parameter.requires_grad and parameter.is_contiguous() for parameter in again.parameters())


def test_another_default_device_or_dtype_changes_nothing(torch):
    net, x = TwoLayerNet(4, 5, 3, rng=0), samples((4,), "float32")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            model = to_torch(net)
    finally:
        torch.set_default_dtype(before)
    assert outputs(torch, model, x).dtype == "float32"
    np.testing.assert_allclose(outputs(torch, model, x), net.predict(x), atol=1e-7)


# ------------------------------------------------------------------------------------------ training goes on


@pytest.mark.parametrize("dtype", LIMITS)
def test_a_step_of_training_gives_the_same_parameters(torch, dtype):
    net = Sequential([Affine(7), ReLU(), Affine(6), ReLU(), Affine(3)], (2, 4), rng=0, dtype=dtype)
    model, x, t = to_torch(net), samples((2, 4), dtype), np.array([0, 1, 2, 2, 1, 0, 0, 2])
    before = net.params.copy()
    SGD(0.1).update(net.params, net.gradient(x, t))
    optimizer = torch.optim.SGD(model.train().parameters(), lr=0.1)
    torch.nn.CrossEntropyLoss()(model(torch.tensor(x)), torch.tensor(t)).backward()
    optimizer.step()
    for i in (1, 2, 3):
        for own, theirs in ((f"W{i}", f"Affine{i}.weight"), (f"b{i}", f"Affine{i}.bias")):
            tensor = model.state_dict()[theirs].numpy().T
            np.testing.assert_allclose(tensor, net.params[own], rtol=0, atol=1e-6)
            assert abs(net.params[own] - before[own]).max() > 1e-3


def test_a_step_of_training_moves_filters_alike(torch):
    def made(seed):
        layers = [Conv2D(4, 3, stride=2, padding=1), ReLU(), MaxPool2D(2, 1), Affine(3)]
        return Sequential(layers, (2, 5, 6), rng=seed, dtype="float64")

    net = made(0)
    model, x, t = to_torch(net), samples((2, 5, 6), "float64"), np.array([0, 1, 2, 2, 1, 0, 0, 2])
    before = net.params.copy()
    SGD(0.1).update(net.params, net.gradient(x, t))
    optimizer = torch.optim.SGD(model.train().parameters(), lr=0.1)
    torch.nn.CrossEntropyLoss()(model(torch.tensor(x)), torch.tensor(t)).backward()
    optimizer.step()
    for own, theirs in (("W1", "Conv2D1.weight"), ("b1", "Conv2D1.bias")):
        np.testing.assert_allclose(model.state_dict()[theirs].numpy(), net.params[own], rtol=0, atol=1e-14)
        assert abs(net.params[own] - before[own]).max() > 1e-3
    other = made(1)  # and back, from PyTorch
    for name, tensor in zip(other.params, model.state_dict().values(), strict=True):
        other.params[name] = tensor.numpy().T if name == "W2" else tensor.numpy()
    np.testing.assert_allclose(other.predict(x), outputs(torch, model, x), rtol=0, atol=1e-13)


@pytest.mark.parametrize("shape", [(3,), (3, 2, 2)], ids=["2-d", "4-d"])
def test_running_statistics_move_alike_but_for_the_divisor_of_the_variance(torch, shape):
    net = used(Sequential([BatchNorm(momentum=0.7), Affine(2)], shape, rng=0, dtype="float64"))
    x, old = samples(shape, "float64"), copy.deepcopy(dict(net.state))
    module = to_torch(net).train().BatchNorm1
    module(torch.tensor(x))
    net.gradient(x, [0, 1] * 4)
    np.testing.assert_allclose(module.running_mean.numpy(), net.state["running_mean1"], rtol=1e-12)
    values = x.size // 3
    mine, theirs = (
        each - 0.7 * old["running_var1"] for each in (net.state["running_var1"], module.running_var.numpy())
    )
    np.testing.assert_allclose(theirs, mine * values / (values - 1), rtol=1e-10)


def test_dropout_drops_the_same_share(torch):
    model = to_torch(Sequential([Dropout(0.25), Affine(2)], 4, rng=0)).train()
    factors = model.Dropout1(torch.ones(100, 100))
    assert factors.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert 0.7 < (factors > 0).float().mean() < 0.8


LABELS, TARGETS = np.array([0, 1, 2, 0, 1, 2, 0, 1]), np.linspace(0.0, 1.0, 24).reshape(8, 3)
LOSSES = {  # what they are in PyTorch
    "CrossEntropyLoss": (SoftmaxCrossEntropy(label_smoothing=0.1), LABELS, {"label_smoothing": 0.1}, 1.0),
    "BCEWithLogitsLoss": (SigmoidBinaryCrossEntropy(), TARGETS, {}, 3.0),
    "MSELoss": (MeanSquaredError(), TARGETS, {}, 1.5),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_has_a_counterpart(torch, name):
    """Where PyTorch takes the mean over the outputs of a sample, this library takes the sum."""
    loss, targets, settings, factor = LOSSES[name]
    net, x = Sequential([Affine(3)], 4, copy.deepcopy(loss), rng=0, dtype="float64"), samples((4,), "float64")
    theirs = getattr(torch.nn, name)(**settings)(to_torch(net)(torch.tensor(x)), torch.tensor(targets))
    assert abs(factor * theirs.item() - net.loss(x, targets)) < 1e-12


def test_the_code_of_the_guide(torch, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "guides" / "install_and_train.md").read_text(encoding="utf-8")
    section = page.partition("## Continue in PyTorch")[2].partition("\n## ")[0]
    (code,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    (x, t), _ = load_mnist_sample()
    net = TwoLayerNet(784, 50, 10, rng=0)
    monkeypatch.chdir(tmp_path)
    exec(code, {"net": net, "x_train": x, "t_train": t})
    model = to_torch(net)
    model.load_state_dict(torch.load("net.pt"))
    SGD(0.1).update(net.params, net.gradient(x, t))
    mine = net.predict(x[:100])
    assert abs(outputs(torch, model, x[:100]) - mine).max() <= 1e-6 * abs(mine).max()


# -------------------------------------------------------------------------------------------- what is refused


class Own(ReLU):
    """A user's subclass."""


class OwnPasses:
    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


class OwnPredict(TwoLayerNet):
    def predict(self, x):
        return -super().predict(x)


def patched(name):
    net = TwoLayerNet(4, 5, 3, rng=0)
    setattr(net.layers["ReLU1"], name, lambda *arguments: arguments[-1])
    return net


def patched_predict():
    net = TwoLayerNet(4, 5, 3, rng=0)
    net.predict = lambda x: x
    return net


ITSELF = "layer {} must be one of backprop.layers itself, got .*; write it as a torch.nn.Module, and convert"
REFUSED = {
    "a subclass": (lambda: Sequential([Affine(5), Own(), Affine(3)], 4), ITSELF.format("Own1")),
    "an object": (lambda: Sequential([Affine(5), OwnPasses(), Affine(3)], 4), ITSELF.format("OwnPasses1")),
    "a long name": (lambda: Sequential({"n" * 300: Own(), "A": Affine(3)}, 4), ITSELF.format("n+…")),
    **{name: (lambda name=name: patched(name), ITSELF.format("ReLU1")) for name in ("forward", "compute")},
    "a network's own predict": (lambda: OwnPredict(4, 5, 3), "OwnPredict overrides predict; write it as the"),
    "a replaced predict": (
        patched_predict,
        "TwoLayerNet overrides predict; write it as the forward of a tor",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_formulas_of_its_own_is_refused_by_name(case):
    """Before PyTorch is asked for: the call cannot succeed with it either."""
    make, words = REFUSED[case]
    with pytest.raises(TypeError, match=f"^to_torch: {words}") as caught:
        to_torch(make())
    assert len(str(caught.value)) <= 200


def test_a_batch_norm_of_more_axes_than_pytorch_has(torch):
    net = Sequential([BatchNorm(), Affine(2)], (2, 1, 2, 1, 2), rng=0)
    with pytest.raises(
        ValueError, match="^to_torch: layer BatchNorm1: PyTorch's BatchNorm takes at most 4 axes"
    ):
        to_torch(net)


def test_a_network_whose_own_methods_do_not_change_predict_is_converted(torch):
    class OwnLoss(TwoLayerNet):
        def loss(self, x, t):
            return 2.0 * super().loss(x, t)

    require_equal(torch, OwnLoss(4, 5, 3, rng=0))


def test_without_pytorch_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"^to_torch needs PyTorch \(.+\): pip install torch$") as caught:
        to_torch(TwoLayerNet(4, 5, 3, rng=0))
    assert len(str(caught.value)) <= 200 and "\n" not in str(caught.value)
