"""Backpropagation you can read: explicit layers, proven gradients, NumPy and CUDA from the same code.

>>> import backprop
>>> net = backprop.TwoLayerNet(input_size=784, hidden_size=50, output_size=10, rng=0)
>>> (x_train, t_train), (x_test, t_test) = backprop.load_mnist_sample()
>>> history = backprop.train(net, x_train, t_train, x_test, t_test, epochs=10, rng=0)
>>> history.test_accuracy[-1] > 0.85
True
"""

import sys

from backprop.start import guard, is_command, unguard

if is_command():
    guard()  # until everything is imported

try:
    import backends

    backends.backend_of, backends.Backend  # noqa: B018 - another project's module has neither
except Exception as error:  # another project's module may raise anything
    from importlib.machinery import PathFinder
    from pathlib import Path

    _spec = getattr(sys.modules.get("backends"), "__spec__", None) or PathFinder.find_spec("backends")
    _found = _spec.origin if _spec and _spec.origin else "nothing"
    if Path(_found) == Path(__file__).parents[1] / "backends" / "__init__.py":
        raise  # it is ours, and one of its imports failed
    raise ImportError(
        "backprop needs the package `backends` that is installed beside it, but `import backends` found "
        f"{_found}; rename or move that one, or reinstall backprop-xp"
    ) from error

from importlib import import_module
from typing import TYPE_CHECKING, Any

from backends import (
    asarray,
    available_backends,
    get_backend,
    precision,
    set_backend,
    to_numpy,
    use_backend,
    xp,
)
from backprop.data import load_fashion_mnist, load_mnist, load_mnist_sample
from backprop.networks import Sequential, TwoLayerNet
from backprop.numerical import numerical_gradient
from backprop.scalar import AddLayer, MulLayer
from backprop.start.version import VERSION
from backprop.training import train, warmup

if TYPE_CHECKING:
    from backprop.gradient_check import Adapter, check_function, check_gradients

unguard()

__version__ = VERSION
__all__ = ["available_backends", "get_backend", "set_backend", "use_backend"]
__all__ += ["asarray", "precision", "to_numpy", "xp"]
__all__ += ["AddLayer", "MulLayer", "Sequential", "TwoLayerNet"]
__all__ += ["load_fashion_mnist", "load_mnist", "load_mnist_sample"]
__all__ += ["Adapter", "check_function", "check_gradients", "numerical_gradient", "train", "warmup"]

LATER = ("Adapter", "check_function", "check_gradients")  # imported when they are first asked for


def __getattr__(name: str) -> Any:
    """Import the gradient check when it is first asked for."""
    if name == "gradient_check":
        return import_module("backprop.gradient_check")
    if name in LATER:
        return globals().setdefault(name, getattr(import_module("backprop.gradient_check"), name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names of the module, also those that are imported later."""
    return sorted({*globals(), *LATER})
