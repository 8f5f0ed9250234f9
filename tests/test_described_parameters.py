"""Public docstrings name every parameter, in the order of the signature, in a section that numpydoc reads."""

import inspect
import re
from importlib import import_module
from typing import Protocol

import pytest

from docs.site.api import home, public

FIELDS = re.compile(r"^(?:Parameters|Attributes)\n-{10}\n((?:.+\n?|\n(?=    ))+)", re.MULTILINE)
MARKS = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def parameters_of(call):
    """Return the names of the parameters, with their stars."""
    each = inspect.signature(call).parameters.values()
    return [MARKS.get(one.kind, "") + one.name for one in each if one.name != "self"]


def docstring_of(thing):
    """Return a docstring without its indentation."""
    return inspect.cleandoc(thing.__doc__ or "")


def described():
    """Yield what has a section of parameters, as (name, what has the docstring, what has the parameters).

    These are the public functions and classes, and methods if they have the section. Errors and protocols
    describe their attributes elsewhere.
    """
    things = {home(*each): getattr(import_module(each[0]), each[1]) for each in public()}
    for name, thing in things.items():
        if inspect.isfunction(thing):
            yield name, thing, thing
        elif inspect.isclass(thing) and not {Exception, Protocol} & set(thing.__mro__):
            if "__init__" in vars(thing):
                yield name, thing, thing.__init__
            for key, method in vars(thing).items():
                if inspect.isfunction(method) and FIELDS.search(docstring_of(method)):
                    yield f"{name}.{key}", method, method


CASES = [pytest.param(*each[1:], id=each[0]) for each in described() if parameters_of(each[2])]


@pytest.mark.parametrize(("thing", "call"), CASES)
def test_a_docstring_names_every_parameter_in_order(thing, call):
    section = FIELDS.search(docstring_of(thing))
    assert section, "there is no section Parameters"
    heads = [line.partition(" : ")[0] for line in section[1].splitlines() if line and line[0] != " "]
    assert [name for head in heads for name in head.split(", ")] == parameters_of(call)
