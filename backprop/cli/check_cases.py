"""The inputs on which each layer and network is checked: typical ones, and those where gradients go wrong.

tests/test_every_gradient.py fails for a class of `backprop.layers`, `backprop.losses` or
`backprop.networks` that has no case here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from backends import Backend, to_numpy
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
from backprop.networks import DeepConvNet, MultiLayerNet, Network, Sequential, SimpleConvNet, TwoLayerNet
from backprop.scalar import (
    AddLayer,
    DivLayer,
    ExpLayer,
    LogLayer,
    MulLayer,
    ReciprocalLayer,
    SigmoidLayer,
    SumLayer,
)

Make = Callable[[Any, Backend], tuple[Any, ...]]


class Case(NamedTuple):
    """An object with its inputs, which `case(rng, backend)` makes.

    what: what is special about the case.
    hostile: True if the gradient nearly cancels. A correct backward then agrees with the derivative only to
    the rounding error of the terms, not of their sum.
    """

    what: str
    make: Make
    hostile: bool = False

    def __call__(self, rng: Any, backend: Backend) -> tuple[Any, ...]:
        """Return the object and its inputs, arrays of that backend.  rng: a numpy.random.Generator."""
        return self.make(rng, backend)


def normal(rng: Any, backend: Backend, *shape: int, by: float = 1.0) -> Any:
    """Return normal random numbers times a factor, float64."""
    return backend.asarray(by * rng.standard_normal(shape))


# ----------------------------------------------------------------------------------------- layers, one by one


def elementwise(layer: Callable[[], Any]) -> list[Case]:
    """Return cases for a layer that takes any shape."""

    def signed_zeros(rng: Any, backend: Backend) -> tuple[Any, ...]:
        return layer(), backend.asarray([[0.0, -0.0], [-0.0, 0.0]])

    return [
        *values(layer),
        Case("images", lambda rng, xp: (layer(), normal(rng, xp, 3, 2, 3))),
        Case("a single sample", lambda rng, xp: (layer(), normal(rng, xp, 1, 4))),
        Case("a vector", lambda rng, xp: (layer(), normal(rng, xp, 6))),
        Case("zeros of both signs", signed_zeros),
    ]


def values(layer: Callable[[], Any]) -> list[Case]:
    """Return cases for the values of an elementwise layer; `elementwise` has some of other shapes, too."""

    def at_zero(rng: Any, backend: Backend) -> tuple[Any, ...]:
        return layer(), backend.asarray(rng.standard_normal((5, 4)) * (rng.random((5, 4)) < 0.5))

    def tiny(rng: Any, backend: Backend) -> tuple[Any, ...]:
        return layer(), normal(rng, backend, 3, 2, by=1e-7)  # smaller than the step of central differences

    return [
        Case("normal input", lambda rng, xp: (layer(), normal(rng, xp, 5, 4))),
        Case("a 0-d array", lambda rng, xp: (layer(), normal(rng, xp))),
        Case("half of the input exactly 0", at_zero),
        Case("input close to 0", tiny),
        Case("20 times as large", lambda rng, xp: (layer(), normal(rng, xp, 5, 4, by=20.0))),
        Case("100 times as large", lambda rng, xp: (layer(), normal(rng, xp, 5, 4, by=100.0))),
    ]


def on_normal(
    layer: Callable[[], Any],
    what: str,
    *shape: int,
    std: float = 1.0,
    dtype: str = "float64",
    by: float = 1.0,
    beside: float = 0.0,
    hostile: bool = False,
) -> Case:
    """Return a case of a layer with normal random parameters on normal random numbers of that shape.

    std, dtype: of the parameters.  by, beside: the standard deviation of the input, and its mean.
    """

    def make(rng: Any, backend: Backend) -> tuple[Any, ...]:
        made = layer()
        made.build(shape[1:], rng, dtype, backend)
        for array in made.params.values():
            array[...] = backend.asarray(std * rng.standard_normal(array.shape), dtype)
        return made, backend.asarray(beside + by * rng.standard_normal(shape))

    return Case(what, make, hostile)


def pooled(kind: Callable[..., Any]) -> list[Case]:
    """Return cases for a pooling."""
    return [
        on_normal(lambda: kind(2), "normal input", 3, 2, 4, 6),
        on_normal(lambda: kind(3, 2, 1), "windows that overlap, padding", 2, 2, 5, 4),
        on_normal(lambda: kind(2, 3), "values that no window meets", 2, 2, 5, 6),
        on_normal(lambda: kind(3), "a window as large as the image", 1, 2, 3, 3),
        on_normal(lambda: kind(1), "one value in and out", 5, 1, 1, 1),
        on_normal(lambda: kind(2), "100 times as large", 3, 2, 4, 4, by=100.0),
    ]


def squared_error(what: str, *shape: int, by: float = 1.0) -> Case:
    """Return a case of normal random outputs and targets, times a factor."""

    def make(rng: Any, backend: Backend) -> tuple[Any, ...]:
        return MeanSquaredError(), *(normal(rng, backend, *shape, by=by) for _ in range(2))

    return Case(what, make)


def binary_cross_entropy(what: str, *shape: int, by: float = 1.0, soft: bool = False) -> Case:
    """Return a case of normal random logits times a factor.  soft: with probabilities as targets."""

    def make(rng: Any, backend: Backend) -> tuple[Any, ...]:
        logits, t = normal(rng, backend, *shape, by=by), rng.random(shape)
        return SigmoidBinaryCrossEntropy(), logits, t if soft else t < 0.5

    return Case(what, make)


def cross_entropy(
    what: str,
    samples: int = 7,
    classes: int = 5,
    by: float = 1.0,
    labels: str = "int",
    smoothing: float = 0.0,
) -> Case:
    """Return a case of normal random logits times a factor.  labels: see `labels_of`."""

    def make(rng: Any, backend: Backend) -> tuple[Any, ...]:
        logits = by * rng.standard_normal((samples, classes))
        return (
            SoftmaxCrossEntropy(smoothing),
            backend.asarray(logits),
            labels_of(rng, backend, logits, labels),
        )

    return Case(what, make, hostile=labels == "most likely")


def labels_of(rng: Any, backend: Backend, logits: Any, kind: str) -> Any:
    """Return a label per row of logits, a host array.

    kind: "int", "one-hot", "list", "backend" or "most likely"; "soft" for soft targets instead.
    """
    samples, classes = logits.shape
    if kind == "most likely":
        return logits.argmax(axis=1)
    if kind == "soft":
        return rng.dirichlet([1.0] * classes, samples)
    t = rng.integers(0, classes, samples)
    if kind == "one-hot":
        return (t[:, None] == list(range(classes))).astype(int)
    return {"int": t, "list": t.tolist(), "backend": backend.asarray(t)}[kind]


def two_numbers(layer: type, second: Callable[..., Any] = normal) -> list[Case]:
    """Return cases for a layer of two numbers or broadcasting arrays.  second: makes the second input."""

    def of(x: tuple[int, ...], y: tuple[int, ...]) -> Make:
        return lambda rng, backend: (layer(), normal(rng, backend, *x), second(rng, backend, *y))

    return [
        Case("two numbers", lambda rng, backend: (layer(), 3.0, -4.0)),
        Case("integers", lambda rng, backend: (layer(), 100, 2)),
        Case("0-d arrays", of((), ())),
        Case("one shape", of((4, 3), (4, 3))),
        Case("a row to every row", of((4, 3), (3,))),
        Case("a column and a row", of((4, 1), (1, 3))),
        Case("more axes on the right", of((3,), (2, 4, 3))),
        Case("a 0-d array to every entry", of((), (4, 3))),
    ]


def with_zero(layer: type) -> Case:
    """Return a case with one input 0."""
    return Case("integers, one of them 0", lambda rng, backend: (layer(), 100, 0))


def one_number(layer: type, make: Callable[..., Any] = normal) -> list[Case]:
    """Return cases for a layer of one number or array.  make: makes the arrays."""
    return [
        Case("a number", lambda rng, backend: (layer(), 0.75)),
        Case("an integer", lambda rng, backend: (layer(), 2)),
        Case("a 0-d array", lambda rng, backend: (layer(), make(rng, backend))),
        Case("an array", lambda rng, backend: (layer(), make(rng, backend, 4, 3))),
    ]


def positive(rng: Any, backend: Backend, *shape: int) -> Any:
    """Return random numbers from 0.5 to 2.5, float64."""
    return backend.asarray(0.5 + 2.0 * rng.random(shape))


def several_numbers(rng: Any, backend: Backend) -> tuple[Any, ...]:
    """Return a SumLayer and three arrays whose shapes broadcast."""
    return SumLayer(), *(normal(rng, backend, *shape) for shape in ((4, 3), (3,), ()))


# --------------------------------------------------------------------------------------------------- networks


def two_layer_net(
    what: str,
    *,
    samples: int = 5,
    sizes: tuple[int, int, int] = (6, 4, 3),
    image: tuple[int, ...] = (6,),
    dtype: str = "float64",
    std: float = 1.0,
    labels: str = "int",
) -> Case:
    """Return a case of a small TwoLayerNet on normal random samples."""

    def make(rng: Any, backend: Backend) -> tuple[Any, ...]:
        net = TwoLayerNet(*sizes, weight_init_std=std, dtype=dtype, rng=rng, backend=backend)
        return net, *data_for(net, rng, samples, image, labels)

    return Case(what, make, hostile=labels == "most likely")


def network(what: str, labels: str = "int", dtype: str = "float64") -> Case:
    """Return a case of a network with every kind of layer but those of images, some of them twice."""

    def make(rng: Any, backend: Backend) -> tuple[Any, ...]:
        options: dict[str, Any] = {"rng": rng, "dtype": dtype, "backend": backend, "weight_init_std": 1.0}
        layers = {
            "LayerNorm0": LayerNorm(),
            "Tanh0": Tanh(),
            "Flatten0": Flatten(),
            "BatchNorm0": BatchNorm(),
            "Sigmoid0": Sigmoid(),
            "Affine1": Affine.create(6, 5, **options),
            "ReLU1": ReLU(),
            "Dropout1": Dropout(0.4),
            "Affine2": Affine(4, weight_init_std=1.0),
            "GELU2": GELU(),
            "Softmax2": Softmax(),
            "Sigmoid2": Sigmoid(),
            "LeakyReLU2": LeakyReLU(0.3),
            "Affine3": Affine.create(4, 3, **options),
        }
        net = Network(layers, SoftmaxCrossEntropy(), (2, 3), 3, rng=rng, dtype=dtype, backend=backend)
        return net, *data_for(net, rng, 5, (2, 3), labels)

    return Case(what, make)


def single_layer(rng: Any, backend: Backend) -> tuple[Any, ...]:
    """Return the shortest network with parameters, logistic regression, and its inputs."""
    layer = Affine.create(4, 3, weight_init_std=1.0, rng=rng, dtype="float64", backend=backend)
    net = Network({"Affine1": layer}, SoftmaxCrossEntropy(), 4, 3)
    return net, *data_for(net, rng, 6, (4,), "int")


def regression(rng: Any, backend: Backend) -> tuple[Any, ...]:
    """Return a network with squared error as its loss, and its inputs."""
    options: dict[str, Any] = {"rng": rng, "dtype": "float64", "backend": backend}
    net = Network([Affine(4, weight_init_std=1.0), Sigmoid(), Affine(2)], MeanSquaredError(), 3, 2, **options)
    return net, normal(rng, backend, 5, 3), normal(rng, backend, 5, 2)


def convolutional(rng: Any, backend: Backend) -> tuple[Any, ...]:
    """Return a network with every kind of layer of images, and its inputs."""
    layers = [
        *(Conv2D(3, (2, 3), padding=1), ReLU(), MaxPool2D(2, 1), BatchNorm()),
        *(Conv2D(4, 2, stride=2, padding=1), Tanh(), AveragePool2D(2, 1)),
        *(Conv2D(3, 1), GlobalAveragePool2D()),
    ]
    net = Network(layers, SoftmaxCrossEntropy(), (2, 4, 4), 3, rng=rng, dtype="float64", backend=backend)
    return net, *data_for(net, rng, 4, (2, 4, 4), "int")


def sequential(rng: Any, backend: Backend) -> tuple[Any, ...]:
    """Return a Sequential of layers without arrays, and its inputs."""
    layers = [Flatten(), Affine(5), Tanh(), LayerNorm(), Affine(4), GELU(), Affine(3)]
    net = Sequential(layers, (2, 3), rng=rng, dtype="float64", backend=backend)
    return net, *data_for(net, rng, 5, (2, 3), "int")


def multi_layer_net(what: str, activation: str, decay: float = 0.0, norm: bool = False) -> Case:
    """Return a case of a small MultiLayerNet. Biases in front of BatchNorm have gradients of 0."""

    def make(rng: Any, backend: Backend) -> tuple[Any, ...]:
        options: dict[str, Any] = {"use_batchnorm": norm, "rng": rng, "dtype": "float64", "backend": backend}
        net = MultiLayerNet(6, [5, 4], 3, activation, weight_decay_lambda=decay, **options)
        return net, *data_for(net, rng, 5, (6,), "int")

    return Case(what, make, hostile=norm)


def conv_net(what: str, kind: type[Network], **settings: Any) -> Case:
    """Return a case of a network for images."""

    def make(rng: Any, backend: Backend) -> tuple[Any, ...]:
        net = kind(**settings, rng=rng, dtype="float64", backend=backend)
        return net, *data_for(net, rng, 2, net.input_shape, "int")

    return Case(what, make)


def data_for(net: Network, rng: Any, samples: int, image: tuple[int, ...], labels: str) -> tuple[Any, Any]:
    """Return samples and labels for a network, on its backend and representable in its dtype."""
    x = net.backend.asarray(rng.standard_normal((samples, *image)), net.dtype)
    return x, labels_of(rng, net.backend, to_numpy(net.predict(x)), labels)


CONV_PARAM = {"filter_num": 2, "filter_size": 3, "pad": 1, "stride": 1}
DEEP = {f"conv_param_{i}": CONV_PARAM for i in range(1, 7)}
CASES: dict[str, list[Case]] = {
    "Affine": [
        on_normal(lambda: Affine(3), "normal input", 5, 6),
        on_normal(lambda: Affine(3), "images", 4, 2, 3),
        on_normal(lambda: Affine(3), "a single sample", 1, 4),
        on_normal(lambda: Affine(1), "one value in and out", 5, 1),
        on_normal(lambda: Affine(3), "as many samples as values in and out", 3, 3),
        on_normal(lambda: Affine(3), "float32 parameters", 5, 4, dtype="float32"),
        on_normal(lambda: Affine(3), "parameters of 0", 5, 4, std=0.0),
        on_normal(lambda: Affine(3), "100 times as large", 5, 4, by=100.0),
    ],
    "Conv2D": [
        on_normal(lambda: Conv2D(3, 3), "normal input", 2, 2, 5, 6),
        on_normal(lambda: Conv2D(2, (2, 3), stride=2, padding=1), "a wide kernel", 2, 3, 5, 4),
        on_normal(lambda: Conv2D(2, 2, stride=3), "values that no window meets", 2, 2, 6, 7),
        on_normal(lambda: Conv2D(2, 2, padding=2), "windows of padding only", 2, 1, 3, 2),
        on_normal(lambda: Conv2D(3, (2, 4)), "a kernel as large as the image", 3, 2, 2, 4),
        on_normal(lambda: Conv2D(1, 1), "one value in and out", 5, 1, 1, 1),
        on_normal(lambda: Conv2D(3, 3, padding=1), "a single sample", 1, 2, 3, 3),
        on_normal(lambda: Conv2D(2, 2), "float32 parameters", 2, 2, 3, 3, dtype="float32"),
        on_normal(lambda: Conv2D(2, 2), "parameters of 0", 2, 2, 3, 3, std=0.0),
        on_normal(lambda: Conv2D(2, 2), "100 times as large", 2, 2, 3, 3, by=100.0),
    ],
    "MaxPool2D": [
        *pooled(MaxPool2D),
        on_normal(lambda: MaxPool2D(2, padding=1), "negative values beside padding", 2, 2, 4, 3, beside=-9.0),
        on_normal(lambda: MaxPool2D(2), "equal values", 1, 1, 2, 4, by=0.0),
    ],
    "AveragePool2D": pooled(AveragePool2D),
    "GlobalAveragePool2D": [
        on_normal(GlobalAveragePool2D, "normal input", 3, 2, 4, 5),
        on_normal(GlobalAveragePool2D, "a single sample", 1, 2, 3, 3),
        on_normal(GlobalAveragePool2D, "one value in and out", 5, 1, 1, 1),
        on_normal(GlobalAveragePool2D, "100 times as large", 3, 2, 4, 5, by=100.0),
    ],
    "ReLU": elementwise(ReLU),
    "Sigmoid": elementwise(Sigmoid),
    "Tanh": values(Tanh),
    "LeakyReLU": [
        *values(LeakyReLU),
        Case("a slope of 0.9", lambda rng, xp: (LeakyReLU(0.9), normal(rng, xp, 5, 4))),
    ],
    "GELU": values(GELU),
    "Softmax": [
        on_normal(Softmax, "normal scores", 5, 4),
        on_normal(Softmax, "images", 3, 2, 4),
        on_normal(Softmax, "a vector", 6),
        on_normal(Softmax, "equal scores", 3, 4, by=0.0),
        on_normal(Softmax, "20 times as large, nearly 1 somewhere", 5, 4, by=20.0, hostile=True),
        on_normal(Softmax, "100 times as large, nearly 1 somewhere", 5, 4, by=100.0, hostile=True),
    ],
    "Flatten": [
        on_normal(Flatten, "images", 3, 2, 4, 4),
        on_normal(Flatten, "a single sample", 1, 2, 3),
    ],
    "LayerNorm": [
        on_normal(LayerNorm, "normal input", 6, 4),
        on_normal(LayerNorm, "images", 3, 2, 4, 4),
        on_normal(LayerNorm, "a single sample", 1, 5),
        on_normal(LayerNorm, "two values, normalized to 1 and -1", 5, 2, hostile=True),
        on_normal(LayerNorm, "far from 0", 6, 4, beside=100.0),
        on_normal(LayerNorm, "100 times as large", 6, 4, by=100.0),
    ],
    "BatchNorm": [
        on_normal(BatchNorm, "normal input", 6, 4),
        on_normal(BatchNorm, "images", 3, 2, 4, 4),
        on_normal(BatchNorm, "two samples, normalized to 1 and -1", 2, 3, hostile=True),
        on_normal(BatchNorm, "a single feature", 5, 1),
        on_normal(BatchNorm, "far from 0", 6, 4, beside=100.0),
        on_normal(BatchNorm, "100 times as large", 6, 4, by=100.0),
    ],
    "Dropout": [
        on_normal(Dropout, "half of the values dropped", 3, 3),
        on_normal(lambda: Dropout(0.25), "images", 2, 1, 2, 2),
        on_normal(Dropout, "a single sample", 1, 4),
        on_normal(lambda: Dropout(0.0), "all values kept", 2, 2),
    ],
    "MeanSquaredError": [
        squared_error("normal outputs", 5, 3),
        squared_error("images", 3, 2, 4),
        squared_error("a single sample", 1, 2),
        squared_error("a single value", 4, 1),
        squared_error("100 times as large", 5, 3, by=100.0),
    ],
    "SigmoidBinaryCrossEntropy": [
        binary_cross_entropy("yes or no", 5, 3),
        binary_cross_entropy("probabilities", 5, 3, soft=True),
        binary_cross_entropy("images", 3, 2, 4),
        binary_cross_entropy("a single sample", 1, 2),
        binary_cross_entropy("a single value", 4, 1),
        binary_cross_entropy("equal logits", 5, 3, by=0.0, soft=True),
        binary_cross_entropy("20 times as large", 5, 3, by=20.0),
        binary_cross_entropy("100 times as large, probabilities", 5, 3, by=100.0, soft=True),
    ],
    "SoftmaxCrossEntropy": [
        cross_entropy("normal logits"),
        cross_entropy("one-hot labels", labels="one-hot"),
        cross_entropy("labels in a list", labels="list"),
        cross_entropy("labels on the backend", labels="backend"),
        cross_entropy("soft targets", labels="soft"),
        cross_entropy("smoothed labels", smoothing=0.1),
        cross_entropy("smoothed soft targets, 20 times as large", by=20.0, labels="soft", smoothing=0.1),
        cross_entropy("a single sample", samples=1),
        cross_entropy("a single class", classes=1),
        cross_entropy("equal logits", by=0.0),
        cross_entropy("20 times as large", by=20.0),
        cross_entropy("100 times as large, one-hot labels", by=100.0, labels="one-hot"),
        cross_entropy("20 times as large, all correct", by=20.0, labels="most likely"),
        cross_entropy("100 times as large, all correct", by=100.0, labels="most likely"),
    ],
    "MulLayer": [*two_numbers(MulLayer), with_zero(MulLayer)],
    "AddLayer": [*two_numbers(AddLayer), with_zero(AddLayer)],
    "SumLayer": [
        *two_numbers(SumLayer),
        Case("three arrays", several_numbers),
        Case("a single number", lambda rng, backend: (SumLayer(), 3.0)),
    ],
    "DivLayer": two_numbers(DivLayer, second=positive),
    "ReciprocalLayer": one_number(ReciprocalLayer, positive),
    "ExpLayer": one_number(ExpLayer),
    "LogLayer": one_number(LogLayer, positive),
    "SigmoidLayer": one_number(SigmoidLayer),
    "Sequential": [Case("layers without arrays", sequential)],
    "MultiLayerNet": [
        multi_layer_net("two hidden layers", "tanh"),
        multi_layer_net("weight decay", "sigmoid", decay=0.5),
        multi_layer_net("weight decay and batch normalization", "gelu", decay=0.5, norm=True),
    ],
    "SimpleConvNet": [
        conv_net(
            "small images",
            SimpleConvNet,
            input_dim=(1, 6, 6),
            conv_param=CONV_PARAM,
            hidden_size=4,
            weight_init_std=0.5,
        ),
        conv_net(
            "colours, a stride of 2",
            SimpleConvNet,
            input_dim=(3, 7, 5),
            conv_param={**CONV_PARAM, "stride": 2},
            hidden_size=4,
            weight_init_std=0.5,
        ),
    ],
    "DeepConvNet": [
        conv_net("small images", DeepConvNet, input_dim=(1, 8, 8), **DEEP, hidden_size=20, output_size=3)
    ],
    "Network": [
        network("a chain of all layers"),
        network("one-hot labels", labels="one-hot"),
        network("soft targets", labels="soft"),
        network("float32", dtype="float32"),
        Case("convolution and pooling", convolutional),
        Case("a single layer", single_layer),
        Case("a squared error", regression),
    ],
    "TwoLayerNet": [
        two_layer_net("float64"),
        two_layer_net("float32", dtype="float32"),
        two_layer_net("one-hot labels", labels="one-hot"),
        two_layer_net("float32, one-hot labels", dtype="float32", labels="one-hot"),
        two_layer_net("images", image=(2, 3)),
        two_layer_net("a single sample", samples=1),
        two_layer_net("one value, one hidden unit, one class", sizes=(1, 1, 1), image=(1,)),
        two_layer_net("small weights, as before training", std=0.01),
        two_layer_net("weights of 0", std=0.0),
        two_layer_net("saturated", std=10.0),
        two_layer_net("saturated, all correct", std=10.0, labels="most likely"),
    ],
}
