"""The summary of a network: a row per layer with its output shape, parameters and multiplications."""

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from backends import cut, dtype_name
from backprop.layers.layer import products
from backprop.reporting.tables import table

WIDTH = 80  # characters of a line
HEADER = ("layer", "output", "parameters", "multiply-adds", "bytes")


class Row(NamedTuple):
    """One layer in a summary.

    output_shape: per sample.  multiply_adds: per sample, in a forward pass.  bytes: of the parameters.
    """

    layer: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    bytes: int


@dataclass(frozen=True, repr=False)
class Summary:
    """The rows of a summary, one per layer, and their sums. Prints as a table of at most 80 columns."""

    input_shape: tuple[int, ...]
    rows: tuple[Row, ...]

    @property
    def total(self) -> Row:
        """The sums of the rows, with the output shape of the last."""
        parameters, operations, size = (sum(column) for column in zip(*self._counts, strict=True))
        return Row("total", self.rows[-1].output_shape, parameters, operations, size)

    @property
    def _counts(self) -> list[tuple[int, int, int]]:
        return [(row.parameters, row.multiply_adds, row.bytes) for row in self.rows]

    def __str__(self) -> str:
        lines = [[row.layer, _brief(row.output_shape), *map(_with_commas, row[2:])] for row in self.rows]
        lines.insert(0, ["input", _brief(self.input_shape), "", "", ""])
        lines.append(["total", "", *map(_with_commas, self.total[2:])])
        columns = [*zip(HEADER, *lines, strict=True)][1:]
        left = WIDTH - sum(2 + max(map(len, column)) for column in columns)
        return table(HEADER, [[cut(name, max(left, 8)), *rest] for name, *rest in lines])

    __repr__ = __str__


def _with_commas(number: Any) -> str:
    return f"{number:,}"


def _brief(shape: tuple[int, ...]) -> str:
    return cut(str(shape), 30)


def summary(net: Any) -> Summary:
    """Return the summary of a Network."""
    rows, size = [], int(dtype_name(net.dtype)[-2:]) // 8
    for name, layer in net.layers.items():
        own = [net.params[outer] for outer in net.names[name].values()]
        count, shape = getattr(layer, "multiply_adds", None), net.output_shapes[name]
        operations = count(shape) if callable(count) else products(own)
        parameters = sum(prod(array.shape) for array in own)
        rows.append(Row(name, shape, parameters, operations, size * parameters))
    return Summary(net.input_shape, tuple(rows))
