"""Users' data on the way into a network: checked, in its dtype and on its device."""

from typing import Any

from backends import Array, backend_of, kind
from backprop.arrays.entering import cast, entering
from backprop.losses import Loss


def samples_and_targets(
    net: Any, where: str, x: Any, t: Any, real: bool = False, wait: bool = False, dtype: Any = None
) -> tuple[Array, Array]:
    """Return samples and targets for a network.

    where: the caller, for errors.  real: refuse complex samples.  wait: also refuse what only a wait for the
    device can find.  dtype: of the samples, by default the network's.
    """
    backend, loss = net.backend, net.loss_layer
    x = samples(net, where, x, wait)
    count = x.shape[0]
    if count == 0:
        raise ValueError(f"{where}: x must hold at least one sample, got {x.shape}")
    if real and kind(x) == "c":
        raise TypeError(f"{where}: x must be real, got {x.dtype}")
    dtype = dtype or net.dtype
    if isinstance(loss, Loss):
        targets = loss.targets(where, t, (count, *net.output_shape), backend, wait)
    else:
        targets = backend.asarray(entering(where, "targets", t, backend, wait))
        if targets.shape[:1] != (count,):
            raise ValueError(f"{where}: targets must have shape ({count}, …), got {targets.shape}")
    if kind(targets) == "f":
        targets = cast(where, "targets", targets, dtype, backend)
    return cast(where, "x", x, dtype, backend), targets


def samples(net: Any, where: str, x: Any, wait: bool = False) -> Array:
    """Return samples (N, …) in the shape that the network takes, in their own dtype."""
    net.backend.require_current(where, params=net.params.flat)
    x = entering(where, "x", x, net.backend, wait, size=net.input_size)
    shape = (x.shape[0], *net.input_shape)
    return x if x.shape == shape else backend_of(x).reshape(x, shape)
