"""Early stopping: the best weights of a run are kept, and a run that no longer improves is ended."""

import math

from backends import Array
from backprop.networks import Network
from backprop.training.history import History
from backprop.training.sets import Sets


class EarlyStopping:
    """The weights and state of the best evaluation so far, copied on the device.

    Parameters
    ----------
    net : Network
    patience : int
        Evaluations in a row without a new lowest loss, after which to stop.
    sets : Sets
        The loss of the validation set counts if there is one, else that of the test set.

    Attributes
    ----------
    best : float
        The lowest loss so far.
    waited : int
        Evaluations since then.
    kept : list of array
        The parameters, flat, and the arrays of state of that evaluation.
    """

    def __init__(self, net: Network, patience: int, sets: Sets) -> None:
        self.net, self.patience = net, patience
        self.of = "test" if sets.validation is None else "validation"
        self.best, self.waited = math.inf, 0
        self._live = [net.params.flat, *net.state.values()]
        self.kept = [net.backend.copy(array) for array in self._live]

    def saw(self, history: History) -> str:
        """Take note of the last evaluation. Return why to stop, or ""."""
        loss = getattr(history, f"{self.of}_loss")[-1]
        if loss < self.best:
            self.best, self.waited, history.best_iteration = loss, 0, history.iterations[-1]
            self._copy(self._live, self.kept)
            return ""
        self.waited += 1
        if self.waited < self.patience:
            return ""
        count = f"{self.patience} evaluations" if self.patience > 1 else "1 evaluation"
        return f"patience: for {count}, the {self.of} loss was not below its best, {self.best:.6g}"

    def restore(self) -> None:
        """Write the best weights and state back into the network, if an evaluation was good enough."""
        if self.best < math.inf:
            self._copy(self.kept, self._live)

    def _copy(self, sources: list[Array], targets: list[Array]) -> None:
        for source, target in zip(sources, targets, strict=True):
            self.net.backend.write(target, source)


def require_watched(sets: Sets, every: int) -> None:
    """Raise ValueError unless a loss will be measured.  every: iterations between evaluations, or 0."""
    if not every:
        raise ValueError("train: patience counts evaluations, so evaluate_every must not be None")
    if not (sets.validation or sets.held or sets.test):
        cure = "give validation=0.1, or x_test and t_test"
        raise ValueError(f"train: patience needs a loss to watch; {cure}")
