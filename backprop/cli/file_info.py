"""The content of a file of weights or a checkpoint, for `backprop info FILE`."""

from pathlib import Path
from typing import Any

import click

from backends import Backend, listed
from backprop.networks import FileError, Network
from backprop.networks.answers import not_finite
from backprop.networks.tensor_file import BESIDE, TensorFile, printable
from backprop.networks.weights import KEY
from backprop.reporting.tables import table
from backprop.training.checkpoint import RUN, Checkpoint


def facts_of(path: Path, backend: Backend) -> tuple[dict[str, Any], str]:
    """Return facts of a file by name, and a table of what it holds: layers, or arrays if it cannot be loaded.

    Raises OSError, FileError or ImportError if it is no undamaged safetensors file.
    """
    file = TensorFile(path)
    facts: dict[str, Any] = {"file": f"{click.format_filename(path)}, {file.size:,} bytes"}
    if KEY in file.metadata:
        made_by = file.json(KEY, 10**9, "").get("versions")
        if isinstance(made_by, dict):
            facts["made by"] = printable(", ".join(f"{name} {version}" for name, version in made_by.items()))
    if RUN in file.metadata:
        run = Checkpoint(file)
        facts["run"] = f"checkpoint at iteration {run.iteration} of {run.settings.get('iterations')}"
    try:
        net = Network.load(path, backend)
    except FileError as error:
        facts["network"] = f"not made: {str(error).removeprefix(f'{file.path}: ')}"
        rows = [
            [printable(name), entry.shape, entry.dtype]
            for name, entry in file.entries.items()
            if not name.startswith(BESIDE)
        ]
        return facts, table(["array", "shape", "dtype"], rows)
    facts["network"] = f"{type(net).__name__}, {net.params.flat.shape[0]:,} parameters, {net.dtype}"
    facts["loss"] = repr(net.loss_layer)
    facts["numbers"] = _finite(net)
    return facts, "\n".join(map(printable, str(net.summary()).splitlines()))


def _finite(net: Network) -> str:
    """Return which arrays hold NaN or infinity."""
    wrong = not_finite(net)
    return f"NaN or infinity in {listed(wrong)}" if wrong else "all finite"
