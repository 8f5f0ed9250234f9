"""How a training ends: as asked, diverged or interrupted; what it has recorded is kept in each case."""

from collections.abc import Callable
from typing import Any, NamedTuple

from backprop.cli.interruptions import caught
from backprop.cli.progress import Shown
from backprop.training import Diverged, History


class Ending(NamedTuple):
    """What was recorded, how the training ended, "done", "diverged" or "interrupted", and by what."""

    history: History
    outcome: str
    error: BaseException | None = None


def to_its_end(training: Callable[..., History], shown: Shown) -> Ending:
    """Train, and return the history however that ends.

    training: takes a callback.  shown: shows the history meanwhile.
    What ends it before there is anything to be kept is raised.
    """
    history = History()

    def look(so_far: History) -> None:
        nonlocal history
        history = so_far
        shown(so_far)

    try:
        return Ending(training(callback=look), "done")
    except Diverged as error:
        return Ending(error.history, "diverged", error)
    except (KeyboardInterrupt, OSError) as error:  # an OSError: a line of progress has nowhere to go
        if not history.iterations:
            raise
        caught()
        _without_half_an_evaluation(history)
        return Ending(history, "interrupted", error)
    finally:
        shown.close()


def _without_half_an_evaluation(history: History) -> None:
    lists: tuple[list[Any], ...] = history.iterations, history.train_accuracy, history.test_accuracy
    whole = min(len(each) for each in lists)
    for each in lists:
        del each[whole:]
