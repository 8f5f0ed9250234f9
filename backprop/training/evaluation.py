"""An evaluation: losses and accuracies of the training, validation and test set, into the history."""

from backends.communicators import Communicator
from backprop.networks import Network
from backprop.networks.chain import Chain
from backprop.training.history import History
from backprop.training.sets import Data, Sets

Part = tuple[int, float, float | None]  # samples, their mean loss, and the share that is correct


def evaluate(
    net: Network, history: History, done: int, sets: Sets, scores: Chain, communicator: Communicator
) -> None:
    """Append losses and accuracies to the history, all of them at once. Each rank measures its share.

    Parameters
    ----------
    net : Network
    history : History
    done : int
        Number of updates so far.
    sets : Sets
    scores : Chain
        A chain without the loss.
    communicator : Communicator
    """
    lists: list[tuple[Data | None, list[float], list[float]]] = [
        (sets.train, [], history.train_accuracy),  # its loss is not measured
        (sets.validation, history.validation_loss, history.validation_accuracy),
        (sets.test, history.test_loss, history.test_accuracy),
    ]
    own = [
        data and _measured(net, data, scores, communicator, data is not sets.train) for data, _, _ in lists
    ]
    ranks = communicator.gather(own)
    history.iterations.append(done)
    for at, (_, losses, accuracies) in enumerate(lists):
        parts = [each[at] for each in ranks if each[at] is not None]
        if parts:
            loss, accuracy = _together(parts)
            losses.append(loss)
            if accuracy is not None:
                accuracies.append(accuracy)


def _measured(
    net: Network, data: Data, scores: Chain, communicator: Communicator, with_loss: bool
) -> Part | None:
    """Return what this rank's share of the data gives; None if it has none."""
    count = int(data[0].shape[0])
    rows = communicator.share(count)
    if net.overrides("loss", "predict", "accuracy"):  # by user code, which may not give a mean over samples
        rows = slice(count if communicator.rank else 0, count)
    if rows.start == rows.stop:
        return None
    x, targets = (array[rows, ...] for array in data) if rows.stop - rows.start < count else data
    if with_loss:
        return rows.stop - rows.start, *net.measured(x, targets, scores)
    return rows.stop - rows.start, 0.0, net.measured_accuracy(x, targets, scores)


def _together(parts: list[Part]) -> tuple[float, float | None]:
    """Return loss and accuracy of all parts together."""
    if len(parts) == 1:
        return parts[0][1:]
    total = sum(count for count, _, _ in parts)
    loss = sum(count * loss for count, loss, _ in parts) / total
    right = [round(count * share) for count, _, share in parts if share is not None]
    return loss, sum(right) / total if right else None
