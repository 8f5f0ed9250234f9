"""Batches of indices, drawn on the host, with replacement or in epochs without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backends import load


class WithReplacement:
    """Batches of independent indices, as in the book.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int
        Samples to draw from.
    batch_size : int
    """

    def __init__(self, rng: Any, size: int, batch_size: int) -> None:
        self.rng, self.size, self.batch_size = rng, size, batch_size
        self.drawn = 0  # batches so far

    def draw(self, count: int) -> Any:
        """Return the next batches of indices, (count, batch_size)."""
        self._before, self._first = self.rng.bit_generator.state, self.drawn
        self.drawn += count
        return self.rng.integers(self.size, size=(count, self.batch_size))

    def rewind(self, used: int) -> None:
        """Set the generator back to just after the first `used` batches, which the last draw reached."""
        if used < self.drawn:
            self.restore(used, *self.position(used))

    def position(self, used: int) -> tuple[Any, int]:
        """Return a state of the generator, and how many batches it draws before the first `used` are drawn.

        used: at least the number of batches before the last draw.
        """
        return self._before, used - self._first

    def restore(self, used: int, state: Any, ahead: int) -> None:
        """Set generator and count to a position."""
        self.rng.bit_generator.state = state
        self.drawn = used - ahead
        self.draw(ahead)


class Epochs:
    """Batches without replacement: every epoch goes through a new permutation of the samples.

    An epoch has size // batch_size batches. The samples left at the end of a permutation are not used.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : int
        Samples to draw from, at least batch_size.
    batch_size : int
    """

    def __init__(self, rng: Any, size: int, batch_size: int) -> None:
        self.rng, self.size, self.batch_size = rng, size, batch_size
        self.epoch = size // batch_size  # batches of an epoch
        self.drawn = 0  # batches so far
        self.begun = 0  # permutations so far
        self._left: Any = ()  # of the last one
        self._before: dict[int, Any] = {}  # states before permutations, by number: from the last draw's first

    def draw(self, count: int) -> Any:
        """Return the next batches of indices, (count, batch_size)."""
        parts: list[Any] = []
        running = self.drawn // self.epoch
        self._before = {at: state for at, state in self._before.items() if at >= running}
        self.drawn += count
        while count:
            if not len(self._left):
                self._permute()
            parts.append(self._left[:count])
            self._left = self._left[count:]
            count -= len(parts[-1])
        return parts[0] if len(parts) == 1 else load("numpy").concat(parts)

    def _permute(self) -> None:
        self._before[self.begun] = self.rng.bit_generator.state
        self.begun += 1
        used = self.rng.permutation(self.size)[: self.epoch * self.batch_size]
        self._left = used.reshape(self.epoch, self.batch_size)

    def rewind(self, used: int) -> None:
        """Set the generator back to just after the permutation of the last of `used` batches."""
        following = -(-used // self.epoch)
        if following in self._before:
            self.rng.bit_generator.state = self._before[following]

    def position(self, used: int) -> tuple[Any, int]:
        """Return the state of the generator before the running permutation, and the place in it.

        used: at least the number of batches before the last draw.
        """
        running, place = divmod(used, self.epoch)
        return self._before.get(running) or self.rng.bit_generator.state, place

    def restore(self, used: int, state: Any, ahead: int) -> None:
        """Set generator and count to a position."""
        self.rng.bit_generator.state = state
        self.drawn, self.begun, self._left, self._before = used, used // self.epoch, (), {}
        if ahead:
            self._permute()
            self._left = self._left[ahead:]


SHUFFLES: dict[str, type[WithReplacement] | type[Epochs]] = {"draw": WithReplacement, "epochs": Epochs}


@contextmanager
def restored_on_error(rng: Any) -> Iterator[None]:
    """Set a generator back if an exception leaves the block."""
    before = rng.bit_generator.state
    try:
        yield
    except BaseException:
        rng.bit_generator.state = before
        raise
