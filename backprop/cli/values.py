"""The kinds of values that options take.  A wrong one is told with the option, the rule and what came."""

import math
from typing import Any

import click

import backends
from backprop.cli.near import near

LISTED = 60  # characters of names that are told in full


def typed(value: str) -> str:
    """Return what came, as it was typed where that is plain to see, and shortened.

    >>> typed("abc"), typed(""), typed("a b")
    ('abc', "''", "'a b'")
    """
    plain = value and value.isprintable() and not set(value) & set(" '\"")
    return value if plain and len(value) <= 40 else backends.shown(value, 40)


def option_of(parameter: click.Parameter | None) -> str:
    """Return what the user typed for a parameter: --data-dir, and GRAPH for an argument."""
    if isinstance(parameter, click.Argument) and parameter.metavar:
        return parameter.metavar
    return "an option" if parameter is None else max(parameter.opts, key=len)


class Value(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """A value with one rule.  rule: what must be, after "must be"."""

    rule: str

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value itself.  Raises click.UsageError for what breaks the rule."""
        try:
            return self.read(value)
        except (ValueError, OverflowError):
            raise click.UsageError(
                f"{option_of(param)} must be {self.rule}, got {typed(str(value))}", ctx
            ) from None

    def read(self, value: Any) -> Any:
        """Return the value itself.  Raises ValueError for what breaks the rule."""
        raise NotImplementedError


class Whole(Value):
    """A whole number in a range."""

    name = "N"

    def __init__(self, least: int, most: int | None = None) -> None:
        self.least, self.most = least, most
        self.rule = f"a whole number from {least:,} " + ("up" if most is None else f"to {most:,}")

    def read(self, value: Any) -> int:
        number = int(value)
        if number < self.least or (self.most is not None and number > self.most):
            raise ValueError
        return number


class Positive(Value):
    """A finite number above 0."""

    name = "NUMBER"
    rule = "a finite number above 0"

    def read(self, value: Any) -> float:
        number = float(value)
        if not 0 < number < math.inf:
            raise ValueError
        return number


class Shape(Value):
    """Sizes with commas between them.  most: the numbers that such an array may hold."""

    name = "N,D"

    def __init__(self, most: int) -> None:
        self.most, self.rule = most, f"sizes from 1 up, as in 8,4, and of at most {most:,} numbers in all"

    def read(self, value: Any) -> tuple[int, ...]:
        shape = tuple(int(size) for size in value.split(","))
        if min(shape) < 1 or math.prod(shape) > self.most:
            raise ValueError
        return shape


class OneOf(click.Choice[str]):
    """One of some names.  An error lists them if they are few, and says which one is meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name.  Raises click.UsageError for another."""
        if value in self.choices:
            return str(value)
        known, meant = ", ".join(self.choices), near(value, self.choices)
        told = f"must be one of {known}, got" if len(known) <= LISTED else "has no"
        hint = "" if meant is None else f"; did you mean {meant}?"
        raise click.UsageError(f"{option_of(param)} {told} {typed(value)}{hint}", ctx)
