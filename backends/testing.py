"""The `backend` fixture of the tests and benchmarks. Nothing else imports this module.

Every backend runs the same tests: numpy; array_api_strict, which offers the Array API standard and nothing
more, and so shows on any machine that no code depends on NumPy's extras; and cupy, marked `gpu`.
"""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from backends import Backend, load, register, use_backend, why_unavailable

NO_GPU = "no usable GPU: "  # begins the reason of skips that fail under BACKPROP_REQUIRE_GPU=1
BACKENDS = ("numpy", "array_api_strict", pytest.param("cupy", marks=pytest.mark.gpu))


def backend_or_skip(name: str) -> Backend:
    """Return the backend of that name; skip the test, with the reason, if it cannot be used."""
    if name == "array_api_strict":
        if find_spec(name) is None:
            pytest.skip("array_api_strict is not installed")
        import array_api_strict

        return register(Backend(name, array_api_strict))
    error = why_unavailable(name)
    if error is not None:
        pytest.skip(f"{NO_GPU if name == 'cupy' else ''}{error}")
    return load(name)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Yield each backend in turn, active for new arrays and networks."""
    with use_backend(backend_or_skip(request.param)) as backend:
        yield backend


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Turn a skip for a missing GPU into a failure if the run requires a GPU."""
    report = yield
    required = os.environ.get("BACKPROP_REQUIRE_GPU") == "1" and item.get_closest_marker("gpu")
    if required and report.skipped and isinstance(report.longrepr, tuple):  # a tuple: not an expected failure
        reason = report.longrepr[-1].removeprefix("Skipped: ")
        if reason.startswith(NO_GPU):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped although BACKPROP_REQUIRE_GPU=1: {reason}"
    return report
