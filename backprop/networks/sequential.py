"""Sequential: a network as a list of layers, with indices, slices and a line per layer when printed."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from operator import index
from typing import Any, overload

from backends import Backend, cut, listed, shown
from backprop.arrays.near import near
from backprop.losses import MeanSquaredError, SoftmaxCrossEntropy
from backprop.networks.network import Network
from backprop.reporting.tables import blanks, columns


class Sequential(Network):
    """Layers in a row, whose sizes the network finds, and a loss.

    It is a `Network` that is also a sequence of its layers: `len(net)`, `for layer in net`, `net[0]`,
    `net[-1]`, `net["Affine1"]`.

    A slice such as `net[:3]` is a new Sequential of copies; to train one does not change the other. So
    `net[:3].predict(x)` returns what the third layer returns, and `Sequential([*net[:3], Affine(5)], 784)`
    continues with trained layers. Layers keep their names in a slice; parameters are counted anew.
    A slice with the last layer has a copy of the loss, any other has MeanSquaredError.

    Parameters
    ----------
    layers : list or dict
        Layers in order, or by name. Each is a `Layer` or any object with `forward` and `backward`. Those
        without arrays, such as `Affine(100)`, get them from the network.
    input_shape : int or tuple of int
        Values per sample, or the shape of a sample.
    loss : Loss, optional
        SoftmaxCrossEntropy() by default; or any object with `forward(x, t)` and `backward(dout=1)`.
    rng : int or numpy.random.Generator, optional
        One seed or generator for all layers.
    dtype : str or dtype, optional
        float32 or float64. By default that of the layers' arrays; if they have none, BACKPROP_DTYPE, else
        float32.
    backend : str or Backend, optional
        By default that of the layers' arrays; if they have none, the active backend.

    Raises
    ------
    TypeError, ValueError
        If an object is not a layer, sizes do not fit, or a layer already belongs to a network. Nothing has
        changed then.

    Notes
    -----
    The weights of `Affine(100)` start normally distributed: by He's rule in front of ReLU, LeakyReLU and
    GELU, by Xavier's in front of Sigmoid and Tanh and in the last layer. `Affine(100, weight_init_std=…)`
    chooses otherwise. Source: book section 6.2.

    Examples
    --------
    >>> from backprop import Sequential
    >>> from backprop.layers import Affine, BatchNorm, ReLU
    >>> net = Sequential([Affine(50), BatchNorm(), ReLU(), Affine(10)], input_shape=784, rng=0)
    >>> net
    <Sequential (784,) to (10,), 39,860 float32 on numpy
      Affine1     Affine(784, 50)
      BatchNorm1  BatchNorm(50)
      ReLU1       ReLU()
      Affine2     Affine(50, 10)
      loss        SoftmaxCrossEntropy()>
    >>> net.summary()
    layer       output  parameters  multiply-adds    bytes
    input       (784,)
    Affine1      (50,)      39,250         39,200  157,000
    BatchNorm1   (50,)         100              0      400
    ReLU1        (50,)           0              0        0
    Affine2      (10,)         510            500    2,040
    total                   39,860         39,700  159,440

    The spread of the activations in each layer (book section 6.2), here for weights that are too small:

    >>> import numpy as np
    >>> from backprop.layers import Tanh
    >>> x = np.random.default_rng(0).standard_normal((1000, 100))
    >>> layers = [layer for _ in range(5) for layer in (Affine(100, weight_init_std=0.01), Tanh())]
    >>> deep = Sequential(layers, 100, rng=0)
    >>> [round(float(deep[: 2 * n].predict(x).std()), 3) for n in range(1, 6)]
    [0.099, 0.01, 0.001, 0.0, 0.0]
    """

    _input = "input_shape"

    def __init__(
        self,
        layers: Mapping[str, Any] | Sequence[Any],
        input_shape: int | tuple[int, ...],
        loss: Any = None,
        *,
        rng: Any = None,
        dtype: Any = None,
        backend: str | Backend | None = None,
    ) -> None:
        loss = SoftmaxCrossEntropy() if loss is None else loss
        super().__init__(layers, loss, input_shape, rng=rng, dtype=dtype, backend=backend)

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._layers.values())

    def __contains__(self, item: Any) -> bool:
        return any(item is layer for layer in self) or (isinstance(item, str) and item in self._layers)

    @overload
    def __getitem__(self, key: slice) -> "Sequential": ...
    @overload
    def __getitem__(self, key: int | str) -> Any: ...
    def __getitem__(self, key: Any) -> Any:
        where = type(self).__name__
        if isinstance(key, str):
            if key in self._layers:
                return self._layers[key]
            meant = near(key, self._layers)
            hint = f"did you mean {cut(meant)}?" if meant else f"the names are {listed(self._layers)}"
            raise KeyError(f"{where}: no layer named {shown(key)}; {hint}")
        if isinstance(key, slice):
            return self._part(where, key)
        if isinstance(key, bool) or not hasattr(key, "__index__"):
            raise TypeError(f"{where}: layers are found by position, slice or name, got {shown(key)}")
        if not -len(self) <= index(key) < len(self):
            raise IndexError(f"{where}: no layer at {shown(key)}; there are {len(self)}")
        return [*self][key]

    def _part(self, where: str, key: slice) -> "Sequential":
        """Return a network of copies of neighbouring layers."""
        names = [*self._layers]
        try:
            start, _, step = key.indices(len(names))
            chosen = names[key]
        except (TypeError, ValueError) as error:
            raise type(error)(f"{where}: {shown(key)} is not a slice of layers: {error}") from None
        if step != 1 or not chosen:
            rule = "a slice must be of neighbouring layers, in order"
            raise ValueError(f"{where}: {rule}, got {shown(key)} of {len(names)}")
        loss = self.loss_layer if chosen[-1] == names[-1] else MeanSquaredError()
        if not any(self.names[name] for name in chosen):
            rule = f"{listed(chosen)} alone would be a network without parameters"
            raise ValueError(f"{where}: {rule}; net[{shown(chosen[0])}] is the layer")
        layers, loss = copy.deepcopy(({name: self._layers[name] for name in chosen}, loss))
        shape = self.output_shapes[names[start - 1]] if start else self.input_shape
        return Sequential(layers, shape, loss, dtype=self.dtype, backend=self.backend)

    def __repr__(self) -> str:
        parts = [*((cut(name, 30), layer) for name, layer in self._layers.items()), ("loss", self.loss_layer)]
        width = max(columns(name) for name, _ in parts)
        lines = [f"  {name}{blanks(name, width)}  {shown(part, max(76 - width, 20))}" for name, part in parts]
        size = f"{self._params.flat.shape[0]:,} {self.dtype} on {self.backend.name}"
        ends = f"{self.input_shape} to {self.output_shape}"
        return "\n".join([f"<{type(self).__name__} {ends}, {size}", *lines]) + ">"
