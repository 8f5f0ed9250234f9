"""`backprop evaluate` and `backprop info FILE`: what a trained network gets right, and what a file holds."""

import json
import sys

import numpy as np
import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")
pytest.importorskip("safetensors")
import safetensors.numpy

from backprop import Sequential, TwoLayerNet, load_mnist_sample, train
from backprop.cli.evaluate.confusion import confusion, figures
from backprop.layers import Affine, Flatten, Tanh
from backprop.losses import MeanSquaredError, SigmoidBinaryCrossEntropy

(X, T), (X_TEST, T_TEST) = load_mnist_sample()


@pytest.fixture(scope="module")
def net():
    net = TwoLayerNet(rng=0)
    train(net, X, T, epochs=3, learning_rate=0.3, rng=0, evaluate_every=None)
    return net


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def document(file):
    return json.loads(file.read_text())


@pytest.mark.parametrize(("part", "x", "t"), [("test", X_TEST, T_TEST), ("train", X, T)])
def test_the_figures_are_those_of_the_network(call, here, net, part, x, t):
    net.save("net.safetensors")
    ran = call("evaluate", "net.safetensors", "--data", "sample", "--set", part, "--json", "e.json")
    assert (ran.code, ran.err) == (0, "")
    found = document(here / "e.json")
    assert found["accuracy"] == net.accuracy(x, t) and found["loss"] == float(net.loss(x, t))
    assert f"accuracy {found['accuracy']:.4f}, loss {found['loss']:.4f}" in ran.lines
    predicted, matrix = net.predict_labels(x), np.array(found["confusion"])
    for true in range(10):
        for label in range(10):
            assert matrix[true, label] == np.sum((t == true) & (predicted == label))
    three = found["classes"][3]
    assert three["precision"] == matrix[3, 3] / matrix[:, 3].sum() and three["images"] == matrix[3].sum()
    assert three["recall"] == matrix[3, 3] / matrix[3].sum()
    assert three["f1"] == pytest.approx(2 / (1 / three["precision"] + 1 / three["recall"]))
    row = ran.lines[ran.lines.index("") + 2 :][4].split()
    assert row == ["3", *(str(each or ".") for each in matrix[3])]
    assert max(map(len, ran.lines)) <= 80


def test_a_class_that_is_never_predicted_has_no_precision():
    first, second, third = figures(confusion([0, 0, 1], [0, 0, 0], 3), ("a", "b", "c"))
    assert (first.precision, first.recall, first.f1) == (2 / 3, 1.0, 0.8) and first.name == "a"
    assert (second.precision, second.recall, second.f1, second.images) == (None, 0.0, 0.0, 1)
    assert (third.precision, third.recall, third.f1, third.images) == (None, None, None, 0)


def test_classes_are_named_where_they_have_names(call, here, net, monkeypatch):
    from backprop.cli import data
    from backprop.data import FASHION_MNIST_CLASSES

    given = data.Data((X, T), (X_TEST, T_TEST), "Fashion-MNIST in DIR", "images", FASHION_MNIST_CLASSES)
    command = sys.modules["backprop.cli.evaluate.command"]
    monkeypatch.setattr(command, "load_data", lambda *arguments: given)
    net.save("net.safetensors")
    ran = call("evaluate", "net.safetensors", "--data", "fashion-mnist", "--json", "e.json")
    assert ran.code == 0 and sum("9 Ankle boot" in line for line in ran.lines) == 2
    assert max(map(len, ran.lines)) <= 80 and document(here / "e.json")["classes"][9]["name"] == "Ankle boot"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TwoLayerNet(783, 5, 10), "takes samples of shape (783,), not of 784 pixels"),
        (lambda: TwoLayerNet(784, 5, 9), "must tell 10 classes apart, got SoftmaxCrossEntropy() of outputs"),
        (lambda: Sequential([Affine(10)], 784, MeanSquaredError()), "got MeanSquaredError() of outputs"),
        (lambda: Sequential([Affine(1)], 784, SigmoidBinaryCrossEntropy()), "of outputs of shape (1,)"),
        (lambda: Sequential([Affine(10)], 784, SigmoidBinaryCrossEntropy()), "of outputs of shape (10,)"),
    ],
)
@pytest.mark.parametrize(("command", "data"), [("evaluate", ("--data", "sample")), ("predict", ("a.png",))])
def test_a_network_for_something_else_is_refused(call, here, make, words, command, data):
    make().save("net.safetensors")
    ran = call(command, "net.safetensors", *data)
    assert ran.code == 2 and words in ran.error and ran.out == ""
    assert ran.error.startswith(f"backprop {command}: the network of net.safetensors ")


@pytest.mark.parametrize(("command", "data"), [("evaluate", ("--data", "sample")), ("predict", ("a.png",))])
def test_a_network_that_is_not_finite_answers_nothing(call, here, command, data):
    net = TwoLayerNet()
    net.params["b1"][3] = np.nan
    net.save("net.safetensors")
    ran = call(command, "net.safetensors", *data)
    words = "net.safetensors: holds NaN or infinity in b1; train the network again"
    assert (ran.code, ran.out, ran.error) == (3, "", f"backprop {command}: {words}")


def test_weights_that_overflow_are_told_by_the_figures_alone(call, here):
    net = Sequential([Affine(10)], 784, rng=0)
    net.params["W1"][...] = 3e38
    net.save("net.safetensors")
    ran = call("evaluate", "net.safetensors", "--data", "sample")
    assert (ran.code, ran.err) == (0, "") and "loss nan" in ran.out


@pytest.mark.parametrize("command", ["evaluate", "predict", "info"])
def test_the_weights_are_never_overwritten(call, here, command):
    TwoLayerNet(rng=0).save("net.safetensors")
    before = (here / "net.safetensors").read_bytes()
    ran = call(command, "net.safetensors", *["a.png"] * (command == "predict"), "--json", "./net.safetensors")
    assert ran.code == 2 and "FILE and --json must be different files" in ran.error
    assert (here / "net.safetensors").read_bytes() == before


def test_a_directory_beside_the_sample_has_no_effect_and_is_refused(call, here):
    ran = call("evaluate", "net.safetensors", "--data", "sample", "--data-dir", ".")
    assert ran.code == 2 and "--data-dir has no effect with --data sample" in ran.error


def test_images_may_have_any_shape_of_784_pixels(call, here):
    Sequential([Flatten(), Affine(10)], (1, 28, 28), rng=0).save("net.safetensors")
    assert call("evaluate", "net.safetensors", "--data", "sample").code == 0


@pytest.mark.parametrize("command", ["evaluate", "info"])
def test_what_is_no_file_of_weights_is_told_in_one_line(call, here, command):
    ran = call(command, "none.safetensors")
    assert (ran.code, ran.error) == (
        3,
        f"backprop {command}: none.safetensors: cannot be read: No such file or directory",
    )
    (here / "broken").write_bytes(b"x" * 99)
    ran = call(command, "broken")
    assert ran.code == 3 and ran.error.startswith(f"backprop {command}: broken: is no safetensors file")


class Own(Tanh):
    """A layer that is not the library's."""


def test_a_file_is_described(call, here):
    net = Sequential([Affine(3), Tanh(), Affine(2)], 4, rng=0)
    net.save("net.safetensors")
    ran = call("info", "net.safetensors", "--json", "i.json")
    assert (ran.code, ran.err) == (0, "")
    size = (here / "net.safetensors").stat().st_size
    facts = {line[:10].strip(): line[10:] for line in ran.lines[: ran.lines.index("")]}
    assert facts["file"] == f"net.safetensors, {size:,} bytes"
    assert facts["network"] == "Sequential, 23 parameters, float32" and facts["numbers"] == "all finite"
    assert facts["loss"] == "SoftmaxCrossEntropy()" and facts["made by"].startswith("backprop 0.")
    assert ran.lines[ran.lines.index("") + 1 :] == str(net.summary()).splitlines()
    assert document(here / "i.json")["info"]["network"] == facts["network"]


def test_numbers_that_are_not_finite_are_named(call, here):
    net = Sequential([Affine(3), Tanh(), Affine(2)], 4, rng=0)
    net.params["b1"][0], net.params["W2"][0, 0] = np.nan, -np.inf
    net.save("net.safetensors")
    assert "NaN or infinity in b1, W2" in call("info", "net.safetensors").out


def test_a_network_with_a_layer_of_ones_own_shows_its_arrays(call, here):
    Sequential([Affine(3), Own(), Affine(2)], 4, rng=0).save("net.safetensors")
    ran = call("info", "net.safetensors")
    assert ran.code == 0 and "not made: has the layer tests.cli.test_evaluate.Own" in ran.out
    assert [line.split()[0] for line in ran.lines[-4:]] == ["W1", "W2", "b1", "b2"]
    assert "load_weights" in ran.out


def test_arrays_of_another_program_are_shown(call, here):
    safetensors.numpy.save_file({"0.weight": np.zeros((2, 3), "float32")}, "net.safetensors")
    ran = call("info", "net.safetensors")
    assert ran.code == 0 and ran.lines[-1].split(maxsplit=1) == ["0.weight", "(2, 3)  float32"]


def test_a_checkpoint_is_described_and_evaluated(call, here):
    command = ("train", "--data", "sample", "--seed", 0, "--iterations", 80, "--checkpoint", "run")
    assert call(*command, "--json", "a.json").code == 0
    (last,) = (here / "run").glob("*80.safetensors")
    ran = call("info", last)
    assert ran.code == 0 and "run       checkpoint at iteration 80 of 80" in ran.lines
    call("evaluate", last, "--data", "sample", "--json", "e.json")
    assert document(here / "e.json")["accuracy"] == document(here / "a.json")["history"]["test_accuracy"][-1]
