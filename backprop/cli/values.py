"""The types of option values. Each error names the option, its rule and the value."""

import math
from typing import Any

import click

import backends
from backprop.arrays.near import hint

LISTED = 60  # an error lists the valid names if they take at most this many characters


def typed(value: str) -> str:
    """Return a value as the user typed it, quoted if that is clearer, in at most 40 characters.

    >>> typed("abc"), typed(""), typed("a b")
    ('abc', "''", "'a b'")
    """
    plain = value and value.isprintable() and not set(value) & set(" '\"")
    return value if plain and len(value) <= 40 else backends.shown(value, 40)


def option_of(parameter: click.Parameter | None) -> str:
    """Return the name that the user knows a parameter by: --data-dir, or GRAPH for an argument."""
    if isinstance(parameter, click.Argument) and parameter.metavar:
        return parameter.metavar
    return "an option" if parameter is None else max(parameter.opts, key=len)


class BeyondHelp(click.UsageError):
    """A wrong call that `--help` would not help with, such as a missing file."""


class Value(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """A value that must follow one rule, which errors quote after "must be"."""

    rule: str

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the parsed value; raise click.UsageError if it breaks the rule."""
        try:
            return self.read(value)
        except (ValueError, OverflowError):
            raise click.UsageError(
                f"{option_of(param)} must be {self.rule}, got {typed(str(value))}", ctx
            ) from None

    def read(self, value: Any) -> Any:
        """Return the parsed value; raise ValueError if it breaks the rule."""
        raise NotImplementedError


class Whole(Value):
    """A whole number of at least `least` and at most `most`."""

    name = "N"

    def __init__(self, least: int, most: int | None = None) -> None:
        self.least, self.most = least, most
        span = f">= {least:,}" if most is None else f"from {least:,} to {most:,}"
        self.rule = f"a whole number {span}"

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


class NonNegative(Value):
    """A finite number of at least 0."""

    name = "NUMBER"
    rule = "a finite number >= 0"

    def read(self, value: Any) -> float:
        number = float(value)
        if not 0 <= number < math.inf:
            raise ValueError
        return number


class Share(Value):
    """A number below 1 and above 0, or 0 itself where `or_zero` is True."""

    name = "SHARE"

    def __init__(self, or_zero: bool = False) -> None:
        self.or_zero = or_zero
        self.rule = f"a number {'>= 0' if or_zero else 'above 0'} and below 1"

    def read(self, value: Any) -> float:
        number = float(value)
        if not (0 < number < 1 or (self.or_zero and number == 0)):
            raise ValueError
        return number


class WordOrNumber(Value):
    """One of several words, or a finite number above 0."""

    def __init__(self, *words: str) -> None:
        self.words, self.name = words, "|".join((*words, "number"))
        self.rule = f"{', '.join(words)} or a finite number above 0"

    def read(self, value: Any) -> str | float:
        return str(value) if value in self.words else Positive().read(value)


class Sizes(Value):
    """One size or several, separated by commas."""

    name = "N,N,…"
    rule = "whole numbers from 1 to 1,000,000,000, as in 50 or 100,50"

    def read(self, value: Any) -> tuple[int, ...]:
        return tuple(Whole(1, 10**9).read(size) for size in str(value).split(","))


class Shape(Value):
    """Sizes separated by commas, of an array with at most `most` numbers."""

    name = "N,D"

    def __init__(self, most: int) -> None:
        self.most, self.rule = most, f"sizes >= 1, as in 8,4, and at most {most:,} numbers in all"

    def read(self, value: Any) -> tuple[int, ...]:
        shape = tuple(int(size) for size in value.split(","))
        if min(shape) < 1 or math.prod(shape) > self.most:
            raise ValueError
        return shape


class Directory(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """The name of a directory, which need not be there."""

    name = "DIR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; raise click.UsageError if there can be no such directory."""
        if not value or "\0" in value:
            raise click.UsageError(f"{option_of(param)} must name a directory, got {typed(value)}", ctx)
        return str(value)


class OneOf(click.Choice[str]):
    """One of several names. An error lists them if they are few, and suggests the closest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; raise click.UsageError if it is not one of the choices."""
        if value in self.choices:
            return str(value)
        known, meant = ", ".join(self.choices), hint(value, self.choices)
        rule = f"must be one of {known}, got" if len(known) <= LISTED else "must be a known name, got"
        if not meant and len(known) > LISTED:
            meant = f"; there are {backends.cut(known, LISTED)}"
        raise click.UsageError(f"{option_of(param)} {rule} {typed(value)}{meant}", ctx)
