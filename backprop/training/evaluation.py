"""An evaluation: losses and accuracies of the training, validation and test set, into the history."""

from backprop.networks import Network
from backprop.networks.chain import Chain
from backprop.training.history import History
from backprop.training.sets import Sets


def evaluate(net: Network, history: History, done: int, sets: Sets, scores: Chain) -> None:
    """Append losses and accuracies to the history, all of them at once.

    Parameters
    ----------
    net : Network
    history : History
    done : int
        Number of updates so far.
    sets : Sets
    scores : Chain
        A chain without the loss.
    """
    found: list[tuple[list[float], float | None]] = []
    found.append((history.train_accuracy, net.measured_accuracy(*sets.train, scores)))
    for data, losses, accuracies in (
        (sets.validation, history.validation_loss, history.validation_accuracy),
        (sets.test, history.test_loss, history.test_accuracy),
    ):
        if data is not None:
            loss, accuracy = net.measured(*data, scores)
            found += [(losses, loss), (accuracies, accuracy)]
    history.iterations.append(done)
    for values, value in found:
        if value is not None:
            values.append(value)
