"""The training step: the arrays that it works in, and that its formulas are what computes."""

import numpy as np
import pytest

from backends import find, load, to_numpy
from backends.testing import backend_or_skip
from backprop import TwoLayerNet
from backprop.layers import Affine, BatchNorm, Dropout, Layer, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import SGD, Adam, Momentum, Nesterov
from backprop.training import SEGMENT, Trainer
from backprop.training.step import minibatch

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(50, 8)), RNG.integers(0, 3, 50)


def net_of(**options):
    return TwoLayerNet(8, 5, 3, **{"weight_init_std": 0.5, "rng": 0, **options})


def test_the_buffers_of_a_loop_are_made_once(monkeypatch):
    """A backend that records a step replays it on the arrays that it saw."""
    backend, made = load("numpy"), []
    net = net_of()
    x, labels = net.prepare("train", X, T)
    monkeypatch.setattr(
        type(backend), "zeros", lambda self, shape, dtype: made.append(shape) or np.zeros(shape, dtype)
    )
    start = Trainer(net, SGD(0.1), x, labels, 10).start
    start(RNG.integers(50, size=(1, 10)))()
    before = len(made)
    for count in (100, 3, 100):
        assert len(start(RNG.integers(50, size=(count, 10)))()) == count
    assert len(made) == before


def test_a_loop_takes_any_integers_and_no_batches(backend):
    losses, batches = [], np.random.default_rng(0).integers(50, size=(3, 10))
    for kind in ("int32", "int64"):
        net = net_of()
        start = Trainer(net, SGD(0.1), *net.prepare("train", X, T), 10).start
        assert start(np.zeros((0, 10), kind))() == []
        losses.append(start(batches.astype(kind))())
    assert losses[0] == losses[1]


def test_a_batch_is_the_rows_of_its_indices(backend):
    x, t, batch = backend.asarray(X), backend.asarray(T), backend.asarray([3, 0, 3])
    for got, whole in zip(minibatch(backend.xp, x, t, batch), (X, T), strict=True):
        np.testing.assert_array_equal(to_numpy(got), whole[[3, 0, 3]])


def test_the_step_runs_the_twins_of_the_layers():
    """And the gradients are written where the optimizer reads them, without a copy."""
    net = net_of(backend="numpy", dtype="float64")
    trainer = Trainer(net, Momentum(0.1), *net.prepare("train", X, T), 10)
    assert [stage.is_twin for stage in trainer.chain.stages] == [True, True]
    trainer.start([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]])()
    for stage in trainer.chain.stages:
        for key, grad in zip(
            (("dW", stage.params[0].shape), ("db", stage.params[1].shape)), stage.grads, strict=True
        ):
            assert stage.ws[key] is grad and np.shares_memory(grad, trainer.grads.flat)
    assert find("numpy", "float64", minibatch) is not None


def test_every_step_writes_into_the_same_memory():
    net = net_of(backend="numpy")
    trainer = Trainer(net, SGD(0.1), *net.prepare("train", X, T), 10)
    batch = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]
    trainer.start(batch)()
    before = [dict(stage.ws) for stage in trainer.chain.stages]
    trainer.start(batch * 3)()
    for stage, arrays in zip(trainer.chain.stages, before, strict=True):
        assert all(stage.ws[key] is array for key, array in arrays.items() if key[0] != "losses")
        assert stage.ws.keys() == arrays.keys()


def test_a_formula_that_is_not_pure_is_named(backend):
    class Counting(Layer):
        calls = 0

        def compute(self, xp, x):
            self.calls += 1
            return x * float(self.calls), (float(self.calls),)

        def derive(self, xp, dout, calls):
            return dout * calls

    def trainer(*layers):
        net = Network([*layers, Affine(3)], SoftmaxCrossEntropy(), 8, 3, rng=0)
        return Trainer(net, SGD(0.1), *net.prepare("train", X, T), 10)

    assert trainer().impure_layer() == ""
    assert trainer(Counting()).impure_layer().startswith("Counting gives different results")


@pytest.mark.parametrize("recompute_loss", [False, True])
def test_what_was_handed_out_is_never_written_again(backend, recompute_loss):
    net = net_of()
    trainer = Trainer(net, SGD(0.1), *net.prepare("train", X, T), 10, recompute_loss)
    batches = RNG.integers(50, size=(2, 10))
    waiting = trainer.start(batches)
    trainer.start(RNG.integers(50, size=(2, 10)))
    other = net_of()
    again = Trainer(other, SGD(0.1), *other.prepare("train", X, T), 10, recompute_loss)
    assert waiting() == again.start(batches)()


def deep_net(seed):
    layers = [Affine(5), BatchNorm(), ReLU(), Dropout(0.3), Affine(3)]
    return Network(layers, SoftmaxCrossEntropy(), 8, 3, rng=seed)


@pytest.mark.parametrize("optimizer", [lambda: Nesterov(0.1), lambda: Adam(0.01, clip=0.5)])
def test_a_restarted_trainer_does_what_a_new_one_does(backend, optimizer):
    """With the parameters and the state of another network, in the arrays that it has had before."""
    batches = RNG.integers(50, size=(4, 10))
    nets, ends = [deep_net(seed) for seed in (1, 2)], []
    for net in (deep_net(1), deep_net(2)):
        new = Trainer(net, optimizer(), *net.prepare("train", X, T), 10)
        losses = new.start(batches)()
        ends.append((losses, to_numpy(net.params.flat).tobytes(), left_in(net)))
    used = Trainer(deep_net(0), optimizer(), *nets[0].prepare("train", X, T), 10)
    used.start(batches)()
    flat, before = used.net.params.flat, [to_numpy(net.params.flat).tobytes() for net in nets]
    for net, end in zip(nets, ends, strict=True):
        used.restart(net)
        losses = used.start(batches)()
        assert (losses, to_numpy(used.net.params.flat).tobytes(), left_in(used.net)) == end
    assert used.net.params.flat is flat
    assert [to_numpy(net.params.flat).tobytes() for net in nets] == before, "those that are copied stay"


def left_in(net):
    return [to_numpy(array).tobytes() for array in net.state.values()]


@pytest.mark.parametrize(
    "other",
    [
        lambda: TwoLayerNet(8, 6, 3, rng=1),
        lambda: TwoLayerNet(8, 5, 3, rng=1, dtype="float64"),
        lambda: deep_net(1),
    ],
)
def test_a_restart_that_does_not_fit_changes_nothing(backend, other):
    net = net_of(dtype="float32")
    trainer = Trainer(net, Momentum(0.1), *net.prepare("train", X, T), 10)
    trainer.start(RNG.integers(50, size=(2, 10)))()
    arrays = net.params.flat, *trainer.optimizer.arrays
    before = [to_numpy(array).tobytes() for array in arrays]
    with pytest.raises(ValueError, match=r"^Trainer.restart: net must have the parameters and the state of"):
        trainer.restart(other())
    assert [to_numpy(array).tobytes() for array in arrays] == before


def test_a_restart_with_a_network_of_another_backend_is_refused():
    backend_or_skip("array_api_strict")
    net = net_of(dtype="float32", backend="numpy")
    trainer = Trainer(net, SGD(0.1), *net.prepare("train", X, T), 10)
    with pytest.raises(ValueError, match=r"^Trainer.restart: net must"):
        trainer.restart(net_of(dtype="float32", backend="array_api_strict"))


@pytest.mark.parametrize("together", [1, 3, 7, 200])
def test_batches_gathered_at_once_are_those_of_each_step(backend, monkeypatch, together):
    """Also where the last of several are fewer, and where a run is shorter than they are."""
    batches = RNG.integers(50, size=(7, 10))
    losses = []
    for numbers in (0, together * 10 * X.shape[1]):
        monkeypatch.setattr(type(backend), "gathered_at_once", numbers)
        net = net_of()
        trainer = Trainer(net, SGD(0.1), *net.prepare("train", X, T), 10)
        assert trainer.together == (min(together, SEGMENT) if numbers else 1)
        losses.append([*trainer.start(batches)(), *trainer.start(batches[:2])(), *trainer.start(batches)()])
    assert losses[0] == losses[1]
