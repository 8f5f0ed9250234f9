"""The end of a training run: done, diverged or interrupted. Its history is kept in each case."""

from collections.abc import Callable
from typing import NamedTuple

from backends.communicators import RankFailed
from backprop.cli.interruptions import mark_caught
from backprop.cli.progress import Display
from backprop.training import Diverged, History


class Ending(NamedTuple):
    """The history, the outcome ("done", "diverged" or "interrupted"), and the exception that ended it."""

    history: History
    outcome: str
    error: BaseException | None = None


def run_to_the_end(training: Callable[..., History], shown: Display) -> Ending:
    """Train, and return the history however the run ends.

    training: a function that takes a callback.  shown: displays the history meanwhile.
    An exception before the first evaluation is raised, since there is nothing to keep, and so is that of a
    second signal.
    """
    try:
        return Ending(training(callback=shown), "done")
    except Diverged as error:
        return Ending(error.history, "diverged", error)
    except (KeyboardInterrupt, OSError, RankFailed) as error:  # OSError: of progress, or of a checkpoint
        history = getattr(error, "history", History())
        if not history.iterations or getattr(error, "at_once", False):
            raise
        mark_caught()
        return Ending(history, "interrupted", error)
    finally:
        shown.close()
