"""Tests of the search for the race's settings, on made-up images."""

import numpy as np
import pytest

from backends import load
from backprop.race.recipes import TARGETS, Recipe, recipe_for
from benchmarks import race_search
from benchmarks.race_search import accuracies, split, variants

RNG = np.random.default_rng(0)
T = RNG.integers(10, size=700)
X = RNG.normal(size=(700, 784)).astype("float32") + 3 * np.eye(10, 784, dtype="float32")[T]


def test_the_images_to_judge_by_are_the_last_and_are_not_trained_on():
    (x, t), (x_judge, t_judge) = split(X, T, 200)
    assert len(x) == len(t) == 500 and len(x_judge) == len(t_judge) == 200
    np.testing.assert_array_equal(np.concatenate([x, x_judge]), X)
    np.testing.assert_array_equal(np.concatenate([t, t_judge]), T)


@pytest.mark.parametrize("on_host", [True, False])
@pytest.mark.parametrize("target", TARGETS)
def test_each_variant_differs_from_the_recipe_in_its_settings(target, on_host):
    (first, recipe), *others = variants(recipe_for(target, on_host))
    assert first == "the recipe" and recipe == recipe_for(target, on_host)
    assert len({name for name, _ in others}) == len(others) == len({each for _, each in others} - {recipe})


def test_more_steps_learn_more():
    few, more = (Recipe(20, 50, steps, 0.05) for steps in (2, 60))
    short, long = (accuracies(recipe, *split(X, T, 200), range(2), load("numpy")) for recipe in (few, more))
    assert min(long) > max(short)


def test_it_says_what_it_needs(monkeypatch, capsys):
    monkeypatch.delenv("BACKPROP_DATA_DIR", raising=False)
    with pytest.raises(SystemExit, match="set BACKPROP_DATA_DIR"):
        race_search.main([])
    with pytest.raises(SystemExit):
        race_search.main(["--seeds", "1"])
    assert "--seeds must be at least 2" in capsys.readouterr().err
