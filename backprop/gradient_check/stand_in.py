"""A right layer in place of one that is not: the same output, and a derivative that is simple.

    out = out_0 + u · (Σ r (x - x_0) + Σ s (W - W_0) + …)

x_0, W_0 and out_0 are what the layer has and gives, u, r and s random: so dx = r · Σ u dout and
dW = s · Σ u dout.
What lies before and behind it works with the same numbers as before, and its backward cannot be wrong.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from backends import backend_of, to_numpy
from backprop.gradient_check.host_arrays import random_like
from backprop.networks.own_passes import parameters_of


def stand_in(layer: Any, inputs: tuple[Any, ...], rng: Any) -> type:
    """Return the class that makes a layer, which has run, its own stand-in at these inputs."""
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
            with suppress(Exception):  # as a network may look at what a layer keeps
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
