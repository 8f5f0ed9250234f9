"""The race: its recipes, and the runs, which are those of `train`."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

import backprop
from backends import load, to_numpy
from backprop.layers import Affine, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.optimizers import Nesterov, OneCycle
from backprop.race.recipes import RECIPES, TARGETS, Recipe, recipe_for
from backprop.race.runs import Race, standardized
from backprop.training import Trainer

SMALL = Recipe(8, 20, steps=30, learning_rate=0.1, first="he", weight_decay=0.01, label_smoothing=0.1)


def test_there_is_a_recipe_for_each_target_on_a_host_and_on_a_device():
    assert TARGETS == (97, 98)
    assert {(target, on_host) for target in TARGETS for on_host in (True, False)} == set(RECIPES)
    assert recipe_for(97, on_host=True).hidden == recipe_for(97, on_host=False).hidden == 50
    assert recipe_for(98, on_host=True) is RECIPES[98, True]
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe_for(97, True).steps = 1


@pytest.fixture
def sets():
    rng = np.random.default_rng(3)
    pixels = [rng.random((count, 784), dtype="float32") for count in (90, 30)]
    return [(x, rng.integers(10, size=len(x))) for x in pixels]


def test_pixels_are_standardized_by_the_training_set(sets):
    (train, _), (test, _) = sets
    one, other = standardized(train, test)
    assert abs(float(one.mean())) < 1e-5 and float(one.std()) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(other, (test - train.mean()) / train.std(), rtol=1e-6)
    assert one.dtype == other.dtype == np.float32
    blank = standardized(np.ones_like(train), test)
    assert np.isfinite(blank[0]).all() and np.isfinite(blank[1]).all()


def test_a_seed_gives_the_same_alone_and_after_others(backend, sets):
    def weights(*seeds):
        race = Race(SMALL, *sets, backend)
        race.warm_up()
        found = [race.run(seed) for seed in seeds][-1]
        return found.accuracy, to_numpy(race.trainer.net.params.flat).tobytes()

    assert weights(7) == weights(3, 9, 7) != weights(8)


def test_a_run_is_the_run_of_train_to_the_last_bit(backend, sets):
    race = Race(SMALL, *sets, backend)
    finish = race.run(7)
    (x, t), (x_test, t_test) = sets
    mean, std = x.mean(), x.std()
    rng = np.random.default_rng(7)
    layers = [Affine(8, weight_init_std="he"), ReLU(), Affine(10, weight_init_std="xavier")]
    net = backprop.Sequential(layers, 784, loss=SoftmaxCrossEntropy(0.1), rng=rng)
    history = backprop.train(
        net,
        (x - mean) / std,
        t,
        iterations=30,
        batch_size=20,
        optimizer=Nesterov(0.1, momentum=0.9, weight_decay=0.01),
        schedule=OneCycle(rise=0.2, start=0.1, end=0.0),
        shuffle="epochs",
        evaluate_every=None,
        rng=rng,
    )
    assert len(history.loss) == finish.steps == 30
    assert to_numpy(net.params.flat).tobytes() == to_numpy(race.trainer.net.params.flat).tobytes()
    assert net.accuracy((x_test - mean) / std, t_test) == finish.accuracy


def test_one_trainer_makes_all_runs(monkeypatch, sets):
    made, init = [], Trainer.__init__
    monkeypatch.setattr(
        Trainer, "__init__", lambda self, *args, **kwargs: made.append(self) or init(self, *args, **kwargs)
    )
    race = Race(SMALL, *sets, load("numpy"))
    flat = race.trainer.net.params.flat
    race.warm_up()
    race.run(1)
    assert made == [race.trainer] and race.trainer.net.params.flat is flat


@pytest.mark.parametrize(("steps", "trial"), [(30, 30), (100, 100), (480, 180), (1200, 100)])
def test_the_warm_up_makes_every_group_of_steps_once(monkeypatch, sets, steps, trial):
    """The whole groups, and the one that is left at the end: a GPU records both."""
    made = []
    monkeypatch.setattr(Race, "run", lambda self, seed, steps: made.append(steps))
    Race(dataclasses.replace(SMALL, steps=steps), *sets, load("numpy")).warm_up()
    assert made == [trial]


def test_the_seconds_are_those_of_the_training(monkeypatch, sets):
    clock, order = iter(range(100)), []
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    for name in ("restart", "start"):
        method = getattr(Trainer, name)
        monkeypatch.setattr(
            Trainer, name, lambda *a, name=name, method=method: order.append(name) or method(*a)
        )
    race = Race(SMALL, *sets, load("numpy"))
    measure = type(race.trainer.net).share_correct
    monkeypatch.setattr(
        type(race.trainer.net), "share_correct", lambda *a: order.append("evaluation") or measure(*a)
    )
    finish = race.run(1)
    assert order == ["restart", "start", "evaluation"]
    assert (finish.seconds, finish.evaluation_seconds) == (pytest.approx(4, abs=3), 1)


def test_the_program_of_the_guide_is_the_race_to_97_on_a_cpu(sets):
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "training.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(import numpy as np\n.*?)^```", guide, re.MULTILINE | re.DOTALL)
    nets = []

    def train(net, *data, **settings):
        nets.append(net)
        return backprop.train(net, *data, **settings)

    names = {"train": train, "Sequential": backprop.Sequential, "Affine": Affine, "ReLU": ReLU}
    names |= {"Nesterov": Nesterov, "OneCycle": OneCycle}
    exec(program, names)
    race = Race(recipe_for(97, on_host=True), *sets, load("numpy"))
    assert names["race"](*sets[0], *sets[1], 7) == race.run(7).accuracy
    assert to_numpy(nets[0].params.flat).tobytes() == to_numpy(race.trainer.net.params.flat).tobytes()
