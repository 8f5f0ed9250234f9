"""A setting of a layer or an optimizer: a number that is checked whenever it is assigned."""

from math import inf
from typing import Any, overload

from backprop.arrays.checks import positive_integer, positive_number


class CheckedNumber:
    """A number of an object, above 0 and checked when it is assigned.

    It is an attribute of the class: `ratio = CheckedNumber("The share.", or_zero=True, below=1.0)`.

    Parameters
    ----------
    doc : str
        Its docstring.
    or_zero, or_none : bool
        Allow 0, or None.
    below : float
        The number must be less than this.
    least : float
        And at least this, unless it is 0.
    default : float, optional
        Its value before the first assignment.
    """

    def __init__(
        self,
        doc: str,
        *,
        or_zero: bool = False,
        or_none: bool = False,
        below: float = inf,
        least: float = 0.0,
        default: float | None = None,
    ) -> None:
        self.__doc__, self.or_zero, self.or_none, self.below = doc, or_zero, or_none, below
        self.least = least
        self.name, self.default = "", default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, obj: None, owner: type) -> "CheckedNumber": ...
    @overload
    def __get__(self, obj: object, owner: type) -> float: ...
    def __get__(self, obj: object | None, owner: type) -> Any:
        return self if obj is None else vars(obj).get(self.name, self.default)

    def __set__(self, obj: Any, value: float | None) -> None:
        vars(obj)[self.name] = self.checked(type(obj).__name__, value)

    def checked(self, where: str, value: Any) -> Any:
        """Return value as a float, or None; raise TypeError or ValueError if it breaks the rule."""
        if value is None and self.or_none:
            return None
        return positive_number(where, self.name, value, self.or_zero, self.below, self.least)


class FixedInteger(CheckedNumber):
    """An integer of an object, at least 1 (or 0), checked when it is assigned, which is possible once.

    It decides the shape of a layer's output, on which the layers behind it were built.
    """

    @overload
    def __get__(self, obj: None, owner: type) -> "FixedInteger": ...
    @overload
    def __get__(self, obj: object, owner: type) -> int: ...
    def __get__(self, obj: object | None, owner: type) -> Any:
        return super().__get__(obj, owner)

    def __set__(self, obj: Any, value: float | None) -> None:
        if self.name in vars(obj):
            where, rule = type(obj).__name__, f"{self.name} is fixed when the layer is made"
            raise AttributeError(f"{where}: {rule}; create a new {where} for another")
        super().__set__(obj, value)

    def checked(self, where: str, value: Any) -> int:
        """Return value as an int; raise TypeError or ValueError if it breaks the rule."""
        return positive_integer(where, self.name, value, self.or_zero)


def numbers_of(obj: Any) -> dict[str, Any]:
    """Return the checked numbers of an object by name: the settings of a layer, a loss or an optimizer."""
    found: dict[str, Any] = {}
    for kind in reversed(type(obj).__mro__):
        found |= vars(kind)
    return {name: getattr(obj, name) for name, each in found.items() if isinstance(each, CheckedNumber)}
