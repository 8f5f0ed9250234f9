"""CuPy's arrays, untyped, since the type checker must pass without CuPy."""

from typing import Any

Array = Any
