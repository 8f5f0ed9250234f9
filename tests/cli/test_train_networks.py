"""`backprop train` with options for the network and the training: what is built, and what is said of it."""

import json
import re

import numpy as np
import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

import backprop
from backends import get_backend
from backprop.arrays.initializers import generator
from backprop.cli.train.network import ACTIVATIONS, make_network, name_of
from backprop.cli.train.optimizer import OPTIMIZERS, make_optimizer
from backprop.cli.train.schedule import FORMS, SUMMARY, make_schedule
from backprop.layers import Affine, BatchNorm, Dropout, ReLU
from backprop.networks import MultiLayerNet
from backprop.optimizers import Constant, Cosine, Nesterov, OneCycle, StepDecay, WarmUp

BRIEF = ("train", "--data", "sample", "--hidden", "5,4", "--batch-size", 500, "--seed", 0)
PLAIN = {
    "activation": "relu",
    "batch_norm": False,
    "sync_batch_norm": False,
    "dropout": 0.0,
    "init": None,
    "label_smoothing": 0.0,
}


def network(hidden, rng=0, dtype="float32", model="multi-layer", **options):
    return make_network(model, hidden, **PLAIN | options, dtype=dtype, rng=rng, backend=get_backend())


@pytest.fixture
def train(call, tmp_path):
    """Train briefly; returns what was printed and the JSON that was written."""

    def run(*arguments):
        ran = call(*BRIEF, "--json", tmp_path / "run.json", *arguments)
        assert ran.code == 0, ran.err
        assert max(map(len, ran.lines)) <= 80
        return ran, json.loads((tmp_path / "run.json").read_text())

    return run


# ----------------------------------------------------------------------------------------------- the network


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_options_it_is_the_books_network_bit_for_bit(dtype):
    (x, t), _ = backprop.load_mnist_sample()
    rngs = generator(7), generator(7)
    book = backprop.TwoLayerNet(784, 5, 10, dtype=dtype, rng=rngs[0])
    nets = [book, network([5], rngs[1], dtype, "two-layer")]
    histories = [
        backprop.train(net, x, t, iterations=3, rng=rng) for net, rng in zip(nets, rngs, strict=True)
    ]
    assert histories[0].loss == histories[1].loss
    assert nets[1].params == book.params and repr(nets[1].loss_layer) == repr(book.loss_layer)


def test_the_numbers_of_a_command_of_before(call, tmp_path):
    file = tmp_path / "run.json"
    call("train", "--data", "sample", "--iterations", 4, "--hidden", 5, "--seed", 3, "--json", file)
    rng, ((x, t), test) = generator(3), backprop.load_mnist_sample()
    net = backprop.TwoLayerNet(784, 5, 10, rng=rng)
    history = backprop.train(net, x, t, *test, iterations=4, batch_size=100, learning_rate=0.1, rng=rng)
    written = json.loads(file.read_text())
    assert written["history"]["loss"] == history.loss
    assert written["history"]["test_loss"] == history.test_loss
    assert written["settings"]["hidden"] == 5


def test_layers_stand_in_the_books_order():
    net = network([6, 4], batch_norm=True, dropout=0.3, label_smoothing=0.1)
    kinds = [Affine, BatchNorm, ReLU, Dropout]
    assert [type(layer) for layer in net] == [*kinds, *kinds, Affine]
    assert [net.params[f"W{i}"].shape for i in (1, 2, 3)] == [(784, 6), (6, 4), (4, 10)]
    assert net["Dropout2"].ratio == 0.3 and net.loss_layer.label_smoothing == 0.1
    assert [*map(type, net)] == [
        *map(type, MultiLayerNet(784, [6, 4], 10, use_batchnorm=True, use_dropout=True))
    ]
    assert name_of("multi-layer", (6, 4)) == "784-6-4-10"


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_weights_begin_by_the_rule_of_the_activation(activation):
    net = network([400, 300], activation=activation)
    he = activation in ("relu", "leaky-relu", "gelu")
    assert isinstance(net[1], ACTIVATIONS[activation])
    for name, gain, n in (("W1", 1.0 + he, 784), ("W2", 1.0 + he, 400), ("W3", 1.0, 300)):
        assert float(np.std(net.params[name])) == pytest.approx((gain / n) ** 0.5, rel=0.06)


def test_an_initial_rule_that_is_typed_goes_first():
    assert float(abs(network([5], model="two-layer", init="zeros").params["W1"]).max()) == 0.0
    assert float(np.std(network([99, 9], init=0.5).params["W1"])) == pytest.approx(0.5, rel=0.05)
    assert float(np.std(network([99], init="he").params["W1"])) == pytest.approx((2 / 784) ** 0.5, rel=0.05)
    assert float(np.std(network([99], model="two-layer").params["W1"])) == pytest.approx(0.01, rel=0.05)
    assert float(np.std(network([99]).params["W1"])) == pytest.approx((2 / 784) ** 0.5, rel=0.05)
    assert float(np.std(network([99], batch_norm=True).params["W1"])) > 0.04


# ------------------------------------------------------------------------------------- optimizer and schedule


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains_with_its_own_rate_as_the_help_says(train, call, name):
    ran, document = train("--optimizer", name, "--epochs", 10)
    history, settings = document["history"], document["settings"]
    assert history["loss"][-1] < history["loss"][0]
    rates = {"sgd": 0.1, "momentum": 0.01, "nesterov": 0.01, "adagrad": 0.01}
    assert settings["learning_rate"] == rates.get(name, 0.001) == history["learning_rate"][-1]
    assert settings["weight_decay"] == (0.01 if name == "adamw" else 0.0)
    assert (f"training: {name}, " in ran.out) == (name != "sgd")


def test_rate_and_decay_that_are_typed_go_first():
    made = make_optimizer("nesterov", 0.2, 5e-4, "float32")
    assert type(made) is Nesterov
    assert (made.learning_rate, made.weight_decay, made.momentum) == (0.2, 5e-4, 0.9)
    assert make_optimizer("adamw", None, 0.0, "float32").weight_decay == 0.0


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("constant", Constant()),
        ("step:3", StepDecay(3)),
        ("step:3,0.5", StepDecay(3, 0.5)),
        ("cosine", Cosine()),
        ("cosine:0.1", Cosine(0.1)),
        ("one-cycle", OneCycle()),
        ("one-cycle:0.2", OneCycle(0.2)),
        ("one-cycle:0.2,0.3", OneCycle(0.2, 0.3)),
        ("one-cycle:0.2,0.3,0.1", OneCycle(0.2, 0.3, 0.1)),
        ("warm-up:4", WarmUp(4)),
        ("warm-up:4,cosine:0.1", WarmUp(4, Cosine(0.1))),
        ("warm-up:4,step:3,0.5", WarmUp(4, StepDecay(3, 0.5))),
    ],
)
def test_a_schedule_is_what_its_text_says(train, text, same):
    assert repr(make_schedule(text)) == repr(same)
    ran, document = train("--schedule", text, "--iterations", 9, "--optimizer", "momentum")
    rates = [0.01 * same.factor(step, 9) for step in range(9)]
    assert document["history"]["learning_rate"] == pytest.approx(rates, rel=1e-6)
    assert document["settings"]["schedule"] == text and text in ran.out


def test_the_help_names_every_schedule():
    assert [re.split(r"[:\[ ]", line)[0] for line in SUMMARY] == [*FORMS]


# -------------------------------------------------------------------------------- validation, early stopping


def test_everything_at_once(train):
    options = "--batch-norm --dropout 0.2 --activation tanh --init xavier --optimizer adam"
    more = "--learning-rate 0.01 --weight-decay 1e-4 --schedule one-cycle --shuffle epochs"
    last = "--label-smoothing 0.1 --validation 0.25 --epochs 2 --dtype float64"
    ran, document = train(*options.split(), *more.split(), *last.split())
    assert ran.lines[2] == "held out for validation: 1,000 of the training images"
    assert ran.lines[3] == "network: 784-5-4-10, 4,017 parameters, float64"
    assert ran.lines[4] == "hidden layers: batch norm, tanh, dropout 0.2, init xavier"
    told = " ".join(" ".join(ran.lines[5:7]).split())
    words = "adam, weight decay 0.0001, one-cycle, shuffled epochs, label smoothing 0.1, learning rate 0.01"
    assert told == f"training: {words}"
    pattern = r"iteration  6/12  loss \d.\d{4}  train 0.\d{4}  val 0.\d{4}  test 0.\d{4}"
    assert re.fullmatch(pattern, ran.lines[8])
    pattern = r"accuracy on the sample: train 0.\d{4}, val 0.\d{4}, test 0.\d{4}"
    assert re.fullmatch(pattern, ran.lines[-1])
    settings, history = document["settings"], document["history"]
    assert settings["hidden"] == [5, 4] and settings["iterations"] == len(history["loss"]) == 12
    typed = {
        "activation": "tanh",
        "batch_norm": True,
        "dropout": 0.2,
        "init": "xavier",
        "optimizer": "adam",
        "weight_decay": 1e-4,
        "schedule": "one-cycle",
        "shuffle": "epochs",
        "label_smoothing": 0.1,
        "validation": 0.25,
        "patience": None,
    }
    assert {name: settings[name] for name in typed} == typed
    assert len(history["validation_loss"]) == len(history["validation_accuracy"]) == 3


def test_early_stopping_is_reported_with_the_best_iteration(train):
    options = ("--optimizer", "adam", "--learning-rate", 0.3, "--patience", 2, "--epochs", 60)
    ran, document = train(*options)
    history = document["history"]
    best, losses = history["best_iteration"], history["validation_loss"]
    at = history["iterations"].index(best)
    assert losses[at] == min(losses) and at == len(losses) - 3
    assert document["settings"]["validation"] == 0.1, "of the training set, not the test set"
    assert document["settings"]["iterations"] == 60 * 7 > len(history["loss"])
    assert history["stopped"].startswith("patience: for 2 evaluations") and document["outcome"] == "done"
    assert "stopped early: 2 evaluations without a lower validation loss" in ran.lines
    assert f"best: iteration {best:,}, validation loss {losses[at]:.4g}; its weights are kept" in ran.lines
    assert ran.lines[-1] == (
        f"accuracy on the sample at iteration {best:,}: train {history['train_accuracy'][at]:.4f}, "
        f"val {history['validation_accuracy'][at]:.4f}, test {history['test_accuracy'][at]:.4f}"
    )


def test_patience_watches_what_is_held_out_as_typed(train):
    _, document = train("--patience", 9, "--validation", 0.5, "--epochs", 2)
    assert document["settings"]["validation"] == 0.5
    assert document["history"]["best_iteration"] is not None and document["history"]["stopped"] == ""


def test_pictures_of_a_deep_network(call, tmp_path):
    pytest.importorskip("matplotlib")
    files = {name: tmp_path / f"{name}.svg" for name in ("plot", "plot-mistakes", "plot-weights")}
    named = [word for name, file in files.items() for word in (f"--{name}", file)]
    ran = call(*BRIEF, "--batch-norm", "--patience", 5, "--epochs", 1, *named)
    assert (ran.code, ran.err) == (0, "")
    drawn = {name: file.read_text() for name, file in files.items()}
    assert all(
        "784-5-4-10 after 7 iterations on 3,600 images of MNIST, weights of" in text
        for text in drawn.values()
    )
    assert "validation set" in drawn["plot"] and "batch norm, relu" in drawn["plot"]
    assert "weights W1 of 5 hidden units" in drawn["plot-weights"]


def test_plot_weights_draws_the_filters_of_a_convolution(call, tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "filters.svg"
    options = ("--model", "simple-conv", "--data", "sample", "--iterations", 1, "--plot-weights", file)
    ran = call("train", *options)
    assert (ran.code, ran.err) == (0, "")
    assert "30 filters" in file.read_text()
