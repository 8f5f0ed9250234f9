"""The data of a run: training, validation and test set, checked and on the device."""

from typing import Any, NamedTuple

from backends import Array, load, shown
from backprop.arrays.checks import positive_number
from backprop.networks import Network

Data = tuple[Array, Array]  # samples and targets, as `net.prepare` returns them


class Sets(NamedTuple):
    """Data as `net.prepare` returns it. held: samples of `train` still to be held out for validation."""

    train: Data
    validation: Data | None
    test: Data | None
    held: int = 0

    @property
    def size(self) -> int:
        """The samples that are trained on."""
        return int(self.train[0].shape[0]) - self.held

    @property
    def largest(self) -> int:
        """The samples of the largest set."""
        return max(int(data[0].shape[0]) for data in (self.train, self.validation, self.test) if data)

    def drawn(self, rng: Any) -> Any:
        """Return which samples of the training set to hold out, at random: host indices."""
        return rng.permutation(self.train[0].shape[0])[: self.held]

    def hold_out(self, net: Network, rows: Any) -> "Sets":
        """Return the sets with these samples of the training set as the validation set.

        rows: host array of indices. Both sets keep the order of the data.
        """
        host: Any = load("numpy")
        validation = host.zeros((int(self.train[0].shape[0]),), "bool")
        validation[rows] = True
        parts = host.xp.nonzero(validation)[0], host.xp.nonzero(~validation)[0]
        held, train = (_rows(net, self.train, part) for part in parts)
        return Sets(train, held, self.test)


def prepared(net: Network, train: tuple[Any, Any], test: tuple[Any, Any], validation: Any) -> Sets:
    """Return the data that `train` was given, checked. Raises as its arguments demand."""
    if (test[0] is None) != (test[1] is None):
        raise ValueError("train: give both x_test and t_test, or neither")
    share = None if _is_pair(validation) or validation is None else _share(validation)
    trained = net.prepare("train (x_train, t_train)", *train)
    tested = None if test[0] is None else net.prepare("train (x_test, t_test)", *test)
    if share is None:
        pair = None if validation is None else net.prepare("train (validation)", *validation)
        return Sets(trained, pair, tested)
    size = int(trained[0].shape[0])
    held = round(share * size)
    if not 0 < held < size:
        rule = "validation must hold out at least one sample and leave one to train on"
        raise ValueError(f"train: {rule}, got {share:g} of {size}; pass a pair (x, t)")
    return Sets(trained, None, tested, held)


def _is_pair(validation: Any) -> bool:
    return isinstance(validation, tuple | list) and len(validation) == 2


def _share(validation: Any) -> float:
    try:
        return positive_number("train", "validation", validation, below=1.0)
    except (TypeError, ValueError) as error:
        rule = "validation must be a share of the training set, in (0, 1), or a pair (x, t)"
        raise type(error)(f"train: {rule}, got {shown(validation)}") from None


def _rows(net: Network, data: Data, rows: Any) -> Data:
    """Return the samples and targets of these indices."""
    at = net.backend.asarray(rows, "int64")
    x, t = (net.backend.xp.take(array, at, axis=0) for array in data)
    return x, t
