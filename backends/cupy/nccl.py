"""NCCL, as CuPy offers it, or what to install."""

import warnings
from typing import Any

CURE = "pip install nvidia-nccl-cu12 (CUDA 12) or nvidia-nccl-cu13 (CUDA 13)"


def library() -> Any:
    """Return CuPy's module of NCCL. Raises ImportError if CuPy finds no NCCL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CuPy warns of what is raised here
        from cupy.cuda import nccl
    if not nccl.available:
        raise ImportError(f"Nccl: CuPy finds no NCCL; {CURE}")
    return nccl
