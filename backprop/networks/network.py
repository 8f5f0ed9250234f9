"""A chain of layers with a loss at its end: the boundary where users' data enters, and the two passes.

Public methods take host data or arrays of the network's backend, check them once, and return arrays that are
never written again. Inside (`losses`, `backpropagate`) everything is on the device already and is trusted.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Self

from backends import Array, Backend, backend_of, get_backend, kind
from backprop import checks
from backprop.copying import copy_as
from backprop.dtypes import network_dtype
from backprop.gradients import Gradients
from backprop.layers import SoftmaxCrossEntropy
from backprop.layers.fused import AffineSoftmaxCrossEntropy
from backprop.layers.layer import Layer
from backprop.moves import Stage
from backprop.networks import moved
from backprop.numerical_gradient import STEP_DTYPES, numerical_gradient, require_method
from backprop.parameters import Parameters


class Network:
    """Layers in a chain and a loss.

    layers: by name, the first to be applied first; those that have parameters become part of this network.
    input_size: values a sample.  output_size: classes.

    `params["W1"]` and `params["b1"]` are "W" and "b" of the first layer that has
    parameters, and so on.
    """

    def __init__(
        self, layers: dict[str, Layer], loss: SoftmaxCrossEntropy, input_size: int, output_size: int
    ) -> None:
        self._layers = dict(layers)
        self.loss_layer: SoftmaxCrossEntropy | AffineSoftmaxCrossEntropy = loss
        self.input_size, self.output_size = input_size, output_size
        with_params = [layer for layer in layers.values() if layer.params]
        names = [
            {name: f"{name}{i}" for name in layer.params} for i, layer in enumerate(with_params, start=1)
        ]
        self._params = Parameters.gather(
            {
                mine: layer.params[theirs]
                for layer, window in zip(with_params, names, strict=True)
                for theirs, mine in window.items()
            }
        )
        self._grads = Gradients.like(self.params)
        for layer, window in zip(with_params, names, strict=True):
            layer.join(self.params, self.grads, window)

    # -------------------------------------------------------------------------------------------- what it is

    @property
    def layers(self) -> Mapping[str, Layer]:
        """The layers by name, the first to be applied first; fixed, since the parameters are theirs."""
        return MappingProxyType(self._layers)

    @property
    def params(self) -> Parameters:
        """The parameters by name; an item that is assigned is copied into place."""
        return self._params

    @property
    def grads(self) -> Gradients:
        """The gradients of the last pass by name."""
        return self._grads

    @property
    def backend(self) -> Backend:
        """The backend that the parameters are on; fixed, `to` makes a copy on another."""
        return backend_of(self.params.flat)

    @property
    def dtype(self) -> Any:
        """The element type of the parameters; fixed, `astype` makes a copy in another."""
        return self.params.flat.dtype

    def to(self, backend: str | Backend) -> Self:
        """A deep copy of this network on another backend."""
        return copy_as(self, backend=get_backend(backend))

    def astype(self, dtype: Any) -> Self:
        """A deep copy of this network in float32 or float64."""
        return copy_as(self, dtype=network_dtype(dtype))

    # ----------------------------------------------------------------------------------- what it says of data

    def predict(self, x: Any) -> Array:
        """The logits, (N, C), for samples x: (N, …) with input_size values each."""
        x = self._samples(f"{type(self).__name__}.predict", x)
        return self._joined([self._logits(self._cast(x[chunk, ...])) for chunk in self._chunks(x)])

    def loss(self, x: Any, t: Any) -> Array:
        """The mean cross-entropy over the samples, in nats: 0-d, in the network's dtype, on its device.

        x: (N, …) with input_size values each.  t: (N,) integers in [0, C) or (N, C) one-hot.
        """
        x, labels = self._labelled(f"{type(self).__name__}.loss", x, t)
        losses = [self.losses(self._cast(x[chunk, ...]), labels[chunk]) for chunk in self._chunks(x)]
        return self.backend.mean(self._joined(losses))

    def accuracy(self, x: Any, t: Any) -> float:
        """The share of samples whose largest logit is at the label, in [0, 1].  x, t: as for `loss`."""
        return self.share_correct(*self._labelled(f"{type(self).__name__}.accuracy", x, t))

    def gradient(self, x: Any, t: Any, *, input_gradient: bool = False) -> dict[str, Array]:
        """The gradient of the loss by backpropagation, by parameter name: arrays of their own.

        x, t: as for `loss`.  input_gradient: also compute "x", the gradient with respect to the samples, in
        their shape; it costs half as much again.
        """
        x, labels = self._labelled(f"{type(self).__name__}.gradient", x, t, real=True)
        with checks.memory(f"{type(self).__name__}.gradient", "give it fewer samples at once"):
            self.grads.renew()
            _, dx = self.backpropagate(self._cast(x), labels, needs_dx=input_gradient)
        gradients = self.grads.hand_out()
        return {**gradients, "x": dx} if input_gradient else gradients

    def numerical_gradient(self, x: Any, t: Any, method: str = "central") -> dict[str, Array]:
        """The gradient of the loss by evaluating it again for every parameter, by parameter name.

        It works on a copy in float64 ("central" differences) or complex128 ("complex" step).
        x, t: as for `loss`.  Returns float64 arrays.  Raises ValueError for an unknown method.
        """
        require_method(f"{type(self).__name__}.numerical_gradient", method)
        x, labels = self._labelled(f"{type(self).__name__}.numerical_gradient", x, t, real=True)
        twin = copy_as(self, dtype=STEP_DTYPES[method])
        backend, params = self.backend, twin.params.flat
        x = backend.asarray(x, "float64")
        numbers = max(params.shape[0], x.shape[0] * moved.widest(twin, x))
        copies = backend.copies_at_once(numbers * (16 if method == "complex" else 8))
        f = moved.loss_of_copies(twin, x, labels) if copies > 1 else None
        if f is None:
            f, copies = lambda _: backend.mean(twin.losses(x, labels)), 1
        flat = numerical_gradient(f, params, method=method, copies=copies)
        return dict(Parameters(self.params.shapes, flat))

    def stages(self, x: Any, t: Any) -> Iterator[Stage]:
        """The input and each layer with parameters at work in `loss`, where they can say how it moves."""
        x, labels = self._labelled(f"{type(self).__name__}.stages", x, t, real=True)
        return moved.stages(self, self._cast(x), labels)

    def enter(self, where: str, x: Any, t: Any) -> tuple[Array, Array]:
        """Data for a loop, checked and moved once: samples in the network's dtype, labels (N,) int64."""
        x, labels = self._labelled(where, x, t, real=True, wait=True)
        return self._cast(x), labels

    # --------------------------------------------------------- inside: on the device, checked, buffers reused

    def losses(self, x: Array, labels: Array, training: bool = False, out: Array | None = None) -> Array:
        """One loss a sample, (N,).  out: where to write them."""
        return self.loss_layer.losses(self._forward(x, training), labels, training, **_given(out))

    def backpropagate(
        self,
        x: Array,
        labels: Array,
        needs_dx: bool = False,
        dout: float = 1.0,
        out: Array | None = None,
    ) -> tuple[Array, Array | None]:
        """Both passes: the losses (N,), the gradients of dout · their mean in `grads`, and dx if needed.

        out: where to write the losses.
        """
        layers = tuple(self._layers.values())
        for layer in layers:
            x = layer.forward(x, True)
        losses = self.loss_layer.losses(x, labels, True, **_given(out))
        dx = self.loss_layer.backward(dout)
        for layer in layers[:0:-1]:
            dx = layer.backward(dx)
        if needs_dx or not layers[0].can_spare_dx:
            return losses, layers[0].backward(dx)
        return losses, layers[0].backward(dx, False)

    def share_correct(self, x: Array, labels: Array) -> float:
        """What `accuracy` says, of samples and labels that were checked already."""
        correct = [
            self.backend.count_correct(self._logits(self._cast(x[chunk, ...])), labels[chunk])
            for chunk in self._chunks(x)
        ]
        return sum(map(int, correct)) / int(x.shape[0])

    def _logits(self, x: Array) -> Array:
        return self.loss_layer.logits(self._forward(x, training=False))

    def _forward(self, x: Array, training: bool) -> Array:
        for layer in self._layers.values():
            x = layer.forward(x, training)
        return x

    # ------------------------------------------------------------------------------------------- the boundary

    def _labelled(
        self, where: str, x: Any, t: Any, real: bool = False, wait: bool = False
    ) -> tuple[Array, Array]:
        """Samples and labels, checked; labels on the device, samples still where they came from."""
        x = self._samples(where, x)
        if x.shape[0] == 0:
            raise ValueError(f"{where}: x must hold at least one sample, got {x.shape}")
        if real and kind(x) == "c":
            raise TypeError(f"{where}: x must be real, got {x.dtype}")
        return x, checks.labels(where, t, x.shape[0], self.output_size, self.backend, wait)

    def _samples(self, where: str, x: Any) -> Array:
        self.backend.require_current(where, params=self.params.flat)
        return checks.samples(where, x, self.input_size, self.backend)

    def _cast(self, x: Array) -> Array:
        """Checked samples on the device, in the network's dtype; complex ones stay complex."""
        return self.backend.asarray(x, None if kind(x) == "c" else self.dtype)

    def _chunks(self, x: Array) -> list[slice]:
        """The samples of x in slices as large as suits the backend; one slice where there are none."""
        size, most = x.shape[0], self.backend.samples_at_once
        return [slice(start, min(start + most, size)) for start in range(0, max(1, size), most)]

    def _joined(self, chunks: list[Array]) -> Array:
        return chunks[0] if len(chunks) == 1 else self.backend.concat(chunks)

    def __repr__(self) -> str:
        chain = ", ".join(f"{name}={layer!r}" for name, layer in self.layers.items())
        size = f"{self.params.flat.shape[0]:,} {self.dtype} on {self.backend.name}"
        return f"<{type(self).__name__} {chain}; {size}>"


def _given(out: Array | None) -> dict[str, Array]:
    """The argument `out` where there is one: a loss layer of somebody else's need not know it."""
    return {} if out is None else {"out": out}
