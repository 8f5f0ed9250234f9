"""Training steps as a CUDA graph: the same bits as one by one, no waiting, and only where it gives the same.

Each test runs on an emulated CuPy, and with a GPU on the real one.
"""

import copy
import sys
from contextlib import suppress
from functools import partial

import numpy as np
import pytest
from emulated_cupy import Graph, emulated_backend
from emulated_memory import CUDARuntimeError

from backends import NewArrays, find, register
from backends.cupy import cublas, launch
from backends.cupy.graph import PrivateMemory
from backends.testing import backend_or_skip
from backprop import Sequential, TwoLayerNet, asarray, load_mnist_sample, to_numpy, train
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
from backprop.losses import MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, OneCycle, Optimizer, RMSProp
from backprop.training import Trainer

RNG = np.random.default_rng(0)
X, T = RNG.random((40, 12), dtype="float32"), RNG.integers(3, size=40)
PIXELS = RNG.integers(256, size=(40, 12)).astype("float32") / np.float32(255)
SEGMENT, BATCH = 3, 8  # an emulated step takes a tenth of a second


def two_layers(**options):
    return TwoLayerNet(12, 8, 3, **{"weight_init_std": 0.3, "rng": 0, "dtype": "float32", **options})


def net_of(*layers, loss=SoftmaxCrossEntropy, backend):
    """A network of 12 values to 3, with these layers between two of Affine."""
    first, last = Affine(8, weight_init_std=0.3), Affine(3, weight_init_std=0.3)
    return Network([first, *layers, last], loss(), 12, 3, rng=0, dtype="float32", backend=backend)


def with_sigmoid(backend):
    return net_of(Sigmoid(), Affine(5, weight_init_std=0.3), ReLU(), backend=backend)


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr("backprop.training.step.SEGMENT", SEGMENT)


@pytest.fixture(params=[(two_layers, True), (two_layers, False), (with_sigmoid, False)])
def make(request, monkeypatch):
    """A net by kernels that compute all of a layer, one by cuBLAS, and one whose layers are not fused."""
    net, small = request.param
    if not small:
        monkeypatch.setattr(launch, "SMALL", -1)
    return net


def trainer(net, capture=True, x=X, t=T, optimizer=None, batch=BATCH, **options):
    optimizer = SGD(0.2) if optimizer is None else optimizer
    return Trainer(net, optimizer, *net.prepare("test", x, t), batch, capture=capture, **options)


def losses_of(work, counts=(2, 2, SEGMENT + 1)):
    """The losses of batches in segments of these counts; the net's parameters have followed.

    By default the last one takes its own graph, and one that is there already.
    """
    rng = np.random.default_rng(7)
    size, batch = work.x.shape[0], work.indices.shape[1]
    return [loss for count in counts for loss in work.start(rng.integers(size, size=(count, batch)))()]


def left_by(work):
    """Return everything that steps change, as bytes: parameters, the optimizer's state and the layers'."""
    arrays = work.net.params.flat, *work.optimizer.arrays, *work.net.state.values()
    return [to_numpy(array).tobytes() for array in arrays]


@pytest.mark.parametrize(("x", "recompute_loss"), [(X, True), (PIXELS, False)], ids=["floats", "bytes"])
def test_a_captured_run_has_the_bits_of_an_eager_one(cuda, make, x, recompute_loss):
    captured, eager = (
        trainer(make(backend=cuda), capture, x, recompute_loss=recompute_loss) for capture in (True, False)
    )
    assert losses_of(captured) == losses_of(eager)
    assert left_by(captured) == left_by(eager)
    assert (captured.run.how, eager.run.how) == ("captured", "eager: capture=False")


@pytest.mark.parametrize("optimizer", [Momentum, Adam])
def test_statistics_and_velocities_move_in_replays_too(cuda, optimizer):
    """State carried from step to step is in arrays, which a trial leaves unchanged."""
    captured, eager = (
        trainer(net_of(BatchNorm(), ReLU(), backend=cuda), capture, optimizer=optimizer(0.1))
        for capture in (True, False)
    )
    before = left_by(captured)
    assert losses_of(captured) == losses_of(eager)
    assert captured.run.how == "captured"
    after = left_by(captured)
    assert after == left_by(eager)
    assert len(after) == 4 and not any(one == other for one, other in zip(before, after, strict=True))
    assert optimizer is Momentum or float(captured.optimizer.state["t"]) == 2 + 2 + SEGMENT + 1


def test_a_restart_replays_what_was_recorded(cuda):
    """With other weights, and the velocity at 0 again: the bits of a new trainer, and no new graph."""
    again, new = (trainer(two_layers(backend=cuda, rng=seed), optimizer=Nesterov(0.1)) for seed in (0, 1))
    losses_of(again)
    graphs = dict(again.run._graphs)
    again.restart(new.net)
    assert losses_of(again) == losses_of(new)
    assert left_by(again) == left_by(new)
    assert again.run.how == "captured" and again.run._graphs == graphs


def test_every_layer_with_a_twin_is_captured(cuda):
    layers = [LayerNorm, Tanh, lambda: Affine(5), LeakyReLU, GELU, Sigmoid, Softmax]
    captured, eager = (
        trainer(net_of(*(layer() for layer in layers), backend=cuda), capture, optimizer=Adam(0.1))
        for capture in (True, False)
    )
    assert losses_of(captured, (2, 1)) == losses_of(eager, (2, 1))
    assert left_by(captured) == left_by(eager)
    assert captured.run.how == "captured"


@pytest.mark.parametrize(
    "layers",
    [
        lambda: (Conv2D(4, 3, padding=1), ReLU(), MaxPool2D(2), Affine(5), ReLU()),
        lambda: (Conv2D(3, 3, stride=2), BatchNorm(), ReLU(), AveragePool2D(2, 1), Flatten()),
        lambda: (Conv2D(3, (2, 3)), MaxPool2D(3, 2, 1), Conv2D(2, 1), ReLU(), GlobalAveragePool2D()),
    ],
)
def test_convolutions_are_captured(cuda, layers):
    """Also where a layer has no kernels of its own, and none of them computes the gradient of the images."""
    images = RNG.random((40, 2, 7, 8), dtype="float32")

    def make():
        return Sequential([*layers(), Affine(3)], (2, 7, 8), rng=0, dtype="float32", backend=cuda)

    captured, eager = (trainer(make(), capture, images, optimizer=Momentum(0.1)) for capture in (True, False))
    numpys = trainer(make().to("numpy"), False, images, optimizer=Momentum(0.1))
    losses = losses_of(captured)
    assert losses == losses_of(eager) and left_by(captured) == left_by(eager)
    assert captured.run.how == "captured"
    np.testing.assert_allclose(losses, losses_of(numpys), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: AdamW(0.02, weight_decay=0.25, clip=0.5),
        lambda: Nesterov(0.1, 0.75, weight_decay=0.25, decayed="all"),
        lambda: RMSProp(0.01),
        lambda: AdaGrad(0.05),
    ],
)
def test_every_optimizer_is_captured_and_follows_its_settings(cuda, optimizer):
    """The count of steps, clipping and decay are on the device, and so is a rate that was assigned."""
    losses, left = [], []
    for capture in (True, False):
        work = trainer(two_layers(backend=cuda), capture, optimizer=optimizer())
        found = losses_of(work, (2,))
        work.optimizer.learning_rate *= 2
        work.optimizer.weight_decay *= 2
        losses.append((*found, *losses_of(work, (2,))))
        left.append(left_by(work))
        assert work.run.how == ("captured" if capture else "eager: capture=False")
    assert losses[0] == losses[1] and left[0] == left[1]


def test_each_replay_drops_other_values(cuda):
    captured, eager, numpys = (
        trainer(net_of(Dropout(), ReLU(), Dropout(0.25), backend=backend), capture)
        for backend, capture in ((cuda, True), (cuda, False), ("numpy", False))
    )
    losses = losses_of(captured)
    assert losses == losses_of(eager)
    np.testing.assert_allclose(losses, losses_of(numpys), rtol=0, atol=1e-5)
    assert left_by(captured) == left_by(eager)
    assert captured.run.how == "captured"
    assert to_numpy(captured.net.state["passes2"]).tolist() == [len(losses)]
    still = trainer(net_of(Dropout(), backend=cuda), optimizer=SGD(1e-30))
    assert len({*still.start([[*range(BATCH)]] * 2 * SEGMENT)()}) == 2 * SEGMENT


SHARES = np.abs(X[:, :3]) / np.abs(X[:, :3]).sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("loss", "t"),
    [
        (MeanSquaredError, X[:, :3]),
        (SigmoidBinaryCrossEntropy, SHARES),
        (partial(SoftmaxCrossEntropy, 0.1), SHARES),
        (partial(SoftmaxCrossEntropy, 0.1), T),
    ],
)
def test_targets_that_are_numbers_are_captured(cuda, loss, t):
    """A minibatch has rows of them as well."""
    captured, eager = (
        trainer(net_of(ReLU(), loss=loss, backend=cuda), capture, t=t) for capture in (True, False)
    )
    assert losses_of(captured) == losses_of(eager)
    assert left_by(captured) == left_by(eager)
    assert captured.run.how == "captured"


def test_it_follows_numpy(cuda, make):
    mine, numpys = (losses_of(trainer(make(backend=backend), x=PIXELS), (5,)) for backend in (cuda, "numpy"))
    np.testing.assert_allclose(mine, numpys, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_the_first_losses_of_the_chapters_training(emulated):
    """784-50-10 on digits: what the GPU report holds a real GPU to, kernel by kernel on the CPU."""
    (x, t), _ = load_mnist_sample()
    batches = np.random.default_rng(0).integers(len(x), size=(20, 100))
    losses = []
    for backend in (emulated, "numpy"):
        net = TwoLayerNet(784, 50, 10, dtype="float32", rng=0, backend=backend)
        losses.append(trainer(net, x=x, t=t, optimizer=SGD(0.1), batch=100).start(batches)())
    np.testing.assert_allclose(*losses, rtol=0, atol=1e-6)


def test_a_trial_leaves_parameters_and_generators_as_they_were(cuda):
    """The first replay starts from the weights that were there: its loss is that of the untrained network."""
    net, rng = two_layers(backend=cuda), np.random.default_rng(3)
    untrained = copy.deepcopy(net)
    history = train(net, X, T, iterations=1, batch_size=10, rng=rng)
    assert history.loop == "captured"
    batch = np.random.default_rng(3).integers(40, size=(1, 10))[0]
    assert history.loss[0] == pytest.approx(float(untrained.loss(X[batch], T[batch])), rel=1e-6)
    following = np.random.default_rng(3)
    following.integers(40, size=(1, 10))
    assert rng.bit_generator.state == following.bit_generator.state


@pytest.mark.parametrize("optimizer", [SGD, Momentum])
def test_a_graph_finds_a_changed_learning_rate(cuda, optimizer):
    works, losses = [], []
    for capture in (True, False):
        works.append(trainer(two_layers(backend=cuda), capture, optimizer=optimizer(0.2)))
        losses.append(losses_of(works[-1], (2,)))
        works[-1].optimizer.learning_rate = 0.02
        losses[-1] += losses_of(works[-1], (2,))
    assert losses[0] == losses[1]
    assert left_by(works[0]) == left_by(works[1])
    still = trainer(two_layers(backend=cuda), optimizer=optimizer(0.2))
    assert losses_of(still, (2,)) + losses_of(still, (2,)) != losses[0]


def test_a_graph_finds_the_rates_of_a_schedule(cuda):
    """The rows of a segment are written before each replay, and the optimizer's own are there again later."""
    rng, works, losses = np.random.default_rng(7), [], []
    batches = rng.integers(40, size=(SEGMENT + 1, BATCH))
    rows = [[0.3 - 0.04 * i, 0.5 + 0.05 * i] for i in range(len(batches))]
    for capture in (True, False):
        work = trainer(two_layers(backend=cuda), capture, optimizer=Momentum(0.2))
        losses.append(work.start(batches, rows)() + work.start(batches[:1])())
        works.append(work)
    by_hand = trainer(two_layers(backend=cuda), False, optimizer=Momentum(0.2))
    expected = []
    for batch, (rate, momentum) in zip((*batches, batches[0]), [*rows, [0.2, 0.9]], strict=True):
        by_hand.optimizer.learning_rate, by_hand.optimizer.momentum = rate, momentum
        expected += by_hand.start(batch[None])()
    assert losses[0] == losses[1] == expected
    assert left_by(works[0]) == left_by(works[1]) == left_by(by_hand)
    assert works[0].run.how == "captured"


def test_a_training_with_everything_is_captured(emulated):
    """Schedule, validation, epochs, patience: none is in the way, and nothing is compiled for them."""
    losses = []
    for backend in (emulated, "numpy"):
        history = train(
            two_layers(backend=backend),
            PIXELS,
            T,
            iterations=SEGMENT + 1,
            batch_size=BATCH,
            optimizer=Momentum(0.2),
            schedule=OneCycle(momentum=(0.9, 0.8)),
            shuffle="epochs",
            validation=(X, T),
            patience=3,
            evaluate_every=2,
            rng=0,
        )
        losses.append([*history.loss, *history.validation_loss])
        assert history.loop == "captured" or backend == "numpy"
    np.testing.assert_allclose(*losses, rtol=0, atol=1e-5)
    assert emulated.xp.compiled == set()


def test_losses_are_read_once_an_epoch(emulated):
    emulated.kernel = lambda name: lambda *arguments: None  # it is the waiting that counts
    net = two_layers(backend=emulated)
    work, batches = trainer(net, batch=1), np.zeros((2 * SEGMENT, 1), "int64")
    work.start(batches)()
    waits = emulated.xp.waits
    waits.clear()
    work.start(batches)()
    assert waits == ["asnumpy"], "two replays, read together at the end"
    waits.clear()
    work.start(batches)
    assert waits == []


def launches_of_a_step(emulated, net, optimizer, x=X):
    """The kernels of a captured step after the gathering, and how many copies of memory it makes."""
    launched, kernel = [], emulated.kernel
    work = trainer(net, x=x, batch=10, optimizer=optimizer)
    work.start(np.zeros((1, 10), "int64"))()
    emulated.kernel = lambda name: lambda *given: (launched.append(name), kernel(name)(*given))
    before = {*emulated.xp.graphs}
    work.start(np.zeros((2, 10), "int64"))()
    (graph,) = {*emulated.xp.graphs} - before
    gather, *steps = launched
    assert gather == "minibatch", "of both steps"
    half = len(steps) // 2
    assert steps[:half] == steps[half:]
    work.start(np.zeros((2, 10), "int64"))()
    assert len(launched) == 1 + 2 * half, "captured once; a replay goes without Python"
    return steps[:half], (len(graph.recorded) - 1) // 2 - half


def test_a_step_is_launches_and_nothing_else(emulated):
    """Five kernels make a step of a small two-layer net; one more gathers the batches of many steps."""
    forward = ["affine", "affine_softmax_cross_entropy"]
    backward = ["affine_backward", "affine_backward"]
    kernels, copies = launches_of_a_step(emulated, two_layers(backend=emulated), SGD(0.1))
    assert (kernels, copies) == ([*forward, *backward, "sgd"], 0)


def test_adam_takes_one_launch_and_copies_its_count(emulated):
    kernels, copies = launches_of_a_step(emulated, two_layers(backend=emulated), Adam(0.1))
    assert kernels[4:] == ["adam"] and copies == 1
    optimizer = AdamW(0.1, weight_decay=0.1, clip=1.0)
    kernels, copies = launches_of_a_step(emulated, two_layers(backend=emulated), optimizer)
    assert kernels[4:] == ["sums_of_squares", "clip", "shrink", "adam"] and copies == 1


def test_layers_take_a_launch_for_each_direction_and_copy_their_state(emulated):
    kernels, copies = launches_of_a_step(emulated, net_of(BatchNorm(), ReLU(), backend=emulated), SGD(0.1))
    assert kernels == [
        *("affine", "batch_norm", "relu", "affine_softmax_cross_entropy"),
        *("affine_backward", "relu_backward", "batch_norm_backward", "affine_backward", "sgd"),
    ]
    assert copies == 2
    net = net_of(ReLU(), Dropout(), LayerNorm(), backend=emulated)
    kernels, copies = launches_of_a_step(emulated, net, SGD(0.1))
    assert kernels == [
        *("affine", "dropout", "layer_norm", "affine_softmax_cross_entropy"),
        *("affine_backward", "layer_norm_backward", "dropout_backward", "affine_backward", "sgd"),
    ]
    assert copies == 1


def test_a_convolution_takes_a_launch_forward_with_its_relu_and_two_backward(emulated):
    layers = [Conv2D(4, 2), ReLU(), MaxPool2D(2), Affine(3)]
    net = Sequential(layers, (1, 3, 4), rng=0, dtype="float32", backend=emulated)
    kernels, copies = launches_of_a_step(emulated, net, SGD(0.1), X.reshape(-1, 1, 3, 4))
    assert kernels == [
        *("conv2d", "max_pool2d", "affine_softmax_cross_entropy"),
        *("affine_backward", "max_pool2d_backward", "conv2d_backward", "conv2d_sums", "sgd"),
    ]
    assert copies == 0


def test_cupy_has_nothing_to_compile_for_a_training(emulated):
    """Everything that a training run and its evaluations compute is in our own sources, compiled once."""
    train(two_layers(backend=emulated), PIXELS, T, X, T, iterations=2, batch_size=BATCH, rng=0)
    assert emulated.xp.compiled == set()
    layers = [Conv2D(4, 2), ReLU(), MaxPool2D(2), Flatten(), Affine(3)]
    net = Sequential(layers, (1, 3, 4), rng=0, dtype="float32", backend=emulated)
    images = PIXELS.reshape(-1, 1, 3, 4)
    history = train(net, images, T, images, T, iterations=2, batch_size=BATCH, learning_rate=0.1, rng=0)
    assert emulated.xp.compiled == set() and history.loop == "captured"


def test_cupy_has_nothing_to_compile_for_the_steps_of_other_layers(emulated):
    """It may have for evaluations, where BatchNorm is a formula, and so when the network is made."""
    layers = BatchNorm(), ReLU(), Dropout(), LayerNorm(), Tanh(), GELU(), LeakyReLU(), Softmax(), Sigmoid()
    net, optimizer = net_of(*layers, backend=emulated), Adam(0.1, clip=1.0)
    emulated.xp.compiled.clear()
    options = {"iterations": 2, "batch_size": BATCH, "evaluate_every": None}
    assert train(net, PIXELS, T, optimizer=optimizer, rng=0, **options).loop == "captured"
    assert emulated.xp.compiled == set()


# ------------------------------------------------------------------------------------ what cannot be captured


class Doubled(Layer):
    """A user's layer: two pure formulas, and no word of loops."""

    def compute(self, xp, x):
        return 2.0 * x, ()

    def derive(self, xp, dout):
        return 2.0 * dout


class Counting(Layer):
    """One that is not pure: what it computes depends on a count in Python, which a replay leaves as it is."""

    n = 0

    def compute(self, xp, x):
        self.n += 1
        return x * float(self.n), (float(self.n),)

    def derive(self, xp, dout, factor):
        return dout * factor


class Reading(Doubled):
    """One that asks for a value on the host, and so waits for the device."""

    def compute(self, xp, x):
        return (2.0 if float(xp.sum(x)) != 12345.0 else 3.0) * x, ()


class Multiplying(Doubled):
    """One that multiplies matrices by CuPy's own function."""

    def compute(self, xp, x):
        return x @ (2.0 * xp.eye(8, dtype=x.dtype)), ()


class OwnPasses(ReLU):
    """A layer with its own forward."""

    def forward(self, x, training=True):
        return super().forward(x, training)


class OwnOptimizer(SGD):
    """It inherits its formula."""


class AnAdaGrad(Optimizer):
    """A user's optimizer: a formula with a state, and no word of loops."""

    zeros = ("h",)

    def compute(self, xp, w, g, rate, h):
        h = h + g * g
        return w - rate * g / (xp.sqrt(h) + 1e-7), (h,)


def test_a_users_formulas_are_captured_without_a_declaration(cuda):
    captured, eager = (
        trainer(net_of(Doubled(), backend=cuda), capture, optimizer=AnAdaGrad(0.1))
        for capture in (True, False)
    )
    assert losses_of(captured, (2, 1)) == losses_of(eager, (2, 1))
    assert left_by(captured) == left_by(eager)
    assert captured.run.how == "captured"
    inherited = trainer(two_layers(backend=cuda), optimizer=OwnOptimizer(0.2))
    losses_of(inherited, (1,))
    assert inherited.run.how == "captured"


def test_a_formula_that_is_not_pure_runs_eagerly_and_is_named(cuda):
    work = trainer(net_of(Counting(), backend=cuda))
    losses = losses_of(work)
    assert work.run.how == (
        "eager: a replayed step differs from an eager one; "
        "Counting gives different results for the same input"
    )
    eager = trainer(net_of(Counting(), backend=cuda), capture=False)
    counted = work.net.layers["Counting1"].n - len(losses)  # by then it had been tried
    eager.net.layers["Counting1"].n = counted
    assert losses_of(eager) == losses
    assert left_by(eager) == left_by(work)


@pytest.mark.parametrize("layer", [Reading, Multiplying])
def test_what_a_capture_cannot_hold_runs_eagerly_and_the_history_says_why(cuda, layer):
    history = train(net_of(layer(), backend=cuda), X, T, iterations=3, batch_size=10, rng=0)
    assert history.loop.startswith("eager: a step could not be captured (")
    assert len(history.loop.splitlines()) == 1
    if layer is Multiplying:
        assert "(NotImplementedError: " in history.loop
    plain = train(net_of(Doubled(), backend=cuda), X, T, iterations=3, batch_size=10, rng=0)
    assert plain.loop == "captured", "the next one is not disturbed"
    assert history.loss == pytest.approx(plain.loss, rel=1e-5)


@pytest.mark.parametrize("layer", [Reading, Multiplying, Counting])
def test_nobody_is_in_the_way_of_a_loop_that_stays_eager(emulated, layer):
    """Its graphs are gone and their memory is given back, although it goes on."""
    work = trainer(net_of(layer(), backend=emulated))
    losses_of(work)
    assert work.run.how.startswith("eager")
    assert len(emulated.xp.graphs) == 0 and emulated.xp.lost == []


def test_other_reasons_to_run_eagerly(cuda):
    wide = two_layers(backend=cuda, dtype="float64")
    assert train(wide, X, T, iterations=2, batch_size=5, rng=0).loop == (
        "eager: float64 runs the formulas, and CuPy does not allow their products in a CUDA graph"
    )
    own = net_of(OwnPasses(), backend=cuda)
    assert trainer(own).run.how == "eager: OwnPasses has its own passes"
    assert trainer(two_layers(backend="numpy")).run.how == "eager: numpy has no CUDA graphs"
    net = two_layers(backend=cuda)
    net.layers["ReLU1"].backward = lambda dout: dout
    assert trainer(net).run.how == "eager: ReLU has its own passes"


# -------------------------------------------------------------------------------------------- the loop itself


class loop_of:
    """A loop of one step, as a function of count."""

    def __init__(self, backend, step, keep=(), compare=(), blame=str, **options):
        self.step, self.blame = step, blame  # these first, since what goes last finds its memory unused
        self.loop = backend.captured(keep, compare, **options)

    how = property(lambda self: self.loop.how)
    _memory = property(lambda self: self.loop._memory)

    def __call__(self, count):
        self.loop(self.step, count, self.blame)


def test_a_capture_that_fails_only_where_it_ends(cuda):
    """A step that waits and swallows the error: it is reported like any other, and spoils no other loop."""
    source, target = cuda.asarray([1.0], "float32"), cuda.zeros((1,), "float32")

    def step(i):
        cuda.write(target, source)
        with suppress(Exception):
            cuda.synchronize()

    loop = loop_of(cuda, step, [target])
    assert loop.how == ""
    loop(1)
    assert loop.how.startswith("eager: a step could not be captured (")
    assert to_numpy(target).tolist() == [1.0]
    assert train(two_layers(backend=cuda), X, T, iterations=3, batch_size=10, rng=0).loop == "captured"


def test_a_reason_from_the_start_spares_the_trial(cuda):
    steps = []
    loop = loop_of(cuda, steps.append, why_not="a reason")
    assert loop.how == "eager: a reason"
    loop(3)
    assert steps == [0, 1, 2] and loop.how == "eager: a reason"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_trial_is_of_two_steps_at_most_and_changes_nothing_that_is_kept(emulated, count):
    one, kept = emulated.asarray([1.0], "float32"), emulated.zeros((1,), "float32")
    steps = []

    def step(i):
        steps.append(i)
        kept[...] = kept + one

    loop = loop_of(emulated, step, [kept])
    for calls in (1, 2, 3):
        loop(count)
        assert to_numpy(kept).tolist() == [calls * count]
    tried = [*range(min(2, count))]
    recorded = [] if count == len(tried) else [*range(count)]
    assert loop.how == "captured" and steps == tried * 2 + recorded


def test_nan_and_minus_zero_are_compared_by_their_bits(emulated):
    cupy, first = emulated.xp, [True]
    values, target = emulated.asarray([np.nan, 1.0], "float32"), emulated.zeros((2,), "float32")
    loop = loop_of(emulated, lambda i: emulated.write(target, values), compare=[target])
    loop(2)
    assert loop.how == "captured"
    zero = emulated.zeros((1,), "float32")
    minus = cupy.asarray(np.array([-0.0], "float32"))

    def step(i):
        emulated.write(zero, minus if first.pop() else minus + 0.0)
        first.append(False)

    loop = loop_of(emulated, step, compare=[zero])
    loop(1)
    assert loop.how == "eager: a replayed step differs from an eager one"


def test_a_replay_that_leaves_something_out_differs(emulated):
    """An array that a replay does not write must not look right because earlier steps wrote it."""
    one, losses, first = emulated.asarray([1.0], "float32"), emulated.zeros((1,), "float32"), [True]

    def step(i):
        if first:
            emulated.write(losses, one)
        first.clear()

    loop = loop_of(emulated, step, compare=[losses])
    loop(1)
    assert loop.how == "eager: a replayed step differs from an eager one"


def test_a_replay_that_differs_is_blamed_and_undone(emulated):
    numbers, kept, blamed = iter(range(100)), emulated.zeros((1,), "float32"), []

    def step(i):
        kept[...] = kept + float(next(numbers))

    def blame():
        blamed.append(to_numpy(kept).tolist())
        return "it counts"

    loop = loop_of(emulated, step, [kept], blame=blame)
    loop(3)
    assert loop.how == "eager: a replayed step differs from an eager one; it counts"
    assert blamed == [[0.0]], "asked once, when what is kept was put back"
    assert to_numpy(kept).tolist() == [4.0 + 5.0 + 6.0], "after two steps and two recorded ones"
    loop(1)
    assert to_numpy(kept).tolist() == [15.0 + 7.0]


def test_a_longer_graph_that_cannot_be_captured_makes_the_loop_eager_as_well(emulated):
    kept, one = emulated.zeros((1,), "float32"), emulated.asarray([1.0], "float32")

    def step(i):
        kept[...] = kept + one
        if i == 3:
            emulated.to_numpy(kept)

    loop = loop_of(emulated, step, [kept])
    loop(2)
    assert loop.how == "captured"
    loop(4)
    assert loop.how.startswith("eager: a step could not be captured (RuntimeError: asnumpy")
    assert to_numpy(kept).tolist() == [6.0]
    assert len(emulated.xp.graphs) == 0


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, MemoryError])
def test_an_error_of_a_step_that_is_tried_goes_through_and_leaves_all_as_it_was(emulated, error):
    kept, one, broken = emulated.zeros((1,), "float32"), emulated.asarray([1.0], "float32"), [True]

    def step(i):
        kept[...] = kept + one
        if i == 1 and broken:
            raise error

    loop = loop_of(emulated, step, [kept])
    with pytest.raises(error):
        loop(3)
    assert to_numpy(kept).tolist() == [0.0] and loop.how == ""
    broken.clear()
    loop(3)
    assert to_numpy(kept).tolist() == [3.0] and loop.how == "captured"


def test_a_loop_gives_its_memory_back(emulated, make):
    """Its graphs are destroyed, its private pool is emptied, and no workspace of cuBLAS stays there."""
    cupy = emulated.xp
    for _ in range(2):
        train(make(backend=emulated), X, T, iterations=2, batch_size=BATCH, rng=0)
    assert len(cupy.graphs) == 0 and cupy.lost == []
    loop = loop_of(emulated, lambda i: cupy.empty(4, np.float32))
    loop(1)
    assert len(cupy.graphs) == 1
    loop._memory.release = lambda: None
    del loop
    assert len(cupy.graphs) == 0 and cupy.lost == [512], "what this test would see"


def affine_relu(backend, one):
    """An output by cuBLAS, in memory that a stream's capture may give."""
    twin = find("cupy", "float32", Affine.compute, ReLU.compute)
    return twin(None, NewArrays(backend, np.float32), one, one, one[0])[0]


@pytest.fixture
def not_empty(monkeypatch):
    """The private memory that was released while an array lay in it."""
    monkeypatch.setattr(PrivateMemory, "_not_empty", [])
    return PrivateMemory._not_empty


def test_a_loop_that_goes_leaves_nothing_in_use(emulated, monkeypatch, not_empty):
    """Neither what its step held nor a workspace of cuBLAS, where no other product came after it."""
    monkeypatch.setattr(launch, "SMALL", -1)
    one = emulated.zeros((1, 1), "float32")

    def stepping():
        held = []
        return lambda i: held.append(affine_relu(emulated, one))

    loop = loop_of(emulated, stepping())
    loop(2)
    assert loop._memory.pool.total_bytes() > cublas.WORKSPACE
    del loop
    assert not_empty == [] and emulated.xp.lost == []


def test_an_array_may_outlive_the_loop_that_made_it(emulated, not_empty):
    cupy, kept = emulated.xp, []
    one = emulated.zeros((1, 1), "float32")
    loop = loop_of(emulated, lambda i: kept.append(affine_relu(emulated, one)))
    loop(2)
    del loop
    np.testing.assert_array_equal(to_numpy(kept[-1]), [[0.0]])
    assert len(not_empty) == 1
    kept.clear()
    loop = loop_of(emulated, lambda i: None)
    loop(1)
    del loop
    assert not_empty == [] and cupy.lost == [], "given back with the next"


def test_memory_is_given_back_on_the_device_that_it_is_of(monkeypatch, not_empty):
    backend = register(emulated_backend(monkeypatch, devices=2))
    cupy = backend.xp
    with cupy.cuda.Device(1):
        loop = loop_of(backend, lambda i: cupy.empty(4, np.float32))
        loop(1)
    del loop
    assert not_empty == [] and cupy.lost == []


def test_after_an_error_of_cuda_the_loop_goes_quietly(emulated, not_empty, monkeypatch):
    """A finalizer that raises would be told of on standard error, behind the error that matters."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    loop = loop_of(emulated, lambda i: emulated.xp.empty(4, np.float32))
    loop(1)

    def broken():
        raise RuntimeError("cudaErrorIllegalAddress")

    loop._memory.pool.free_all_blocks = broken
    del loop
    assert len(not_empty) == 1 and told == []


class TestOutOfMemory:
    """In a capture: nothing that a graph writes may be freed for it."""

    SIZE = 2**20

    @pytest.fixture
    def loop(self, emulated):
        """A loop whose step needs some memory, gives it back, and then needs twice as much."""

        def step(i):
            emulated.xp.empty(self.SIZE, np.uint8)
            emulated.xp.empty(2 * self.SIZE, np.uint8)

        return loop_of(emulated, step)

    def test_it_is_told_with_its_size(self, emulated, loop):
        cupy = emulated.xp
        cupy.capacity = cupy.taken[0] + 2 * self.SIZE
        with pytest.raises(MemoryError, match="Out of memory allocating 2,097,152 bytes for a CUDA graph"):
            loop(1)
        cupy.capacity += self.SIZE
        loop(1)

    def test_what_other_work_has_given_back_is_taken_before(self, emulated, loop):
        """CuPy's default pool is emptied, in which the trial has left as much as is needed."""
        cupy = emulated.xp
        cupy.capacity = cupy.taken[0] + 4 * self.SIZE
        loop(1)
        assert loop._memory.pool.total_bytes() == 3 * self.SIZE

    def test_a_graph_too_large_for_the_device(self, emulated, monkeypatch):
        def end_capture(stream):
            stream.recorded = None
            raise CUDARuntimeError(2)

        monkeypatch.setattr("emulated_cupy.Stream.end_capture", end_capture)
        with pytest.raises(MemoryError, match="Out of memory for a CUDA graph of 2 steps"):
            loop_of(emulated, lambda i: None)(3)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("begins", [False, True])
def test_a_capture_that_is_broken_off_leaves_the_loop_usable(emulated, monkeypatch, error, begins):
    """Wherever it came: in a step, or just as the capture had begun."""
    stream, target = type(emulated.xp.stream), emulated.zeros((1,), "float32")
    one, broken = emulated.asarray([1.0], "float32"), [True]

    def fail():
        if emulated.xp.stream.recorded is not None and broken:
            raise error

    def step(i):
        if not begins:
            fail()
        emulated.write(target, one)

    begin_capture = stream.begin_capture
    if begins:
        monkeypatch.setattr(stream, "begin_capture", lambda self: (begin_capture(self), fail()))
    loop = loop_of(emulated, step, [target])
    with pytest.raises(error):
        loop(1)
    assert emulated.xp.stream.ptr == 0
    broken.clear()
    loop(1)
    assert to_numpy(target).tolist() == [1.0]


@pytest.mark.gpu
def test_the_private_pools_of_trainings_are_empty_afterwards(monkeypatch):
    backend, pools = backend_or_skip("cupy"), []
    monkeypatch.setattr(launch, "SMALL", -1)  # cuBLAS takes 32 MiB of each
    pool_of_cupy = backend.xp.cuda.MemoryPool
    monkeypatch.setattr(
        backend.xp.cuda, "MemoryPool", lambda *given: pools.append(pool_of_cupy(*given)) or pools[-1]
    )
    for _ in range(3):
        train(two_layers(backend=backend), X, T, iterations=2, batch_size=BATCH, rng=0)
    assert [pool.total_bytes() for pool in pools] == [0, 0, 0]


def test_the_next_batches_are_drawn_while_the_device_works(emulated, monkeypatch):
    events = []

    class Spying(np.random.Generator):
        def integers(self, *arguments, **options):
            events.append("draw")
            return super().integers(*arguments, **options)

    wait, launch = emulated.xp.wait, Graph.launch
    monkeypatch.setattr(emulated.xp, "wait", lambda what: (events.append(what), wait(what)))
    monkeypatch.setattr(Graph, "launch", lambda self: (events.append("launch"), launch(self)))
    monkeypatch.setattr(type(emulated), "iterations_at_once", 2)
    net, rng = two_layers(backend=emulated), Spying(np.random.PCG64(0))
    train(net, X, T, epochs=3, batch_size=20, rng=rng)
    of_loop = [event for event in events if event in ("draw", "launch", "asnumpy")]
    # The first epoch, of two iterations, tries the loop. In each of the others the first asnumpy is of the
    # losses, two are of the evaluation. The last epoch has nothing left to draw.
    waits = ["asnumpy"] * 3
    assert of_loop[-9:] == ["launch", "draw", *waits, "launch", *waits]
    following = np.random.default_rng(0)
    following.integers(40, size=(6, 20))
    assert rng.bit_generator.state == following.bit_generator.state


def test_indices_of_another_kind_are_taken(cuda):
    """They are copied as memory, in which 32 bits would pass for half of 64."""
    losses = []
    for kind in ("int32", "int64"):
        work = trainer(two_layers(backend=cuda))
        losses.append(work.start(np.arange(2 * BATCH, dtype=kind).reshape(2, BATCH))())
    assert losses[0] == losses[1]


def test_other_work_between_replays_is_not_disturbed(cuda, make):
    """A second loop, predictions and new arrays in between change nothing: what a graph writes is its own."""
    nets = [make(backend=cuda) for _ in range(3)]
    works = [trainer(net) for net in nets]
    drawn = np.random.default_rng(7)
    batches = [drawn.integers(40, size=(2, BATCH)) for _ in range(3)]
    losses = []
    for part in batches:
        losses.append([work.start(part)() for work in works[:2]])
        nets[0].predict(asarray(X, backend=cuda))
        nets[1].gradient(X, T)
    assert [loss for one, _ in losses for loss in one] == losses_of(works[2], (2,) * 3)
    assert [one for one, _ in losses] == [two for _, two in losses]
