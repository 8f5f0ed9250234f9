"""The type of arrays: an array of whichever library computes."""

from typing import Any

Array = Any
