"""Random states, restored before every evaluation, so that a Dropout drops the same values each time."""

from typing import Any

from backprop.arrays.initializers import put_random_state, random_state
from backprop.gradient_check.places import Place, at
from backprop.gradient_check.values import bit_generator_of


class NumpyRandom:
    """The global state of np.random, restored if evaluations draw from it."""

    def __init__(self) -> None:
        self.first, self.is_drawn_from = random_state(), False

    def watch(self) -> None:
        """Record whether numbers have been drawn."""
        self.is_drawn_from = self.is_drawn_from or not _same(self.first, random_state())

    def restore(self) -> None:
        """Restore the state, if numbers have been drawn."""
        if self.is_drawn_from:
            put_random_state(self.first)


class GeneratorStates:
    """The states of the random generators at these places in an object."""

    def __init__(self, obj: Any, places: list[Place]) -> None:
        bits = [bit_generator_of(at(obj, place)) for place in places]
        self.states = [(each, each.state) for each in bits]

    def restore(self) -> None:
        """Restore the states."""
        for bits, state in self.states:
            bits.state = state


def _same(a: Any, b: Any) -> bool:
    return bool(a[2:] == b[2:] and (a[1] == b[1]).all())
