"""A network as modules of PyTorch, by a table: for each class of layer, what makes its modules."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from backends import cut, dtype_name, shown, to_numpy
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from backprop.networks.known_links import FORMULAS
from backprop.networks.network import Network


def to_torch(net: Network) -> Any:
    """Return the layers of a network as a torch.nn.Sequential, whose outputs are those of `net.predict`.

    It is on the CPU, in evaluation mode and in the network's dtype, with copies of the network's arrays.
    Its modules have the names of the layers: the weights of Affine1 are "Affine1.weight" in its state_dict.

    Parameters
    ----------
    net : Network
        On any backend.

    Returns
    -------
    torch.nn.Sequential
        For tensors of shape (N, …), with samples of the shape `net.input_shape`. Its outputs agree with the
        network's up to rounding.

    Raises
    ------
    TypeError
        If the network overrides `predict`, or a layer is not one of this library itself.
    ValueError
        If PyTorch refuses the name of a layer, or the input of a BatchNorm has over four axes per sample.
    ImportError
        Without PyTorch.

    Notes
    -----
    The loss is not part of the result. PyTorch stores the weights of Affine transposed, (M, D). If the input
    of an Affine has several axes per sample, a Flatten stands in front of it, named "Affine1_flatten".
    GlobalAveragePool2D becomes an AdaptiveAvgPool2d and a Flatten in a Sequential of its own.

    Training continues as it would here, but for two things. PyTorch draws the masks of Dropout from its own
    generator. Its BatchNorm moves the running variance towards a variance divided by M - 1 for M values per
    feature, where this library divides by M; its momentum is 1 minus the momentum here.

    Examples
    --------
    >>> from backprop import TwoLayerNet
    >>> from backprop.networks import to_torch
    >>> model = to_torch(TwoLayerNet(784, 50, 10))  # doctest: +SKIP
    >>> list(model.state_dict())  # doctest: +SKIP
    ['Affine1.weight', 'Affine1.bias', 'Affine2.weight', 'Affine2.bias']
    """
    _require_known(net)
    try:
        import torch
    except ImportError as error:
        raise ImportError(f"to_torch needs PyTorch ({cut(str(error), 80)}): pip install torch") from error
    model, shape, dtype = torch.nn.Sequential(), net.input_shape, getattr(torch, dtype_name(net.dtype))
    for name, layer in net.layers.items():
        *before, module = MODULES[type(layer)](Place(torch, dtype, name, shape), layer)
        for each in before:
            _append(model, _unused(f"{name}_flatten", net.layers), each)
        _append(model, name, module)
        shape = net.output_shapes[name]
    return model.eval()


def _require_known(net: Any) -> None:
    """Raise TypeError unless the outputs of a network are those of this library's own layers."""
    if not isinstance(net, Network):
        raise TypeError(f"to_torch: net must be a backprop.networks.Network, got {shown(net)}")
    if net.overrides("predict"):
        cure = "write it as the forward of a torch.nn.Module"
        raise TypeError(f"to_torch: {cut(type(net).__name__, 50)} overrides predict; {cure}")
    for name, layer in net.layers.items():
        if type(layer) not in MODULES or vars(layer).keys() & set(FORMULAS):
            rule = f"layer {cut(name, 30)} must be one of backprop.layers itself, got {shown(layer, 40)}"
            cure = "write it as a torch.nn.Module, and convert a network without it"
            raise TypeError(f"to_torch: {rule}; {cure}")


def _append(model: Any, name: str, module: Any) -> None:
    """Append a module under this name. Raises ValueError if PyTorch has other uses for the name."""
    try:
        model.add_module(name, module)
    except KeyError as error:
        rule = f"PyTorch refuses the layer name {shown(name, 30)} ({cut(str(error.args[0]), 50)})"
        raise ValueError(f"to_torch: {rule}; pass the layers to the network as a list") from None


def _unused(name: str, names: Mapping[str, Any]) -> str:
    """Return the name, made longer until it is none of these."""
    return _unused(f"{name}_", names) if name in names else name


# ------------------------------------------------------------------------------------ the modules of a layer


class Place(NamedTuple):
    """The place of a layer in a network.

    torch: the library.  dtype: of the network, a torch.dtype.  name: of the layer.  shape: of one sample of
    its input.
    """

    torch: Any
    dtype: Any
    name: str
    shape: tuple[int, ...]

    @property
    def rows(self) -> Any:
        """A module that makes each sample a row."""
        nn = self.torch.nn
        return nn.Flatten() if self.shape else nn.Unflatten(0, (-1, 1))

    def filled(self, kind: str, *sizes: Any, arrays: dict[str, Any], **settings: Any) -> Any:
        """Return a module with copies of these arrays, without a draw of PyTorch's random numbers."""
        torch = self.torch
        options = {**settings, "device": "cpu", "dtype": self.dtype}
        module = torch.nn.utils.skip_init(getattr(torch.nn, kind), *sizes, **options)
        with torch.no_grad():
            for name, array in arrays.items():
                getattr(module, name).copy_(torch.tensor(array, device="cpu"))
        return module


def _affine(place: Place, layer: Any) -> list[Any]:
    W, b = map(to_numpy, layer.params.values())
    linear = place.filled("Linear", *W.shape, arrays={"weight": W.T, "bias": b})
    return [linear] if len(place.shape) == 1 else [place.rows, linear]


def _conv(place: Place, layer: Any) -> list[Any]:
    W, b = map(to_numpy, layer.params.values())
    filters, channels, *kernel = W.shape
    settings = {"stride": layer.stride, "padding": layer.padding}
    return [place.filled("Conv2d", channels, filters, kernel, arrays={"weight": W, "bias": b}, **settings)]


def _pool(kind: str) -> Callable[[Place, Any], list[Any]]:
    """Return what makes a pooling of that name."""
    return lambda place, layer: [getattr(place.torch.nn, kind)(layer.size, layer.stride, layer.padding)]


def _global_pool(place: Place, layer: Any) -> list[Any]:
    nn = place.torch.nn
    return [nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())]


BATCH_NORMS = {1: "BatchNorm1d", 2: "BatchNorm1d", 3: "BatchNorm2d", 4: "BatchNorm3d"}  # by axes of a sample


def _batch_norm(place: Place, layer: Any) -> list[Any]:
    gamma, beta, mean, variance = map(to_numpy, [*layer.params.values(), *layer.state.values()])
    kind = BATCH_NORMS.get(len(place.shape))
    if kind is None:
        rule = f"PyTorch's BatchNorm takes at most 4 axes per sample, got {len(place.shape)}"
        raise ValueError(f"to_torch: layer {cut(place.name, 30)}: {rule}; make one axis of its last ones")
    arrays = {"weight": gamma, "bias": beta, "running_mean": mean, "running_var": variance}
    settings = {"eps": layer.eps, "momentum": 1.0 - layer.momentum}
    return [place.filled(kind, *gamma.shape, arrays={**arrays, "num_batches_tracked": 0}, **settings)]


def _layer_norm(place: Place, layer: Any) -> list[Any]:
    gamma, beta = map(to_numpy, layer.params.values())
    return [place.filled("LayerNorm", gamma.shape, arrays={"weight": gamma, "bias": beta}, eps=layer.eps)]


MODULES: dict[type[Any], Callable[[Place, Any], list[Any]]] = {
    Affine: _affine,
    Conv2D: _conv,
    MaxPool2D: _pool("MaxPool2d"),
    AveragePool2D: _pool("AvgPool2d"),
    GlobalAveragePool2D: _global_pool,
    BatchNorm: _batch_norm,
    LayerNorm: _layer_norm,
    Flatten: lambda place, layer: [place.rows],
    Dropout: lambda place, layer: [place.torch.nn.Dropout(layer.ratio)],
    ReLU: lambda place, layer: [place.torch.nn.ReLU()],
    LeakyReLU: lambda place, layer: [place.torch.nn.LeakyReLU(layer.slope)],
    GELU: lambda place, layer: [place.torch.nn.GELU()],
    Sigmoid: lambda place, layer: [place.torch.nn.Sigmoid()],
    Tanh: lambda place, layer: [place.torch.nn.Tanh()],
    Softmax: lambda place, layer: [place.torch.nn.Softmax(dim=-1)],
}
