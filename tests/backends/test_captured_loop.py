"""Training steps as a CUDA graph: the same bits as one by one, without waiting, and only where it is allowed.

Each test runs on an emulated CuPy, and with a GPU on the real one.
"""

import copy
import sys
from contextlib import suppress

import numpy as np
import pytest
from emulated_cupy import Graph, emulated_backend
from emulated_memory import CUDARuntimeError

from backends import cublas, cuda_kernels, register
from backends.cuda_graph import PrivateMemory
from backends.testing import backend_or_skip
from backprop import TwoLayerNet, asarray, load_mnist_sample, to_numpy, train
from backprop.layers import Affine, ReLU, Sigmoid, SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.networks.worker import why_not_captured
from backprop.optimizers import SGD
from backprop.training import batch_loop

RNG = np.random.default_rng(0)
X, T = RNG.random((40, 12), dtype="float32"), RNG.integers(3, size=40)
PIXELS = RNG.integers(256, size=(40, 12)).astype("float32") / np.float32(255)
SEGMENT, BATCH = 3, 8  # an emulated step takes a tenth of a second


def two_layers(**options):
    return TwoLayerNet(12, 8, 3, **{"weight_init_std": 0.3, "rng": 0, "dtype": "float32", **options})


def with_sigmoid(**options):
    layers = {
        "Affine1": Affine.create(12, 8, rng=0, weight_init_std=0.3, dtype="float32", **options),
        "Sigmoid": Sigmoid(),
        "Affine2": Affine.create(8, 5, rng=1, weight_init_std=0.3, dtype="float32", **options),
        "ReLU": ReLU(),
        "Affine3": Affine.create(5, 3, rng=2, weight_init_std=0.3, dtype="float32", **options),
    }
    return Network(layers, SoftmaxCrossEntropy(), 12, 3)


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr("backprop.training.batches.SEGMENT", SEGMENT)


@pytest.fixture(params=[(two_layers, True), (two_layers, False), (with_sigmoid, False)])
def make(request, monkeypatch):
    """A net by kernels that compute all of a layer, one by cuBLAS, and one whose layers are not fused."""
    net, small = request.param
    if not small:
        monkeypatch.setattr(cuda_kernels, "SMALL", -1)
    return net


def trained(net, x, capture, counts, optimizer=None, **options):
    """The losses of batches in segments of these counts; the net's parameters have followed."""
    x, labels = net.enter("test", x, T)
    loop = batch_loop(
        net, optimizer or SGD(0.2), x, labels, BATCH, capture=capture, **{"recompute_loss": False, **options}
    )
    rng = np.random.default_rng(7)
    return [loss for count in counts for loss in loop(rng.integers(40, size=(count, BATCH)))()]


@pytest.mark.parametrize(("x", "recompute_loss"), [(X, True), (PIXELS, False)], ids=["floats", "bytes"])
def test_a_captured_run_has_the_bits_of_an_eager_one(cuda, make, x, recompute_loss):
    nets = [make(backend=cuda) for _ in range(2)]
    assert why_not_captured(nets[0], SGD()) is None
    counts = (2, 2, SEGMENT + 1)  # the last one takes a graph of its own, and one that is there already
    losses = [
        trained(net, x, capture, counts, recompute_loss=recompute_loss)
        for net, capture in zip(nets, (True, False), strict=True)
    ]
    assert losses[0] == losses[1]
    np.testing.assert_array_equal(to_numpy(nets[0].params.flat), to_numpy(nets[1].params.flat))


def test_it_follows_numpy(cuda, make):
    nets = [make(backend=backend) for backend in (cuda, "numpy")]
    mine, numpys = (trained(net, PIXELS, True, (5,)) for net in nets)
    np.testing.assert_allclose(mine, numpys, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_the_first_losses_of_the_chapters_training(emulated):
    """784-50-10 on digits: what the GPU report holds a real GPU to, kernel by kernel on the CPU."""
    (x, t), _ = load_mnist_sample()
    batches = np.random.default_rng(0).integers(len(x), size=(20, 100))
    losses = []
    for backend in (emulated, "numpy"):
        net = TwoLayerNet(784, 50, 10, dtype="float32", rng=0, backend=backend)
        losses.append(batch_loop(net, SGD(0.1), *net.enter("test", x, t), 100, False)(batches)())
    np.testing.assert_allclose(*losses, rtol=0, atol=1e-6)


def test_a_rehearsal_leaves_parameters_and_generators_as_they_were(cuda):
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


def test_a_graph_finds_a_changed_learning_rate(cuda):
    nets, losses = [two_layers(backend=cuda) for _ in range(2)], []
    for net, capture in zip(nets, (True, False), strict=True):
        optimizer = SGD(0.2)
        x, labels = net.enter("test", X, T)
        loop = batch_loop(net, optimizer, x, labels, BATCH, False, capture)
        batches = np.random.default_rng(7).integers(40, size=(2, BATCH))
        first = loop(batches)()
        optimizer.learning_rate = 0.02
        losses.append(first + loop(batches)())
    assert losses[0] == losses[1]
    np.testing.assert_array_equal(to_numpy(nets[0].params.flat), to_numpy(nets[1].params.flat))


def test_losses_are_read_once_an_epoch(emulated):
    emulated._kernel = lambda name: lambda *arguments: None  # it is the waiting that counts
    net = two_layers(backend=emulated)
    x, labels = net.enter("test", X, T)
    loop = batch_loop(net, SGD(), x, labels, 1, False)
    batches = np.zeros((2 * SEGMENT, 1), "int64")
    loop(batches)()
    emulated.xp.waits.clear()
    loop(batches)()
    assert emulated.xp.waits == ["asnumpy"], "two replays, read together at the end"
    waits = emulated.xp.waits
    waits.clear()
    train(net, np.repeat(X, 8, axis=0), np.repeat(T, 8), epochs=1, batch_size=1, rng=0)
    ints = ["__int__"]  # of an evaluation
    assert [w for w in waits if w != "synchronize"] == ["asnumpy", *ints, "asnumpy", *ints]


def test_a_step_is_launches_and_nothing_else(emulated, monkeypatch):
    """Six kernels make a step of a small two-layer net."""
    launched = []
    kernel = emulated._kernel

    def spying(name):
        return lambda *arguments: (launched.append(name), kernel(name)(*arguments))

    net = two_layers(backend=emulated)
    x, labels = net.enter("test", X, T)
    loop = batch_loop(net, SGD(), x, labels, 10, False)
    loop(np.zeros((1, 10), "int64"))()
    emulated._kernel = spying
    loop(np.zeros((2, 10), "int64"))()
    step = [
        "minibatch",
        "affine",
        "affine_softmax_cross_entropy",
        "affine_backward",
        "affine_backward",
        "sgd",
    ]
    assert launched == 2 * step, "captured once; a replay goes without Python"
    loop(np.zeros((2, 10), "int64"))()
    assert len(launched) == 12


def test_cupy_has_nothing_to_compile_for_a_training(emulated):
    """All that a training and its evaluations compute is in kernels.cu, which is compiled once."""
    train(two_layers(backend=emulated), PIXELS, T, X, T, iterations=2, batch_size=BATCH, rng=0)
    assert emulated.xp.compiled == set()


class Silent(ReLU):
    """A layer that says nothing of whether it can be copied or captured."""


class Waiting(ReLU):
    """A layer that says that it can be captured, and cannot."""

    stateless = True
    capturable = True

    def forward(self, x, training=True):
        if float(x.sum()) == 12345.0:
            raise AssertionError
        return super().forward(x, training)


class HonestlyWaiting(Waiting):
    stateless = True
    capturable = False


class OwnOptimizer(SGD):
    """Its class says nothing."""


def net_with(layer, backend):
    layers = {"Affine1": Affine.create(12, 8, rng=0, dtype="float32", backend=backend), "mine": layer}
    layers["Affine2"] = Affine.create(8, 3, rng=1, dtype="float32", backend=backend)
    return Network(layers, SoftmaxCrossEntropy(), 12, 3)


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (Silent, "eager: mine, Silent, does not declare stateless and capturable"),
        (HonestlyWaiting, "eager: mine, HonestlyWaiting, does not declare capturable"),
    ],
)
def test_what_does_not_declare_it_runs_eagerly_and_the_history_says_why(cuda, layer, why):
    history = train(net_with(layer(), cuda), X, T, iterations=3, batch_size=10, rng=0)
    assert history.loop == why
    plain = train(net_with(ReLU(), cuda), X, T, iterations=3, batch_size=10, rng=0)
    assert plain.loop == "captured"
    assert history.loss == pytest.approx(plain.loss, rel=1e-5)


def test_other_reasons_to_run_eagerly(cuda):
    wide = two_layers(backend=cuda, dtype="float64")
    assert train(wide, X, T, iterations=2, batch_size=5, rng=0).loop == (
        "eager: float64 takes the generic kernels, whose products CuPy does not let a graph hold"
    )
    net = two_layers(backend=cuda)
    assert why_not_captured(net, OwnOptimizer()) == "the optimizer, OwnOptimizer, does not declare capturable"
    assert why_not_captured(two_layers(backend="numpy"), SGD()) == "numpy has no CUDA graphs"
    net.layers["ReLU1"].backward = lambda dout: dout
    assert why_not_captured(net, SGD()) == "a pass of the network or of a layer was replaced"


def test_a_layer_that_waits_although_it_says_it_does_not(cuda):
    net = net_with(Waiting(), cuda)
    before = to_numpy(net.params.flat).copy()
    with pytest.raises(RuntimeError, match=r"could not be captured as a CUDA graph .*`capturable = False`"):
        train(net, X, T, iterations=3, batch_size=10, rng=0)
    np.testing.assert_array_equal(to_numpy(net.params.flat), before)
    history = train(net_with(ReLU(), cuda), X, T, iterations=3, batch_size=10, rng=0)
    assert history.loop == "captured", "the next one is not disturbed"


def test_a_capture_that_fails_only_where_it_ends(cuda):
    """A step that waits, and makes light of the error: it is told as any other, and spoils no other loop."""
    source, target = cuda.asarray([1.0], "float32"), cuda.zeros((1,), "float32")

    def step(i):
        cuda.write(target, source)
        with suppress(Exception):
            cuda.synchronize()

    with pytest.raises(RuntimeError, match=r"could not be captured as a CUDA graph .*`capturable = False`"):
        cuda.loop(step, keep=[target])(1)
    assert to_numpy(target).tolist() == [0.0]
    assert train(two_layers(backend=cuda), X, T, iterations=3, batch_size=10, rng=0).loop == "captured"


def test_a_loop_gives_its_memory_back(emulated, make):
    """Its graphs are destroyed, its private pool is emptied, and no workspace of cuBLAS stays there."""
    cupy = emulated.xp
    for _ in range(2):
        train(make(backend=emulated), X, T, iterations=2, batch_size=BATCH, rng=0)
    assert len(cupy.graphs) == 0 and cupy.lost == []
    loop = emulated.loop(lambda i: cupy.empty(4, np.float32))
    loop(1)
    assert len(cupy.graphs) == 1
    loop._memory.release = lambda: None
    del loop
    assert len(cupy.graphs) == 0 and cupy.lost == [512], "what this test would see"


@pytest.fixture
def not_empty(monkeypatch):
    """The private memory that was released while an array lay in it."""
    monkeypatch.setattr(PrivateMemory, "_not_empty", [])
    return PrivateMemory._not_empty


def test_a_loop_that_goes_leaves_nothing_in_use(emulated, monkeypatch, not_empty):
    """Neither what its step held nor a workspace of cuBLAS, where no other product came after it."""
    monkeypatch.setattr(cuda_kernels, "SMALL", -1)
    one = emulated.zeros((1, 1), "float32")

    def stepping():
        held = []
        return lambda i: held.append(emulated.affine_relu(one, one, one[0]))

    loop = emulated.loop(stepping())
    loop(2)
    assert loop._memory.pool.total_bytes() > cublas.WORKSPACE
    del loop
    assert not_empty == [] and emulated.xp.lost == []


def test_an_array_may_outlive_the_loop_that_made_it(emulated, not_empty):
    cupy, kept = emulated.xp, []
    one = emulated.zeros((1, 1), "float32")
    loop = emulated.loop(lambda i: kept.append(emulated.affine_relu(one, one, one[0])))
    loop(2)
    del loop
    np.testing.assert_array_equal(to_numpy(kept[-1]), [[0.0]])
    assert len(not_empty) == 1
    kept.clear()
    loop = emulated.loop(lambda i: None)
    loop(1)
    del loop
    assert not_empty == [] and cupy.lost == [], "given back with the next"


def test_memory_is_given_back_on_the_device_that_it_is_of(monkeypatch, not_empty):
    backend = register(emulated_backend(monkeypatch, devices=2))
    cupy = backend.xp
    with cupy.cuda.Device(1):
        loop = backend.loop(lambda i: cupy.empty(4, np.float32))
        loop(1)
    del loop
    assert not_empty == [] and cupy.lost == []


def test_after_an_error_of_cuda_the_loop_goes_quietly(emulated, not_empty, monkeypatch):
    """A finalizer that raises would be told of on standard error, behind the error that matters."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    loop = emulated.loop(lambda i: emulated.xp.empty(4, np.float32))
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

        return emulated.loop(step)

    def test_it_is_told_with_its_size(self, emulated, loop):
        loop._rehearse = lambda: None
        cupy = emulated.xp
        cupy.capacity = cupy.taken[0] + 2 * self.SIZE
        with pytest.raises(MemoryError, match="Out of memory allocating 2,097,152 bytes for a CUDA graph"):
            loop(1)
        cupy.capacity += self.SIZE
        loop(1)

    def test_what_other_work_has_given_back_is_taken_before(self, emulated, loop):
        """CuPy's default pool is emptied, in which the rehearsal has left as much as is needed."""
        cupy = emulated.xp
        cupy.capacity = cupy.taken[0] + 4 * self.SIZE
        loop(1)
        assert loop._memory.pool.total_bytes() == 3 * self.SIZE

    def test_a_graph_too_large_for_the_device(self, emulated, monkeypatch):
        def end_capture(stream):
            stream.recorded = None
            raise CUDARuntimeError(2)

        monkeypatch.setattr("emulated_cupy.Stream.end_capture", end_capture)
        with pytest.raises(MemoryError, match="Out of memory for a CUDA graph of 3 steps"):
            emulated.loop(lambda i: None)(3)


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
    loop = emulated.loop(step, keep=[target])
    with pytest.raises(error):
        loop(1)
    assert emulated.xp.stream.ptr == 0
    broken.clear()
    loop(1)
    assert to_numpy(target).tolist() == [1.0]


@pytest.mark.gpu
def test_the_private_pools_of_trainings_are_empty_afterwards(monkeypatch):
    backend, pools = backend_or_skip("cupy"), []
    monkeypatch.setattr(cuda_kernels, "SMALL", -1)  # cuBLAS takes 32 MiB of each
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
    net, rng = two_layers(backend=emulated), Spying(np.random.PCG64(0))
    train(net, X, T, epochs=2, batch_size=20, rng=rng)
    of_loop = [event for event in events if event in ("draw", "launch", "asnumpy")]
    # Whether the pixels can be packed is asked first; the last draw is of no batches.
    epoch = ["launch", "draw", "asnumpy"]
    assert of_loop == ["asnumpy", "draw", *epoch, *epoch]
    following = np.random.default_rng(0)
    following.integers(40, size=(4, 20))
    assert rng.bit_generator.state == following.bit_generator.state


def test_indices_of_another_kind_are_taken(cuda):
    """They are copied as memory, in which 32 bits would pass for half of 64."""
    losses = []
    for kind in ("int32", "int64"):
        net = two_layers(backend=cuda)
        loop = batch_loop(net, SGD(0.2), *net.enter("test", X, T), BATCH, False)
        losses.append(loop(np.arange(2 * BATCH, dtype=kind).reshape(2, BATCH))())
    assert losses[0] == losses[1]


def test_other_work_between_replays_is_not_disturbed(cuda, make):
    """A second loop, predictions and new arrays in between change nothing: what a graph writes is its own."""
    nets = [make(backend=cuda) for _ in range(3)]
    loops = []
    for net in nets[:2]:
        x, labels = net.enter("test", X, T)
        loops.append(batch_loop(net, SGD(0.2), x, labels, BATCH, False))
    drawn = np.random.default_rng(7)
    batches = [drawn.integers(40, size=(2, BATCH)) for _ in range(3)]
    losses = []
    for part in batches:
        losses.append([loop(part)() for loop in loops])
        nets[0].predict(asarray(X, backend=cuda))
        nets[1].gradient(X, T)
    alone = [trained(nets[2], X, False, (2,) * 3)]
    assert [loss for one, _ in losses for loss in one] == alone[0]
    assert [one for one, _ in losses] == [two for _, two in losses]
