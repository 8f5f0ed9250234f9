"""Checks of the arrays that users pass in: samples, targets, arguments of layers."""

import math
from typing import Any

from backends import (
    Array,
    Backend,
    cut,
    describe,
    dtype_name,
    host_array,
    kind,
    mix,
    one_backend,
    owner_of,
    to_numpy,
)
from backprop.arrays.dtypes import NORMAL

COMPUTED = ("float32", "float64", "complex64", "complex128")  # dtypes that layers compute in
DLPACK_HOST = (1, 3)  # device types of DLPack: the CPU, and host memory that a GPU can see


def entering(
    where: str,
    name: str,
    data: Any,
    backend: Backend,
    wait: bool = False,
    cure: str = "float",
    size: int | None = None,
) -> Array:
    """Return checked data: an array of `backend` unchanged, host data as a NumPy array.

    An array of another library on the backend's device is adopted through DLPack, without a copy.

    Parameters
    ----------
    where, name : str
        Names of the caller and the argument, for errors.
    data : array
    backend : Backend
    wait : bool
        Also check the values of an array on a device, which waits for it. Host values are always checked.
    cure : str
        Python type to convert to, for the error about data that are not numbers.
    size : int, optional
        Values per sample, if the data are samples.

    Raises
    ------
    TypeError
        If data is on another device, or is not an array of numbers.
    ValueError
        If a value is NaN or infinite, or samples have another size.
    """
    owner = owner_of(data)
    array = data if owner is backend else _adopted(where, name, data, backend, owner, cure)
    what = kind(array)
    if what not in "biufc":
        array = host_array(where, name, array, cure=cure)  # raises
    owner = owner_of(array)
    if owner is backend:
        backend.require_current(where, **{name: array})
    if what == "c" and dtype_name(array.dtype) not in COMPUTED:
        rule = f"must be complex64 or complex128, got {array.dtype}; cast it to complex128"
        raise TypeError(f"{where}: {name} {rule}")
    if size is not None:  # before looking at the values, which may be many
        require_samples(where, array, size)
    if owner is not None and what in "fc" and (owner.on_host or wait) and not owner.all_finite(array):
        raise ValueError(f"{where}: {name} must be finite, got {first_not_finite(to_numpy(array))}")
    return array


def _adopted(where: str, name: str, data: Any, backend: Backend, owner: Backend | None, cure: str) -> Array:
    """Return foreign data as an array of the backend or of NumPy; raise TypeError if it is out of reach."""
    what = describe(data)
    if owner is not None and not owner.on_host:
        rule = f"must be on backend {backend.name}, got an array of {owner.name}"
        move = f"move one of them: asarray(..., backend={backend.name!r}) or net.to({owner.name!r})"
        raise TypeError(f"{where}: {name} {rule}; {move}")
    adopted = backend.adopt(data) if owner is None else None
    if adopted is not None:
        return adopted
    device = getattr(data, "__dlpack_device__", None)
    if owner is None and device is not None and device()[0] not in DLPACK_HOST:
        rule = f"must be on a device that backend {backend.name} can reach"
        copy = "copy it to the host first, for example with tensor.cpu()"
        raise TypeError(f"{where}: {name} {rule}, got {what}; {copy}")
    return host_array(where, name, data, cure=cure)


def host_values(data: Array, backend: Backend, wait: bool) -> Any:
    """Return the values of checked data as a host array; None if they are on a device, unless `wait`."""
    if type(data) is not backend.array_type:
        return data
    return backend.to_numpy(data) if wait else backend.host_view(data)


def first_not_finite(values: Any) -> str:
    """Return the first NaN or infinity of a host array with its index, "nan at [0, 1]", or ""."""
    finite = abs(values) < math.inf
    if finite.all():
        return ""
    index = index_of(int(finite.argmin()), values.shape)
    return f"{values[tuple(index)].item()} at {index}"


def index_of(position: int, shape: tuple[int, ...]) -> list[int]:
    """Return the index in this shape of a position in the flattened array."""
    index: list[int] = []
    for size in reversed(shape):
        position, i = divmod(position, size)
        index.insert(0, i)
    return index


def cast(where: str, name: str, x: Array, dtype: Any, backend: Backend) -> Array:
    """Return checked data on the device in another dtype; complex data stay complex.

    Raises ValueError for host data too large for the dtype.
    """
    if type(x) is backend.array_type and x.dtype == dtype:
        return x
    owner, what = owner_of(x), kind(x)
    if what == "c":
        return backend.asarray(x)
    is_32 = dtype_name(dtype) == "float32"
    if what == "f" and owner is not None and owner.on_host and x.dtype.itemsize > (4 if is_32 else 8):
        host = owner.to_numpy(x)
        largest = max(float(host.max()), -float(host.min())) if math.prod(x.shape) else 0.0
        if largest > NORMAL["float32" if is_32 else "float64"].largest:
            cure = "scale it, or make the network with dtype='float64'" if is_32 else "scale it"
            raise ValueError(f"{where}: {name} must fit in {dtype_name(dtype)}, got {largest:g}; {cure}")
    return backend.asarray(x, dtype)


def require_samples(where: str, x: Array, size: int) -> None:
    """Raise ValueError unless x has shape (N, …) with `size` values per sample."""
    shape = x.shape
    if len(shape) < 1 or math.prod(shape[1:]) != size:
        cure = "; for a single sample use x.reshape(1, -1)" if math.prod(shape) == size else ""
        rule = f"x must have shape (N, …) with {size} values per sample"
        raise ValueError(f"{where}: {rule}, got {shape}{cure}")


def require_alike(where: str, /, **arrays: Array) -> Backend:
    """Return the backend of floating-point arrays of one library and dtype. Complex may be mixed with any.

    Raises TypeError otherwise, naming the arrays.
    """
    backend = one_backend(where, **arrays)
    first, a = next(iter(arrays.items()))
    for name, b in arrays.items():
        if dtype_name(b.dtype) not in COMPUTED:
            what = f"hold {'float32 or float64' if kind(b) in 'fc' else 'floating-point numbers'}"
            cure = f"cast it: asarray({name}, 'float32')"
            raise TypeError(f"{where}: {name} must {what}, got {cut(str(b.dtype))}; {cure}")
        if b is not a and not mix(a.dtype, b.dtype):
            rule = f"{first} and {name} must have one dtype, got {a.dtype} and {b.dtype}"
            raise TypeError(f"{where}: {rule}; cast one with asarray(array, dtype)")
    return backend
