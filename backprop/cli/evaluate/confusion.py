"""The confusion matrix of a classifier, and the figures of each class that follow from it."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from backprop.reporting.tables import table


class ClassFigures(NamedTuple):
    """The figures of one class; None where one would be 0 / 0.

    precision: of the images predicted as this class, the share that belongs to it.  recall: of the images of
    this class, the share that is predicted as it.  f1: the harmonic mean of both.  images: of this class.
    """

    label: int
    name: str | None
    precision: float | None
    recall: float | None
    f1: float | None
    images: int


def confusion(labels: Sequence[int], predicted: Sequence[int], classes: int) -> list[list[int]]:
    """Return how often each true label, by row, was predicted as each label, by column.

    >>> confusion([0, 0, 1], [0, 1, 1], 2)
    [[1, 1], [0, 1]]
    """
    pairs = Counter(zip(labels, predicted, strict=True))
    return [[pairs[row, column] for column in range(classes)] for row in range(classes)]


def figures(matrix: Sequence[Sequence[int]], names: Sequence[str] | None = None) -> list[ClassFigures]:
    """Return the figures of each class.

    >>> figures([[1, 1], [0, 2]])[1]._asdict()
    {'label': 1, 'name': None, 'precision': 0.6666666666666666, 'recall': 1.0, 'f1': 0.8, 'images': 2}
    """
    found = []
    for label, row in enumerate(matrix):
        right, called, count = row[label], sum(other[label] for other in matrix), sum(row)
        shares = (_share(right, called), _share(right, count), _share(2 * right, called + count))
        found.append(ClassFigures(label, names[label] if names else None, *shares, count))
    return found


def matrix_table(matrix: Sequence[Sequence[int]], names: Sequence[str] | None = None) -> str:
    """Return the matrix as text: a row per true class, a column per predicted one; a dot for 0."""
    header = ["true", *map(str, range(len(matrix)))]
    rows = [[_called(label, names), *(each or "." for each in row)] for label, row in enumerate(matrix)]
    return table(header, rows)


def figures_table(classes: Sequence[ClassFigures]) -> str:
    """Return the figures of all classes as text."""
    names = [each.name for each in classes if each.name is not None]
    rows = [
        [
            _called(each.label, names),
            *map(_digits, (each.precision, each.recall, each.f1)),
            f"{each.images:,}",
        ]
        for each in classes
    ]
    return table(["class", "precision", "recall", "F1", "images"], rows)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _called(label: int, names: Sequence[str] | None) -> str:
    return f"{label} {names[label]}" if names else str(label)


def _digits(share: float | None) -> str:
    return "-" if share is None else f"{share:.4f}"
