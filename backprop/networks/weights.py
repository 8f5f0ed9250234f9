"""A network's weights in a file: its arrays, and in the metadata what the network is made of."""

import json
import os
from collections.abc import Mapping
from typing import Any, TypeVar

from backends import Array, Backend, cut, dtype_name, to_numpy
from backprop.networks.architecture import ForeignClass, described, rebuilt, state_name
from backprop.networks.tensor_file import FileError, TensorFile, content_of
from backprop.reporting import files
from backprop.start.version import VERSION

FORMAT = 1  # of the description; raised when older versions cannot read it any more
KEY = "backprop"  # of the description in the metadata
N = TypeVar("N")
Path = str | os.PathLike[str]


def save(base: type, net: Any, path: Path) -> None:
    """Write a network into a file.  base: the class Network."""
    files.write(
        path, content_of(f"{type(net).__name__}.save", host_arrays(net), {KEY: description(base, net)})
    )


def description(base: type, net: Any) -> str:
    """Return what a network is made of, as JSON, with the versions that it was computed with."""
    facts = {"format": FORMAT, **described(base, net)}
    facts["versions"] = {"backprop": VERSION, **net.backend.versions()}
    return json.dumps(facts, separators=(",", ":"))


def host_arrays(net: Any) -> dict[str, Any]:
    """Return a network's parameters and state on the host, as one moment has them, by the file's names."""
    with net._lock:
        copied = {name: net.backend.copy(array) for name, array in live_arrays(net).items()}
    return {name: to_numpy(array) for name, array in copied.items()}


def live_arrays(net: Any) -> dict[str, Array]:
    """Return a network's own parameters and state by the file's names."""
    return {**net.params, **{state_name(name, net.params): array for name, array in net.state.items()}}


def described_in(file: TensorFile) -> dict[str, Any]:
    """Return what the network of a file is made of. Raises FileError."""
    return file.json(
        KEY, FORMAT, "does not say what network it is; create the network and call net.load_weights(path)"
    )


def load(kind: type[N], base: type, path: Path, backend: Backend) -> N:
    """Return the network of a file.

    kind: the class that it must be of.  base: the class Network.
    """
    file = TensorFile(path)
    facts = described_in(file)
    try:
        forms = {name: (entry.dtype, entry.shape) for name, entry in file.entries.items()}
        net = rebuilt(base, facts, forms, backend)
    except ForeignClass as error:
        cure = "create the network and call net.load_weights(path)"
        raise FileError(
            f"{file.path}: has {cut(str(error), 100)}, which is not the library's; {cure}"
        ) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise FileError(f"{file.path}: its description is damaged: {cut(str(error), 100)}") from None
    if not isinstance(net, kind):
        cure = f"use {type(net).__name__}.load or Network.load"
        raise FileError(f"{file.path}: holds a {type(net).__name__}, not a {kind.__name__}; {cure}")
    read_arrays(file, live_arrays(net), "its network")
    return net


def load_into(net: Any, path: Path) -> None:
    """Read the arrays of a file into a network."""
    file = TensorFile(path)
    with net._lock:
        read_arrays(file, live_arrays(net), f"the {type(net).__name__}")


def read_arrays(file: TensorFile, arrays: Mapping[str, Array], whose: str) -> None:
    """Read a file's entries into arrays of these names. If one does not fit, none has changed."""
    file.require({name: tuple(array.shape) for name, array in arrays.items()}, whose)
    with file.reading():
        for name, array in arrays.items():
            file.require_castable(name, dtype_name(array.dtype))
        for name, array in arrays.items():
            file.read_into(name, array)
