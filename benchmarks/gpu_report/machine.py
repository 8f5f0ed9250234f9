"""What the figures depend on: device, driver, libraries, processor and the state of the checkout."""

import subprocess
from datetime import UTC, datetime
from typing import Any

from backends import load
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.command import machine
from benchmarks.peers.job import CHECKOUT

QUERY = "name,driver_version,memory.total,clocks.max.sm,clocks.max.memory,power.limit,mig.mode.current"


def facts(settings: Settings) -> dict[str, Any]:
    backend = load(settings.backend)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": backend.device(),
        "nvidia-smi": said_by("nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader"),
        **machine(),
        **backend.versions(),
        "commit": said_by("git", "describe", "--always", "--dirty"),
    }


def said_by(*command: str) -> str | None:
    """What a command prints, on one line; None where it cannot say."""
    try:
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return " | ".join(done.stdout.split("\n")).strip(" |") if done.returncode == 0 else None
