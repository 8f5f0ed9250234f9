"""The `backend` fixture, shared by the tests and the benchmarks and imported by nothing else.

Every backend runs the same tests: numpy; array_api_strict, a namespace that offers the Array API standard and
nothing more, which proves on any machine that no NumPy-only habit crept in; and cupy, marked `gpu`.
"""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from backends import Backend, load, register, use_backend, why_unavailable

NO_GPU = "no usable GPU: "  # how the reason of a skip begins that BACKPROP_REQUIRE_GPU=1 does not let pass
BACKENDS = ("numpy", "array_api_strict", pytest.param("cupy", marks=pytest.mark.gpu))


def backend_or_skip(name: str) -> Backend:
    """The backend of that name; skips the test, with the reason, where it cannot be used."""
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
    """Each backend in turn, in force for new arrays and networks."""
    with use_backend(backend_or_skip(request.param)) as backend:
        yield backend


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A run that requires a GPU must not turn green for want of one; other things may be missing."""
    report = yield
    required = os.environ.get("BACKPROP_REQUIRE_GPU") == "1" and item.get_closest_marker("gpu")
    if required and report.skipped and isinstance(report.longrepr, tuple):  # else it failed, as expected
        reason = report.longrepr[-1].removeprefix("Skipped: ")
        if reason.startswith(NO_GPU):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped although BACKPROP_REQUIRE_GPU=1: {reason}"
    return report
