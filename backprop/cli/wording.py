"""What the library says, in the words of the command line: options in place of parameters, and one cure."""

import re

OPTIONS = {  # what the library's messages call what a user gives, or can give, to a command
    "the backend= argument": "--backend",
    "the hidden units of the network": "--hidden",
    "batch_size": "--batch-size",
    "constants:": "--constants:",
    "data_dir": "--data-dir",
    "hidden_size": "--hidden",
    "learning_rate": "--learning-rate",
    "load_mnist_sample": "--data sample",
    "draw it with to_svg()": "draw it as svg",
    "say which, graph_of": "name a function that returns graph_of",
    "or graph_of": "or name one that returns graph_of",
}
CURES = {  # of a command that runs out of memory
    "train": "lower --hidden or --batch-size",
    "bench": "try --quick",
    "check": "give --shape fewer numbers, or check a smaller network",
    "graph": "draw a smaller network or fewer samples",
}
_NAMED = re.compile(
    rf"(?<![\w/\\.-])({'|'.join(map(re.escape, OPTIONS))})(?![\w/\\.:-])"
)  # no part of a path


def in_options(message: str) -> str:
    """Return a message with options in place of parameters, in one line.

    >>> in_options("train: batch_size must be below 10")
    'train: --batch-size must be below 10'
    """
    return " ".join(_NAMED.sub(lambda found: OPTIONS[found[0]], message).split())


def out_of_memory(error: MemoryError, command: str) -> str:
    """Return what was asked for in vain, and what to lower."""
    first: BaseException = error
    while isinstance(first.__cause__, MemoryError):  # which has the library's cure, in its parameters
        first = first.__cause__
    asked = f" ({first})" if str(first) else ""
    return f"out of memory{asked}" + (f"; {CURES[command]}" if command in CURES else "")
