"""`backprop train --model`: which network each is, its defaults, and its files in the other commands."""

import json

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

import backprop
from backends import get_backend
from backprop.arrays.initializers import generator
from backprop.cli.train.models import MODELS
from backprop.cli.train.network import make_network, name_of
from backprop.networks import DeepConvNet, MultiLayerNet, Network, SimpleConvNet, TwoLayerNet

NETWORKS = {
    "two-layer": (5, lambda rng: TwoLayerNet(784, 5, 10, rng=rng)),
    "multi-layer": (5, lambda rng: MultiLayerNet(784, [5], 10, rng=rng)),
    "simple-conv": (7, lambda rng: SimpleConvNet(hidden_size=7, rng=rng)),
    "deep-conv": (7, lambda rng: DeepConvNet(hidden_size=7, rng=rng)),
}
FIRST = "two-layer", "multi-layer"


@pytest.fixture
def train(call, mnist, tmp_path):
    """Train on six images; returns what was printed and the JSON that was written."""

    def run(*arguments):
        file = tmp_path / "run.json"
        ran = call("train", "--data-dir", mnist, "--batch-size", 3, "--seed", 0, "--json", file, *arguments)
        assert ran.code == 0, ran.err
        assert max(map(len, ran.lines[2:])) <= 80
        return ran, json.loads(file.read_text())

    return run


def network(model, hidden, rng, **options):
    plain = {
        "activation": "relu",
        "batch_norm": False,
        "sync_batch_norm": False,
        "dropout": 0.0,
        "init": None,
        "label_smoothing": 0.0,
    }
    return make_network(model, [hidden], **plain | options, dtype="float32", rng=rng, backend=get_backend())


@pytest.mark.parametrize("model", MODELS)
def test_each_is_the_network_of_the_library(model):
    hidden, make = NETWORKS[model]
    net, same = network(model, hidden, generator(3)), make(generator(3))
    assert [*map(repr, net.layers.values())] == [*map(repr, same.layers.values())]
    if model == "multi-layer":  # whose class in the library takes He's rule for the last layer, too
        assert (net.params["W1"] == same.params["W1"]).all()
    else:
        assert net.params == same.params


@pytest.mark.parametrize("model", ["simple-conv", "deep-conv"])
def test_label_smoothing_and_initial_weights(model):
    net = network(model, 7, 0, label_smoothing=0.2)
    assert net.loss_layer.label_smoothing == 0.2
    if model == "simple-conv":
        he = network(model, 7, 0, init="he")
        assert he.params["W2"].std() == pytest.approx((2 / 4320) ** 0.5, rel=0.02)
    assert name_of(model, (1,)) == f"{type(net).__name__} with 1 hidden unit"


@pytest.mark.parametrize(
    ("options", "model", "layers"),
    [
        ("", "two-layer", "784-50-10"),
        ("--hidden 6 --dropout 0 --activation relu", "two-layer", "784-6-10"),
        ("--hidden 6 --init he", "two-layer", "784-6-10"),
        ("--hidden 6,4", "multi-layer", "784-6-4-10"),
        ("--hidden 6 --activation tanh", "multi-layer", "784-6-10"),
        ("--hidden 6 --batch-norm", "multi-layer", "784-6-10"),
        ("--hidden 6 --dropout 0.2", "multi-layer", "784-6-10"),
        ("--hidden 6 --model multi-layer", "multi-layer", "784-6-10"),
        ("--model two-layer --init 0.1", "two-layer", "784-50-10"),
        ("--model simple-conv", "simple-conv", "SimpleConvNet with 100 hidden units"),
        ("--model simple-conv --hidden 7 --init he", "simple-conv", "SimpleConvNet with 7 hidden units"),
        ("--model deep-conv", "deep-conv", "DeepConvNet with 50 hidden units"),
    ],
)
def test_the_model_follows_from_the_options(train, options, model, layers):
    ran, document = train(*options.split(), "--iterations", 1)
    assert ran.lines[2].startswith(f"network: {layers}, ")
    settings = document["settings"]
    assert settings["model"] == model and len(document["history"]["loss"]) == 1
    is_image = model not in FIRST
    assert settings["optimizer"] == ("adam" if is_image else "sgd")
    assert settings["shuffle"] == ("epochs" if is_image else "draw")
    assert settings["dropout"] == {"deep-conv": 0.5}.get(model, 0.2 if "--dropout 0.2" in options else 0.0)
    has_he = "--init he" in options or model == "simple-conv"
    assert ("hidden layers: relu, init he" in ran.lines) == has_he


def test_options_go_before_the_defaults_of_the_model(train):
    options = "--model simple-conv --hidden 4 --optimizer sgd --shuffle draw --schedule constant"
    ran, document = train(*options.split(), "--epochs", 2, "--learning-rate", 0.2)
    settings, history = document["settings"], document["history"]
    assert settings["optimizer"] == "sgd" and settings["shuffle"] == "draw"
    assert settings["iterations"] == len(history["loss"]) == 4 and settings["epochs"] == 2
    assert history["learning_rate"] == pytest.approx([0.2] * 4)


def test_iterations_by_default():
    assert [model.defaults["iterations"] for model in MODELS.values()] == [10_000, 10_000, 3000, 3000]


@pytest.mark.parametrize(("model", "iterations", "least"), [("simple-conv", 40, 0.5), ("deep-conv", 1, 0.0)])
def test_on_the_sample(call, tmp_path, monkeypatch, model, iterations, least):
    train, test = backprop.load_mnist_sample()
    part = tuple(each[::10] for each in train), tuple(each[::10] for each in test)
    monkeypatch.setattr(backprop, "load_mnist_sample", lambda: part)
    options = ("--model", model, "--hidden", 20, "--learning-rate", 0.01, "--batch-size", 20, "--seed", 0)
    file = tmp_path / "run.json"
    ran = call("train", "--data", "sample", *options, "--iterations", iterations, "--json", file)
    assert ran.code == 0 and "training: adam, one-cycle, shuffled epochs, learning rate 0.01" in ran.lines
    history = json.loads(file.read_text())["history"]
    assert history["iterations"][-1] == len(history["loss"]) == iterations
    assert history["test_accuracy"][-1] > least


@pytest.mark.parametrize("model", MODELS)
def test_its_files_work_in_every_command(train, call, mnist, tmp_path, monkeypatch, model):
    pytest.importorskip("safetensors")
    monkeypatch.chdir(tmp_path)
    options = ("--model", model, "--hidden", 4, "--dtype", "float64", "--iterations", 4)
    keep = ("--save", "net.safetensors", "--checkpoint", "run", "--checkpoint-every", 1)
    _, document = train(*options, *keep)
    net = Network.load("net.safetensors")
    whole = net.params.copy()
    assert type(net).__name__ in ("Sequential", "SimpleConvNet", "DeepConvNet")
    for part in sorted((tmp_path / "run").iterdir())[1:]:
        part.unlink()
    train(*options, "--save", "net.safetensors", "--checkpoint", "run", "--resume")
    resumed = json.loads((tmp_path / "run.json").read_text())
    assert resumed["resumed_at"] == 2 and resumed["history"]["loss"] == document["history"]["loss"]
    assert all((whole[name] == array).all() for name, array in Network.load("net.safetensors").params.items())

    ran = call("evaluate", "net.safetensors", "--data-dir", mnist, "--json", "evaluate.json")
    assert ran.code == 0 and type(net).__name__ in ran.lines[0]
    measured = json.loads((tmp_path / "evaluate.json").read_text())
    assert measured["accuracy"] == document["history"]["test_accuracy"][-1]
    assert measured["loss"] == pytest.approx(document["history"]["test_loss"][-1], rel=1e-12)
    ran = call("predict", "net.safetensors", mnist / "t10k-images-idx3-ubyte")
    assert ran.code == 0 and len(ran.lines) == 4
    ran = call("info", "net.safetensors")
    assert ran.code == 0 and f"{type(net).__name__}, " in ran.out
    assert ("MaxPool2D1" in ran.out) == (model not in FIRST)


def test_pictures(train, tmp_path):
    pytest.importorskip("matplotlib")
    files = tmp_path / "curves.svg", tmp_path / "mistakes.svg"
    options = ("--model", "simple-conv", "--hidden", 4, "--iterations", 2)
    train(*options, "--plot", files[0], "--plot-mistakes", files[1])
    for file in files:
        assert "SimpleConvNet with 4 hidden units after 2 iterations on 6 images" in file.read_text()


def test_filters_are_drawn_before_and_after_training(train, tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "filters.svg"
    train("--model", "simple-conv", "--hidden", 4, "--iterations", 1, "--plot-weights", file)
    drawn = file.read_text()
    assert "SimpleConvNet with 4 hidden units after 1 iteration" in drawn
    assert "30 filters of 5 × 5" in drawn and ">before<" in drawn.replace(" ", "") and "after" in drawn
