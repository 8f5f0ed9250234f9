"""Every example in a docstring and in the README does what it says."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import backends
import backprop

ROOT = Path(__file__).parent.parent
MODULES = [
    module.name
    for package in (backends, backprop)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    if module.name not in ("backprop.__main__", "backends.testing", "backends.__main__")
    and not module.name.startswith("backprop.cli")
]


@pytest.mark.parametrize("name", ["backends", "backprop", *MODULES])
def test_docstrings(name):
    backends.load(
        "numpy"
    )  # else the search through the module would load it and change the module underneath
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_where_users_look():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in (
        "backprop",
        "backprop.scalar",
        "backprop.training.train",
        "backprop.layers.affine",
        "backprop.layers.layer",
    ):
        assert any(test.examples for test in finder.find(importlib.import_module(name)))


@pytest.mark.parametrize("name", ["README.md", "docs/README.ja.md"])
def test_readme(name):
    result = doctest.testfile(str(ROOT / name), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0
