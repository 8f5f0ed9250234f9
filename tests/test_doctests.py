"""Every example in a docstring and in the README does what it says."""

import code
import doctest
import importlib
import inspect
import pkgutil
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import backends
import backprop
from docs.site.api import home, public

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


def documented():
    """Yield the docstring of every public class, function and method, by its full name."""
    things = {home(*each): getattr(importlib.import_module(each[0]), each[1]) for each in public()}
    for name, thing in things.items():
        if inspect.isclass(thing) or inspect.isfunction(thing):
            yield name, thing.__doc__
        for member, method in vars(thing).items() if inspect.isclass(thing) else ():
            if not member.startswith("_"):
                yield f"{name}.{member}", getattr(method, "__doc__", None)


EXAMPLES = {name: text for name, text in documented() if text and ">>>" in text}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_public_example_imports_what_it_uses(name):
    test = doctest.DocTestParser().get_doctest(EXAMPLES[name], {"__name__": "__main__"}, name, None, 0)
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_public_example_can_be_pasted_into_python(name):
    lines = [line.strip() for line in EXAMPLES[name].splitlines()]
    console, said = code.InteractiveConsole(), StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        for line in lines:
            if line.startswith((">>>", "...")):
                console.push(line[4:])
        console.push("")
    assert "SyntaxError" not in said.getvalue(), said.getvalue()


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
