"""The machine that was measured: device, driver, libraries, processor and the state of the checkout."""

import subprocess
from datetime import UTC, datetime
from typing import Any

from backends import load
from benchmarks.peers.command import machine
from benchmarks.peers.job import CHECKOUT

QUERY = "name,driver_version,memory.total,clocks.max.sm,clocks.max.memory,power.limit,mig.mode.current"


def around() -> dict[str, Any]:
    """Return the facts that need no backend."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "nvidia-smi": said_by("nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader"),
        **machine(),
        "commit": said_by("git", "describe", "--always", "--dirty") or "unknown",
    }


def of_backend(name: str) -> dict[str, str]:
    """Return a backend's device and the versions of its libraries."""
    try:
        backend = load(name)
        return {"device": backend.device(), **backend.versions()}
    except Exception as error:  # a GPU fails in many ways; the groups then report where
        return {"device": f"{type(error).__name__}: {error}"}


def said_by(*command: str) -> str | None:
    """Return the output of a command as one line, or None if it fails."""
    try:
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return " | ".join(done.stdout.split("\n")).strip(" |") if done.returncode == 0 else None
