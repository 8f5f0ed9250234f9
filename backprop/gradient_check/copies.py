"""Deep copies of an object under check, with all arrays in double precision, and of its inputs."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from backends import Array, Backend, backend_of, shown
from backprop.arrays.copying import copy_as
from backprop.arrays.initializers import generator
from backprop.gradient_check.adapter import Adapter
from backprop.gradient_check.places import at
from backprop.gradient_check.reach import Reach, reach
from backprop.gradient_check.requirements import WHERE, is_array
from backprop.layers.layer import Layer, is_unbuilt


def copied_as(obj: Any, dtype: str, reached: Reach, params: Iterable[Any] = ()) -> Any:
    """Return a deep copy of an object with its params in a dtype; with its grads, too, if that is float64.

    reached: everything that the object reaches. Other arrays become float64. Class attributes, which a deep
    copy would share, become the copy's own. Raise TypeError if the object cannot be copied.
    """
    of = ("params", "grads") if dtype == "float64" else ("params",)
    arrays, others = [*params], [each.array for each in reached.arrays.values()]
    # A layer of the library knows the buffer that its arrays are a part of.
    whose = root_of(obj) if isinstance(root_of(obj), Layer) else obj
    try:
        copied = copy_as(whose, dtype=dtype, of=of, arrays=arrays, stay_real=others)
        copied = copied if whose is obj else obj.around(copied)
        for place, value in reached.shared.items():
            owner = at(root_of(copied), place[:-1])
            if hasattr(owner, "__dict__") or reach(value).arrays:  # with __slots__ only the class can hold it
                vars(owner)[place[-1][1]] = copy_as([value], dtype=dtype, arrays=arrays, stay_real=others)[0]
    except Exception as error:
        name = type(root_of(obj)).__name__
        raise TypeError(f"{WHERE} works on a deep copy, but {name} cannot be copied: {error}") from error
    return copied


def require_copies(inputs: Sequence[Any]) -> None:
    """Raise TypeError for an input that cannot be copied, since each evaluation gets a copy."""
    for i, data in enumerate(inputs):
        try:
            if not is_array(data):
                deepcopy(data)
        except Exception as error:  # __deepcopy__ may raise anything
            rule = f"input {i + 1} must be copyable, such as an array or a list"
            raise TypeError(f"{WHERE}: {rule}, got {shown(data)}") from error


def built(obj: Any, x: Array) -> Any:
    """Return the object; for a layer without arrays yet, such as Affine(3), a copy with arrays for x."""
    if not is_unbuilt(obj):
        return obj
    copied = deepcopy(obj)
    build(copied, tuple(x.shape[1:]), generator(0), backend_of(x))
    return copied


def build(layer: Layer, shape: tuple[int, ...], rng: Any, backend: Backend) -> None:
    """Create the arrays of a layer and move its parameters, since a gain of 1 or a bias of 0 hides faults."""
    layer.build(shape, rng, "float64", backend)
    for name, array in layer.params.items():
        before = backend.to_numpy(array)
        shift = 0.1 * rng.standard_normal(before.shape) * (before == 0.0)
        layer.params[name] = backend.asarray(before * rng.uniform(0.5, 1.5, before.shape) + shift)


def root_of(obj: Any) -> Any:
    """Return the object itself, or the layer of an adapter."""
    return obj.layer if isinstance(obj, Adapter) else obj
