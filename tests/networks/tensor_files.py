"""Files of arrays with anything wrong in them, for readers that must refuse them in one line."""

import copy
import json
import struct

from hypothesis import strategies as st

NASTY = [
    *(None, True, 0, 1, -1, 2, 3, 0.5, 1e308, float("inf"), 2**31, 2**63, 10**13, 10**30),
    *("", "W", "ReLU", "Affine", "Dropout", "os.system", "F64", "x" * 300, "\ud7ff\0"),
    *([], {}, [[]], [0], [1, 2], [10**9, 10**9], {"a": 1}),
]
JSON = ["backprop", "checkpoint"]  # the metadata that are JSON themselves
PLACES = st.integers(0, 2**20)
CHANGES = st.sampled_from(["leaf", "leaf", "drop", "double", "swap"])
mutations = st.lists(st.tuples(CHANGES, PLACES, st.sampled_from(NASTY)), min_size=1, max_size=3)
DAMAGES = st.sampled_from(["change", "cut", "insert"])
damages = st.lists(st.tuples(DAMAGES, PLACES, st.binary(min_size=1, max_size=9)), max_size=2)


def taken_apart(content):
    """Return header and numbers of a file; JSON within its metadata is parsed as well."""
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    meta = header["__metadata__"]
    meta |= {key: json.loads(meta[key]) for key in JSON if key in meta}
    return header, content[8 + size :]


def put_together(header, numbers):
    """Return the content of the file with this header."""
    header = copy.deepcopy(header)
    meta = header.get("__metadata__")
    if isinstance(meta, dict):
        for key in JSON:
            if key in meta and not isinstance(meta[key], str):
                meta[key] = json.dumps(meta[key])
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def mutated(header, kind, at, value):
    """Return the header with one place of its tree changed, left out, doubled or exchanged for another."""
    header = copy.deepcopy(header)
    places = [*_places(header)]
    holder, key = places[at % len(places)]
    if kind == "leaf":
        holder[key] = value
    elif kind == "drop":
        del holder[key]
    elif kind == "double" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        other, there = places[(at // 7) % len(places)]
        holder[key] = copy.deepcopy(other[there])
    return header


def damaged(content, kind, at, piece):
    """Return bytes with some changed, the end cut off, or some inserted."""
    at %= len(content) + 1
    if kind == "cut":
        return content[:at]
    return content[:at] + piece + content[at + (len(piece) if kind == "change" else 0) :]


def _places(tree):
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])
