"""A stand-in for a wrong layer: the same output at the same input, with a simple derivative.

::

    out = out_0 + u · (Σ r (x - x_0) + Σ s (W - W_0) + …)

x_0, W_0 and out_0 are the layer's input, parameters and output; u, r and s are random. So
dx = r · Σ u dout and dW = s · Σ u dout.
The layers around it compute with the same numbers as before, and its own backward is right by construction.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from backends import backend_of, to_numpy
from backprop.gradient_check.host_arrays import random_like
from backprop.networks.own_passes import parameters_of


def stand_in(layer: Any, inputs: tuple[Any, ...], rng: Any) -> type:
    """Return a subclass that turns a layer that has run into a stand-in for itself at these inputs."""
    kind, backend = type(layer), backend_of(inputs[0])
    xp = backend.xp

    def random(array: Any) -> Any:
        return backend.asarray(random_like(to_numpy(array), rng))

    x_0, targets = backend.copy(inputs[0]), inputs[1:]
    out_0 = layer.forward(backend.copy(x_0), *targets)
    out_0 = backend.copy(out_0) if getattr(out_0, "shape", ()) else float(out_0)
    W_0 = {name: backend.copy(array) for name, array in parameters_of(layer, layer).items()}
    u, r = random(out_0), random(x_0)
    s = {name: random(array) for name, array in W_0.items()}

    class StandIn(kind):  # type: ignore[misc, valid-type]
        def forward(self, x: Any, *rest: Any, **options: Any) -> Any:
            with suppress(Exception):  # the network may read what the layer stores
                super().forward(backend.copy(x_0), *rest, **options)
            moved = xp.sum(r * (x - x_0))
            for name, start in W_0.items():
                moved = moved + xp.sum(s[name] * (_param(self, name) - start))
            return out_0 + u * moved

        def backward(self, dout: Any = 1.0, *rest: Any, **options: Any) -> Any:
            along = xp.sum(u * dout)
            for name in W_0:
                _set_gradient(self, name, s[name] * along)
            return r * along

    StandIn.__name__ = kind.__name__
    return StandIn


def _param(layer: Any, name: str) -> Any:
    params = getattr(layer, "params", None)
    return params[name] if isinstance(params, Mapping) else getattr(layer, name)


def _set_gradient(layer: Any, name: str, gradient: Any) -> None:
    grads = getattr(layer, "grads", None)
    if isinstance(grads, Mapping):
        grads[name] = gradient  # type: ignore[index]
    else:
        setattr(layer, f"d{name}", gradient)
