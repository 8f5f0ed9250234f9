"""A setting of an optimizer: a checked number whose array on the device follows it."""

from typing import Any

from backprop.arrays.checked_number import CheckedNumber


class Setting(CheckedNumber):
    """A number of an optimizer, above 0 and checked when it is assigned.

    It is an attribute of the class: `momentum = Setting("The momentum.", or_zero=True, below=1.0)`. Where the
    class names it in `settings`, its array on the device follows every assignment. The parameters are those
    of CheckedNumber.
    """

    def __set__(self, optimizer: Any, value: float | None) -> None:
        optimizer.follow(self.name, self.checked(type(optimizer).__name__, value))
        super().__set__(optimizer, value)
