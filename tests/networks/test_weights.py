"""Weights in files: what is saved is loaded, to the bit, and nothing else is."""

import copy
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("safetensors")
import safetensors.numpy

from backends import dtype_name
from backprop import Sequential, TwoLayerNet, layers, losses, to_numpy, train
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from backprop.losses import MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.networks import DeepConvNet, FileError, MultiLayerNet, Network, SimpleConvNet, architecture
from backprop.networks.tensor_file import TensorFile

OF_IMAGES = [
    *(Conv2D(3, (1, 2), stride=2, padding=3), MaxPool2D(3, 1, 1), AveragePool2D(3, 2, 1), MaxPool2D(1)),
    *(Conv2D(5, 1), GlobalAveragePool2D()),
]
EVERY_LAYER = [
    *OF_IMAGES,
    *(Affine(6), BatchNorm(momentum=0.8, eps=1e-3), ReLU(), Dropout(0.3), Affine(4), LayerNorm(eps=1e-4)),
    *(LeakyReLU(0.2), GELU(), Sigmoid(), Tanh(), Flatten(), Affine(3), Softmax()),
]
CONV = {"filter_num": 2, "filter_size": 1, "pad": 0, "stride": 1}
MAKE = {
    "two layers": lambda **o: TwoLayerNet(4, 3, 2, **o),
    "every layer": lambda **o: Sequential(copy.deepcopy(EVERY_LAYER), (2, 3, 4), MeanSquaredError(), **o),
    "named": lambda **o: Network({"in": Affine(3), "out": Affine(2)}, SoftmaxCrossEntropy(0.1), 5, **o),
    "yes or no": lambda **o: Sequential([Affine(1)], 3, SigmoidBinaryCrossEntropy(), **o),
    "multi": lambda **o: MultiLayerNet(
        5, [4, 3], 2, use_batchnorm=True, use_dropout=True, weight_decay_lambda=0.1, **o
    ),
    "images": lambda **o: SimpleConvNet(
        (1, 6, 6), {**CONV, "filter_size": 3, "stride": 2, "pad": 1}, 4, 2, **o
    ),
    "deep images": lambda **o: DeepConvNet(
        (1, 8, 8), CONV, CONV, CONV, CONV, CONV, CONV, hidden_size=4, output_size=2, **o
    ),
    "deep": lambda **o: MultiLayerNet(8, [4] * 15, 3, use_batchnorm=True, use_dropout=True, **o),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def bits(net):
    arrays = {**net.params, **{f"state of {name}": array for name, array in net.state.items()}}
    return {name: (a.shape, dtype_name(a.dtype), to_numpy(a).tobytes()) for name, a in arrays.items()}


def moved(net):
    """Return a network whose numbers are none that a new one has."""
    x = np.random.default_rng(1).normal(size=(4, *net.input_shape))
    targets = np.zeros((4, *net.output_shape)) if net.output_size != 2 else np.array([0, 1, 1, 0])
    if isinstance(net.loss_layer, SoftmaxCrossEntropy):
        targets = np.array([0, 1, 1, 0])
    train(net, x, targets, iterations=3, batch_size=4, rng=0, evaluate_every=None)
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MAKE)
def test_a_loaded_network_is_the_saved_one(name, dtype, backend, path):
    net = moved(MAKE[name](rng=0, dtype=dtype, backend=backend))
    before = bits(net)
    net.save(path)
    assert bits(net) == before
    again = Network.load(path, backend=backend)
    assert type(again) is type(net) and repr(again) == repr(net)
    assert bits(again) == before and list(again.params) == list(net.params)
    assert again.output_shapes == net.output_shapes and again.input_shape == net.input_shape
    assert getattr(again, "weight_decay_lambda", 0) == getattr(net, "weight_decay_lambda", 0)
    assert repr(again.loss_layer) == repr(net.loss_layer)
    x = np.random.default_rng(0).normal(size=(5, *net.input_shape))
    assert (to_numpy(again.predict(x)) == to_numpy(net.predict(x))).all()
    assert bits(moved(again)) == bits(moved(net))  # the same masks and running statistics


def test_a_network_goes_from_the_host_to_a_backend_and_back(backend, path):
    for source, target in (("numpy", backend), (backend, "numpy")):
        net = MAKE["multi"](rng=0, backend=source)
        net.save(path)
        again = Network.load(path, backend=target)
        assert again.backend is net.to(target).backend and bits(again) == bits(net)


def test_every_class_of_the_library_is_known():
    known = {*architecture.LAYERS, *architecture.LOSSES, *architecture.networks(Network)}
    assert known >= {"Network", "Sequential", "TwoLayerNet", "MultiLayerNet", "SimpleConvNet", "DeepConvNet"}
    assert known >= {*layers.__all__, *losses.__all__} - {"Layer", "Loss"}
    in_cases = {type(each).__name__ for each in EVERY_LAYER}
    assert in_cases == {*architecture.LAYERS}, "give the new layer a place in EVERY_LAYER"


@pytest.mark.parametrize("name", MAKE)
def test_a_file_is_hardly_larger_than_its_numbers(name, path):
    net = MAKE[name](rng=0)
    net.save(path)
    arrays = [net.params.flat, *net.state.values()]
    count = len(net.params) + len(net.state)
    assert path.stat().st_size - sum(array.nbytes for array in arrays) <= 2000 + 100 * count


def test_other_programs_read_the_numbers(path):
    net = MAKE["multi"](rng=0)
    net.save(path)
    found = safetensors.numpy.load_file(path)
    assert {*found} == {*net.params, *net.state}
    assert all((found[name] == array).all() for name, array in {**net.params, **net.state}.items())


def test_pytorch_reads_the_numbers(path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import load_file

    net = TwoLayerNet(4, 3, 2, rng=0)
    net.save(path)
    found = load_file(path)
    x = torch.ones(1, 4)
    logits = torch.relu(x @ found["W1"] + found["b1"]) @ found["W2"] + found["b2"]
    assert np.allclose(logits.numpy(), net.predict(np.ones((1, 4))), atol=1e-6)


LOAD = """
import re, sys
import safetensors.numpy
from backprop.networks import Network
peak = lambda: 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
before = peak()
net = Network.load(sys.argv[1])
print((peak() - before) / net.params.flat.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no /proc")
def test_loading_needs_no_second_copy_of_the_weights(path):
    Sequential([Affine(4096), ReLU(), Affine(4096), Affine(10)], 1024, rng=0).save(path)
    out = subprocess.run([sys.executable, "-c", LOAD, path], capture_output=True, text=True, check=True)
    assert 0.5 < float(out.stdout) < 1.2


class Doubled(ReLU):
    """A layer that is not the library's."""

    def compute(self, xp, x):
        return 2.0 * xp.maximum(x, 0.0 * x), (x,)


class MyNet(TwoLayerNet):
    """A network that is not the library's."""


def foreign():
    return Sequential([Affine(3), Doubled(), Affine(2)], 4, rng=0)


def test_a_foreign_layer_is_named_with_the_way(path):
    net = foreign()
    net.save(path)
    with pytest.raises(
        FileError, match=r"has the layer .*Doubled, .*; create the network and .*load_weights"
    ):
        Network.load(path)
    again = Sequential([Affine(3), Doubled(), Affine(2)], 4, rng=1)
    again.load_weights(path)
    assert bits(again) == bits(net)


def test_a_foreign_network_a_foreign_loss_and_a_replaced_formula_are_named(path):
    class Own(SoftmaxCrossEntropy):
        pass

    replaced = TwoLayerNet(4, 3, 2, rng=0)
    replaced.layers["ReLU1"].evaluate = lambda xp, x: x
    for net, what in (
        (MyNet(4, 3, 2, rng=0), "the network .*MyNet"),
        (Sequential([Affine(2)], 3, Own(), rng=0), "the loss .*Own"),
        (replaced, "the layer backprop.layers.relu.ReLU"),
    ):
        net.save(path)
        with pytest.raises(FileError, match=what):
            Network.load(path)


def test_objects_in_the_form_of_the_book_are_saved(path):
    class Scale:
        def __init__(self):
            self.W, self.dW, self.state = np.ones(3), None, np.zeros(2)

        def forward(self, x):
            self.x = x
            return x * self.W

        def backward(self, dout):
            self.dW = (dout * self.x).sum(axis=0)
            return dout * self.W

    net = Sequential([Affine(3), Scale(), Affine(2)], 4, rng=0, dtype="float64")
    net.params["W2"] = [1.0, 2.0, 3.0]
    net.save(path)
    with pytest.raises(FileError, match="the layer .*Scale, which is not the library's"):
        Network.load(path)
    again = Sequential([Affine(3), Scale(), Affine(2)], 4, rng=1, dtype="float64")
    again.load_weights(path)
    assert bits(again) == bits(net) and again.layers["Scale1"].W.tolist() == [1.0, 2.0, 3.0]


def test_a_class_refuses_the_network_of_another(path):
    Sequential([Affine(2)], 3, rng=0).save(path)
    assert type(Sequential.load(path)) is Sequential
    with pytest.raises(FileError, match=r"holds a Sequential, not a TwoLayerNet; use Sequential.load"):
        TwoLayerNet.load(path)


@pytest.mark.parametrize("name", ["state", "parameter", "shape", "range", "kind"])
def test_weights_that_do_not_fit_change_nothing(name, path):
    net = Sequential([Affine(3), BatchNorm(), Dropout(), Affine(2)], 4, rng=0)
    net.save(path)
    arrays = safetensors.numpy.load_file(path)
    if name == "state":
        del arrays["running_var1"]
    elif name == "parameter":
        arrays["W3"] = arrays["W1"]
    elif name == "shape":
        arrays["b2"] = np.zeros((3,), "float32")
    elif name == "range":
        arrays["b2"] = np.array([1.0, 1e300])
    else:
        arrays["passes1"] = np.zeros((1,), "int64")
    safetensors.numpy.save_file(arrays, path)
    other = Sequential([Affine(3), BatchNorm(), Dropout(), Affine(2)], 4, rng=1)
    before = bits(other)
    with pytest.raises(FileError) as caught:
        other.load_weights(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert bits(other) == before


def test_weights_of_another_precision_are_cast(path):
    net = TwoLayerNet(4, 3, 2, rng=0, dtype="float64")
    net.save(path)
    other = TwoLayerNet(4, 3, 2, rng=1)
    other.load_weights(path)
    assert bits(other) == bits(net.astype("float32"))


def test_a_parameter_and_a_state_of_one_name_are_two_arrays(path):
    class Scale(layers.Layer):
        def compute(self, xp, x, m):
            return x * m, (x, m)

        def derive(self, xp, dout, x, m):
            return dout * m, xp.sum(dout * x, axis=0)

    class Count(layers.Layer):
        def compute(self, xp, x, m):
            return x, (), (m + 1,)

        def derive(self, xp, dout):
            return dout

    own = [Scale(m=np.array([2.0])), Count(state={"m": np.array([3.0])})]
    net = Sequential(own, 1, MeanSquaredError(), dtype="float64")
    net.save(path)
    net.params["m1"] = [7.0]
    net.state["m1"][...] = 8.0
    net.load_weights(path)
    assert float(net.params["m1"][0]) == 2.0 and float(net.state["m1"][0]) == 3.0


def edited(path, change):
    """Write a file again, with its description changed."""
    with safetensors.safe_open(path, "numpy") as file:
        facts = json.loads(file.metadata()["backprop"])
    arrays = safetensors.numpy.load_file(path)
    change(facts)
    safetensors.numpy.save_file(arrays, path, {"backprop": json.dumps(facts)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda facts: facts.update(format=2), "format of at most 1, got 2; install a newer version"),
        (lambda facts: facts.update(format="1"), "format of at most 1"),
        (lambda facts: facts.pop("format"), "damaged"),
        (lambda facts: facts.pop("layers"), "damaged"),
        (lambda facts: facts.update(input=[10**14]), "damaged"),
        (lambda facts: facts.update(input=[-4]), "damaged"),
        (lambda facts: facts.update(input=["4"]), "damaged"),
        (lambda facts: facts["layers"].pop(), "must hold the arrays"),
        (lambda facts: facts["layers"][0].__setitem__(1, "W"), "damaged"),
        (lambda facts: facts["layers"].append(["Affine", "W b"]), "damaged"),
        (lambda facts: facts["layers"].append(["LayerNorm", "gamma beta"]), "damaged"),
        (lambda facts: facts["layers"].append(["Dropout", "", "", {"ratio": 2.0}]), "damaged"),
        (lambda facts: facts["layers"].append(["Dropout", "", "", {"ratio": 0.5}]), "damaged"),
        (lambda facts: facts["layers"].append(["LeakyReLU", "", "", {"slope": "0.1"}]), "damaged"),
        (lambda facts: facts["layers"].append(["ReLU", "", "", {"compute": 1}]), "damaged"),
        (lambda facts: facts["layers"].append(["os.system"]), "the layer os.system, which is not"),
        (lambda facts: facts["layers"].append(["Layer"]), "the layer Layer, which is not"),
        (lambda facts: facts.update({"class": "Layer"}), "the network Layer, which is not"),
        (lambda facts: facts.update(settings={"gradient": 1.0}), "damaged"),
        (lambda facts: facts.update(loss=["ReLU", {}]), "the loss ReLU, which is not"),
        (lambda facts: facts.update(names=["a", "a", "a"]), "damaged"),
    ],
)
def test_an_edited_description_is_refused(change, words, path):
    TwoLayerNet(4, 3, 2, rng=0).save(path)
    edited(path, change)
    with pytest.raises(FileError, match=words) as caught:
        Network.load(path)
    assert str(caught.value).startswith(str(path)) and len(str(caught.value)) < 200 + len(str(path))


def test_the_layers_of_a_file_must_fit_each_other(path):
    Sequential([Affine(3), Flatten(), Affine(3)], (2, 2), rng=0).save(path)
    edited(path, lambda facts: facts.update(input=[5]))
    with pytest.raises(FileError, match="damaged"):
        Network.load(path)


def test_a_file_without_a_description_has_only_weights(path):
    net = TwoLayerNet(4, 3, 2, rng=0)
    safetensors.numpy.save_file(dict(net.params), path)
    with pytest.raises(FileError, match="does not say what network it is; create the network"):
        Network.load(path)
    again = TwoLayerNet(4, 3, 2, rng=1)
    again.load_weights(path)
    assert bits(again) == bits(net)


def test_a_header_that_promises_terabytes_is_refused(path):
    for size in (2**20, 10**13):
        header = json.dumps({"W1": {"dtype": "F32", "shape": [size], "data_offsets": [0, 4 * size]}}).encode()
        path.write_bytes(len(header).to_bytes(8, "little") + header)
        with pytest.raises(FileError, match="undamaged"):
            Network.load(path)
    path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(FileError, match="truncated"):
        Network.load(path)


def test_what_is_no_file_of_weights_is_refused(path, tmp_path):
    with pytest.raises(FileNotFoundError):
        Network.load(path)
    with pytest.raises(FileError, match="must be a regular file"):
        Network.load(tmp_path)
    if not hasattr(os, "mkfifo"):
        return
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="must be a regular file"):
        Network.load(tmp_path / "pipe")
    for content in (b"", b"x", b"PK\x03\x04" * 99):
        path.write_bytes(content)
        with pytest.raises(FileError, match=r"net\.safetensors: is no"):
            Network.load(path)
    header = b'{"W1":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(6))
    with pytest.raises(FileError, match=r"W1 must hold one of F64, .*, got BF16"):
        TwoLayerNet(4, 3, 2).load_weights(path)


def test_a_file_that_cannot_be_written_leaves_the_old_one(path, monkeypatch):
    TwoLayerNet(4, 3, 2, rng=0).save(path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        TwoLayerNet(4, 3, 2, rng=1).save(path)
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_without_the_library_one_line_says_what_to_install(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    net = TwoLayerNet(4, 3, 2, rng=0)
    for call in (lambda: net.save(path), lambda: Network.load(path), lambda: net.load_weights(path)):
        with pytest.raises(ImportError, match=r"needs safetensors .*pip install safetensors"):
            call()


def test_a_network_is_saved_while_others_use_it(path):
    net = MAKE["multi"](rng=0)
    x, t, failures = np.ones((4, 5)), [0, 1, 1, 0], []

    def use():
        try:
            for _ in range(50):
                net.gradient(x, t)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        net.save(path)
        passes = {int(Network.load(path).state[f"passes{i}"][0]) for i in (1, 2)}
        assert len(passes) == 1  # a whole pass, never half of one
    for thread in threads:
        thread.join()
    assert not failures


def test_a_file_that_is_replaced_while_it_is_read_is_not_mixed(path, monkeypatch):
    old, new = (TwoLayerNet(400, 300, 2, rng=seed) for seed in (0, 1))
    old.save(path)
    real = TensorFile.read_into

    def read_into(self, name, target):
        new.save(path)  # in the middle
        real(self, name, target)

    with monkeypatch.context() as patch:
        patch.setattr(TensorFile, "read_into", read_into)
        assert Network.load(path).params == old.params
    file = TensorFile(path)
    old.save(path)
    with pytest.raises(FileError, match="was replaced while it was read; load it again"):
        file.read("W1")


def test_what_no_file_can_hold_is_refused_when_it_is_saved(path):
    class Complex(ReLU):
        def __init__(self):
            super().__init__()
            self.state = {"seen": np.zeros(1, "complex64")}

        def compute(self, xp, x, seen):
            return xp.maximum(x, 0.0 * x), (x,), (seen,)

    net = Sequential([Affine(3), Complex(), Affine(2)], 4, rng=0)
    with pytest.raises(TypeError, match="^Sequential.save: seen1 must hold real numbers to be written"):
        net.save(path)
    net = Sequential({"x" * 2**20: Affine(2)}, 4, rng=0)
    with pytest.raises(ValueError, match=r"^Sequential.save: names .* at most 1,048,576 bytes, got"):
        net.save(path)
    assert not path.exists()


def test_a_replaced_method_makes_a_network_ones_own(path):
    net = TwoLayerNet(4, 3, 2, rng=0)
    net.predict = lambda x: x
    net.save(path)
    with pytest.raises(FileError, match="the network backprop.networks.two_layer_net.TwoLayerNet"):
        Network.load(path)


def test_names_that_would_move_the_cursor_are_escaped(path):
    Sequential({"\x1b[31m\nred": Doubled(), "out": Affine(2)}, 3, rng=0).save(path)
    edited(path, lambda facts: facts["layers"][0].__setitem__(0, "\x1b[31m\nred"))
    with pytest.raises(FileError) as caught:
        Network.load(path)
    assert str(caught.value).isprintable()
