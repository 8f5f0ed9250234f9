"""Fixtures of all tests, which run on one BLAS thread.

Why: on a busy machine the threads of a pool wait for each other in a loop, and small products take a hundred times as long.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is first imported

from backends.testing import backend, pytest_runtest_makereport  # noqa: E402

__all__ = ["backend", "pytest_runtest_makereport"]
