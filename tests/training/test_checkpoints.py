"""A run that is ended at any moment and resumed ends in the same bits as one that was never ended."""

import logging
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("safetensors")

from backprop import Sequential, TwoLayerNet, to_numpy, train
from backprop.layers import Affine, BatchNorm, Dropout, ReLU
from backprop.networks import FileError, Network
from backprop.optimizers import SGD, Adam, Cosine, Momentum, Optimizer, StepDecay
from backprop.training import checkpoint as content
from backprop.training.checkpoints import KEPT, Checkpoints
from tests.training import killed

ROOT = Path(__file__).parents[2]
KILLS = 10
X, T = np.random.default_rng(0).normal(size=(60, 5)), np.random.default_rng(1).integers(3, size=60)


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch):
    """A disk that is not waited for, which only matters if the machine itself fails."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="module")
def uninterrupted():
    endings = {}

    def of(name):
        if name not in endings:
            endings[name] = killed.ending(*killed.run(name))
        return endings[name]

    return of


@pytest.mark.parametrize("name", killed.OPTIONS)
@pytest.mark.parametrize("stop", [1, 40, 101, 600])
def test_a_run_that_was_ended_ends_in_the_same_bits(name, stop, uninterrupted, tmp_path):
    def end(history):
        if len(history.loss) >= stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        killed.run(name, tmp_path, callback=end)
    reached = len(caught.value.history.loss)
    assert reached >= stop
    resumed = killed.run(name, tmp_path)
    assert killed.ending(*resumed) == uninterrupted(name)
    assert resumed[3].resumed_at == (600 if reached == 600 else reached // 7 * 7)
    again = killed.run(name, tmp_path)  # a run that was done is read, and no step is made
    assert killed.ending(*again) == uninterrupted(name) and again[3].resumed_at == 600


def test_a_run_goes_on_on_every_backend_and_from_each_on_the_host(backend, tmp_path):
    def of(folder=None, on=backend, stop=99, **options):
        net = Sequential([Affine(4), BatchNorm(), ReLU(), Dropout(0.2), Affine(3)], 5, rng=0, backend=on)
        options = {"batch_size": 10, "rng": 7, "optimizer": Adam(0.01), "schedule": Cosine(), **options}
        options |= {"checkpoint": folder, "checkpoint_every": 5, "resume": True} if folder else {}
        look = (lambda history: ended(history, stop)) if folder else None
        history = train(net, X, T, iterations=20, evaluate_every=5, callback=look, **options)
        return net, history

    whole, record = of()
    with pytest.raises(KeyboardInterrupt):
        of(tmp_path / "run", stop=12)
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    net, history = of(tmp_path / "run")
    assert net.params == whole.params and history.loss == record.loss and history.resumed_at == 15
    assert all((to_numpy(net.state[name]) == to_numpy(whole.state[name])).all() for name in net.state)
    moved, history = of(tmp_path / "copy", on="numpy")
    assert moved.backend.name == "numpy" and np.allclose(history.loss, record.loss, rtol=1e-4)


@pytest.mark.parametrize("kind", [np.random.MT19937, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM])
@pytest.mark.parametrize("shuffle", ["draw", "epochs"])
def test_every_kind_of_generator_is_kept_with_its_spare_bits(kind, shuffle, tmp_path):
    def of(**more):
        return killed.ending(
            *killed.run("draw", rng=np.random.Generator(kind(1)), shuffle=shuffle, iterations=60, **more)
        )

    with pytest.raises(KeyboardInterrupt):
        of(checkpoint=tmp_path, callback=lambda history: ended(history, 45))
    assert of(checkpoint=tmp_path) == of()


def ended(history, iteration):
    if len(history.loss) >= iteration:
        raise KeyboardInterrupt


def kill_until(kills, folder, uninterrupted, names, seed=0):
    """Start runs and kill them at random moments, so often in all; compare the ending of each that ends."""
    moments, done, left, kept = random.Random(seed), 0, kills, 0
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    while left or done < len(names):
        name = names[done % len(names)]
        result = folder / f"{done}.json"
        command = [sys.executable, "-m", "tests.training.killed", name, folder / str(done), result]
        run = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            run.wait(moments.uniform(0.3, 1.5) if left else 60)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
        code = run.wait()
        assert code in (0, -signal.SIGKILL)
        if code:
            left = max(0, left - 1)
            kept += any(folder.glob(f"{done}/iteration-*.safetensors"))
        else:
            assert result.read_text() == uninterrupted(name)
            done += 1
    assert kept, "no kill came after a checkpoint"
    return done


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_a_killed_run_loses_nothing(uninterrupted, tmp_path):
    assert kill_until(KILLS, tmp_path, uninterrupted, ["draw", "epochs"]) >= 2


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_a_hundred_kills_lose_nothing(uninterrupted, tmp_path):
    assert kill_until(100, tmp_path, uninterrupted, [*killed.OPTIONS], seed=1) >= 4


def trained(folder, net=None, **options):
    net = net or TwoLayerNet(5, 4, 3, rng=0)
    options = {"iterations": 30, "batch_size": 10, "rng": 7, "checkpoint_every": 10, **options}
    return net, train(net, X, T, checkpoint=folder, **options)


def test_the_last_checkpoints_are_kept_and_no_others(tmp_path):
    folder = tmp_path / "new" / "run"
    trained(folder, checkpoint_every=5)
    names = sorted(os.listdir(folder))
    assert names == [f"iteration-{at:010}.safetensors" for at in (20, 25, 30)] and len(names) == KEPT


def test_a_checkpoint_is_written_every_epoch_by_default_and_at_the_end(tmp_path):
    trained(tmp_path, checkpoint_every=None, iterations=15)
    assert [int(path.stem[10:]) for path in sorted(tmp_path.iterdir())] == [6, 12, 15]


def test_the_weights_of_a_checkpoint_load_as_a_network(tmp_path):
    net, _ = trained(tmp_path)
    newest = max(tmp_path.iterdir())
    assert Network.load(newest).params == net.params
    other = TwoLayerNet(5, 4, 3, rng=9)
    other.load_weights(newest)
    assert other.params == net.params


def test_a_run_without_a_checkpoint_begins_anew_and_says_so(tmp_path, caplog):
    caplog.set_level(logging.INFO, "backprop.training")
    _, history = trained(tmp_path, resume=True)
    assert history.resumed_at is None and len(history.loss) == 30
    assert caplog.messages == [f"no checkpoint in {tmp_path} yet: the run starts at iteration 0"]


@pytest.mark.parametrize("damage", ["cut", "edited", "longer", "emptied", "another file", "header"])
def test_a_damaged_checkpoint_is_passed_over_and_the_one_before_taken(damage, tmp_path, caplog):
    caplog.set_level(logging.WARNING, "backprop.training")
    whole, _ = trained(tmp_path)
    newest = max(tmp_path.iterdir())
    sound = newest.read_bytes()
    damaged = {
        "cut": sound[:-1],
        "edited": sound[:-3] + bytes([sound[-3] ^ 1]) + sound[-2:],
        "longer": sound + b"x",
        "emptied": b"",
        "another file": b"not a checkpoint",
        "header": sound.replace(b"batch_size", b"batch_sise"),
    }[damage]
    assert damaged != sound
    newest.write_bytes(damaged)
    net, history = trained(tmp_path, resume=True)
    assert history.resumed_at == 20 and net.params == whole.params
    message = caplog.messages[0]
    assert message.startswith(f"{newest}: ") and message.endswith("; the checkpoint before it is taken")
    assert newest.read_bytes()[-200:] == sound[-200:]  # written anew


def test_if_all_checkpoints_are_damaged_nothing_is_begun(tmp_path):
    trained(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-5])
    net = TwoLayerNet(5, 4, 3, rng=1)
    before = net.params.copy()
    with pytest.raises(FileError, match=r"iteration-0{8}10.*; no earlier checkpoint is left: name an"):
        trained(tmp_path, net, resume=True)
    assert net.params == before and len(os.listdir(tmp_path)) == 3


def test_a_newer_format_is_refused_and_not_passed_over(tmp_path, monkeypatch):
    trained(tmp_path, iterations=20)
    monkeypatch.setattr(content, "FORMAT", 2)
    trained(tmp_path / "newer")
    monkeypatch.undo()
    newest = max((tmp_path / "newer").iterdir())
    newest.rename(tmp_path / newest.name)
    with pytest.raises(FileError, match="format of at most 1, got 2; install a newer version of backprop"):
        trained(tmp_path, resume=True)


def test_an_earlier_run_is_not_overwritten(tmp_path):
    trained(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=r"train: checkpoint .* has an earlier run; resume it, or name an"):
        trained(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


class Halved(Optimizer):
    """An optimizer that is not the library's."""

    def compute(self, xp, w, g, rate):
        return w - 0.5 * rate * g, ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch_size": 12}, "batch_size 10, got 12"),
        ({"iterations": 40}, "iterations 30, got 40"),
        ({"epochs": 2, "iterations": None}, "iterations 30, got 12"),
        ({"shuffle": "epochs"}, "shuffle 'draw', got 'epochs'"),
        ({"evaluate_every": 7}, "evaluate_every 6, got 7"),
        ({"validation": 0.5, "evaluate_every": 6}, "validation None, got 0.5"),
        ({"validation": (X, T)}, "validation None, got 'a pair'|other validation data"),
        ({"x_test": X, "t_test": T}, "other test data"),
        ({"x_train": X + 1e-9}, "other training data"),
        ({"t_train": T[::-1]}, "other training data"),
        ({"x_train": X[:, ::-1]}, "other training data"),
        ({"recompute_loss": True}, "recompute_loss False, got True"),
        ({"learning_rate": 0.2}, "learning_rate 0.1, got 0.2"),
        ({"optimizer": SGD(0.1, weight_decay=0.1)}, "weight_decay 0.0, got 0.1"),
        ({"optimizer": SGD(0.1, decayed="all")}, "decayed 'weights', got 'all'"),
        ({"optimizer": SGD(0.1, clip=1.0)}, "clip None, got 1.0"),
        ({"optimizer": Momentum(0.1)}, r"optimizer 'backprop.optimizers.sgd.SGD', got '.*Momentum"),
        ({"optimizer": Halved(0.1)}, r"optimizer 'backprop.*', got 'tests.*Halved"),
        ({"schedule": StepDecay(5)}, "other schedule; give the same"),
        ({"rng": 8}, r"rng \[7\], got \[8\]"),
        ({"rng": np.random.Generator(np.random.MT19937(7))}, "generator 'PCG64', got 'MT19937'"),
    ],
)
def test_another_run_is_refused_by_name(change, words, tmp_path):
    trained(tmp_path)
    net = TwoLayerNet(5, 4, 3, rng=1)
    before = net.params.copy()
    data = {"x_train": X, "t_train": T, "iterations": 30, "batch_size": 10, "rng": 7, **change}
    with pytest.raises(ValueError, match=rf"^train: .*safetensors is of a run with {words}") as caught:
        train(net, **data, checkpoint=tmp_path, checkpoint_every=10, resume=True)
    assert net.params == before and len(str(caught.value).replace(str(tmp_path), "")) < 200


def test_another_schedule_is_refused(tmp_path):
    trained(tmp_path, schedule=Cosine())
    with pytest.raises(ValueError, match="with other schedule; give the same"):
        trained(tmp_path, schedule=Cosine(floor=0.1), resume=True)
    trained(tmp_path, schedule=lambda step: Cosine().factor(step, 30), resume=True)  # the same factors


@pytest.mark.parametrize(
    "net",
    [
        lambda: TwoLayerNet(5, 6, 3, rng=0),
        lambda: Sequential([Affine(4), ReLU(), Affine(3)], 5, rng=0),
        lambda: TwoLayerNet(5, 4, 3, rng=0, dtype="float64"),
    ],
)
def test_another_network_is_refused_and_unchanged(net, tmp_path):
    trained(tmp_path)
    other = net()
    before = other.params.copy()
    with pytest.raises(ValueError, match=r"another network|shape of W1|dtype 'float32', got 'float64'"):
        trained(tmp_path, other, resume=True)
    assert other.params == before


def test_another_dropout_is_another_network(tmp_path):
    trained(tmp_path, Sequential([Affine(4), Dropout(0.1), Affine(3)], 5, rng=0))
    with pytest.raises(ValueError, match=r"of a run with another network, of layers "):
        trained(tmp_path, Sequential([Affine(4), Dropout(0.2), Affine(3)], 5, rng=0), resume=True)


def test_any_seed_may_resume_a_run_if_none_is_given(tmp_path):
    trained(tmp_path, iterations=30)
    _, history = trained(tmp_path, resume=True, rng=None)
    assert history.resumed_at == 30


def test_a_rate_that_a_callback_has_changed_is_kept(tmp_path):
    def of(folder, stop=None, **options):
        optimizer = Adam(0.01)

        def halve(history):
            if stop and len(history.loss) >= stop:
                raise KeyboardInterrupt
            if len(history.loss) in (6, 12):
                optimizer.learning_rate /= 2

        return trained(folder, optimizer=optimizer, callback=halve, evaluate_every=6, **options)

    whole, _ = of(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        of(tmp_path / "ended", stop=20)
    net, history = of(tmp_path / "ended", resume=True)
    assert net.params == whole.params and history.learning_rate[-1] == 0.0025


def test_a_layer_of_ones_own_trains_on(tmp_path):
    class Twice:
        def forward(self, x):
            return 2 * x

        def backward(self, dout):
            return 2 * dout

    def of(folder, **options):
        return trained(folder, Sequential([Affine(4), Twice(), Affine(3)], 5, rng=0), **options)

    whole, _ = of(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        of(tmp_path / "ended", callback=lambda history: ended(history, 15))
    assert of(tmp_path / "ended", resume=True)[0].params == whole.params


@pytest.mark.parametrize("options", [{"resume": True}, {"checkpoint_every": 5}])
def test_what_needs_a_directory_says_so(options):
    with pytest.raises(ValueError, match="needs a directory: checkpoint=DIR"):
        train(TwoLayerNet(5, 4, 3, rng=0), X, T, **options)


def test_a_generator_that_cannot_be_kept_is_refused_before_anything(tmp_path):
    class Odd(np.random.PCG64):
        state = property(lambda self: {"bit_generator": "Odd", "state": object()}, lambda self, value: None)

    net = TwoLayerNet(5, 4, 3, rng=0)
    before = net.params.copy()
    with pytest.raises(TypeError, match="rng must have a state of numbers to be kept, got"):
        trained(tmp_path, net, rng=np.random.Generator(Odd(0)))
    assert net.params == before


def test_a_full_disk_ends_the_run_and_leaves_the_checkpoints_there_are(tmp_path, monkeypatch):
    written = []

    def full(descriptor):
        written.append(descriptor)
        if len(written) > 4:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no checkpoint: No space left on device.*iteration-0{8}15") as caught:
        trained(tmp_path, checkpoint_every=5)
    assert len(caught.value.history.loss) == 15
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    assert {int(path.stem[10:]) for path in tmp_path.iterdir()} == {5, 10}
    assert trained(tmp_path, checkpoint_every=5, resume=True)[1].resumed_at == 10


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    half = tmp_path / "iteration-0000000010.safetensors.1234abcd.part"
    half.write_bytes(b"half")
    (tmp_path / "notes.part").write_text("mine")
    trained(tmp_path)
    assert not half.exists() and (tmp_path / "notes.part").exists()


def test_a_checkpoint_holds_what_this_was_made_for(tmp_path):
    """Nothing of a run is forgotten: a History with a new field is either kept or a test fails."""
    _, history = trained(tmp_path, validation=0.2, patience=50)
    newest = Checkpoints(str(tmp_path)).newest()
    assert {*content.LISTS, *content.OTHERS} == {*vars(history)}
    assert {name.rpartition(".")[2] for name in newest.file.entries if "history" in name} == {*content.LISTS}
    assert newest.iteration == 30 and len({*newest.held(12, 60).tolist()}) == 12


def test_a_directory_belongs_to_one_run_at_a_time(tmp_path):
    pytest.importorskip("fcntl")
    half = tmp_path / "iteration-0000000020.safetensors.1234abcd.part"

    def begin_another(history):
        if len(history.loss) == 10:
            half.write_bytes(b"what the first run is writing")
            with pytest.raises(ValueError, match="is in use by another run; wait for its end, or"):
                trained(tmp_path, resume=True)
            assert half.exists()

    net, history = trained(tmp_path, callback=begin_another)
    assert len(history.loss) == 30 and trained(tmp_path, resume=True)[0].params == net.params


@pytest.mark.parametrize("way", ["patience", "callback"])
def test_a_run_that_was_stopped_is_complete(way, tmp_path):
    def of(folder, **options):
        stop = {"patience": 1, "x_test": X, "t_test": T} if way == "patience" else {"callback": enough}
        options = {"learning_rate": 3.0, "iterations": 200, "evaluate_every": 5, **stop, **options}
        return trained(folder, checkpoint_every=150, **options)

    def enough(history):
        return len(history.loss) >= 15

    net, history = of(tmp_path)
    assert history.stopped and len(history.loss) < 100 and len(os.listdir(tmp_path)) == 1
    again, record = of(tmp_path, resume=True)
    assert record.resumed_at == len(history.loss) and again.params == net.params
    assert (record.loss, record.iterations, record.stopped) == (
        history.loss,
        history.iterations,
        history.stopped,
    )


class Grown(Momentum):
    """An optimizer whose class gets another array of state between two runs."""

    zeros = ("v",)

    def compute(self, xp, w, g, rate, momentum, v, *others):
        return w - rate * g, (momentum * v + g, *others)


def test_an_optimizer_with_other_state_is_refused_and_nothing_changes(tmp_path, monkeypatch):
    trained(tmp_path, optimizer=Grown(0.1))
    monkeypatch.setattr(Grown, "zeros", ("v", "u"))
    net, rng = TwoLayerNet(5, 4, 3, rng=1), np.random.default_rng(7)
    before, state = net.params.copy(), repr(rng.bit_generator.state)
    with pytest.raises(FileError, match="beside/optimizer must be"):
        trained(tmp_path, net, optimizer=Grown(0.1), rng=rng, resume=True)
    assert net.params == before and repr(rng.bit_generator.state) == state


class Seen(ReLU):
    """A layer whose state has some dtype."""

    def __init__(self, dtype):
        super().__init__()
        self.state = {"seen": np.zeros(1, dtype)}

    def compute(self, xp, x, seen):
        return xp.maximum(x, 0.0 * x), (x,), (seen,)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "complex64"])
def test_state_of_any_dtype_is_kept_or_refused_before_the_first_step(dtype, tmp_path):
    def of(**options):
        return trained(tmp_path, Sequential([Affine(4), Seen(dtype), Affine(3)], 5, rng=0), **options)

    if dtype == "complex64":
        with pytest.raises(TypeError, match="^train: seen1 must hold real numbers to be written, got"):
            of()
        assert not list(tmp_path.iterdir())
        return
    of()
    net, history = of(resume=True)
    assert history.resumed_at == 30 and str(net.state["seen1"].dtype) == dtype


def test_an_exception_of_a_nested_run_keeps_its_own_history():
    def nested(history):
        train(
            TwoLayerNet(5, 4, 3, rng=0), X, T, iterations=7, callback=lambda inner: 1 / (len(inner.loss) - 7)
        )

    with pytest.raises(ZeroDivisionError) as caught:
        train(TwoLayerNet(5, 4, 3, rng=0), X, T, iterations=20, callback=nested)
    assert len(caught.value.history.loss) == 7


def test_memory_that_runs_out_does_not_take_the_history(tmp_path):
    def run_out(history):
        if len(history.loss) == 12:
            raise MemoryError("1 TB")

    with pytest.raises(MemoryError, match="train: 1 TB; lower batch_size") as caught:
        trained(tmp_path, evaluate_every=6, callback=run_out)
    assert len(caught.value.history.loss) == 12
