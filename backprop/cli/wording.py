"""The wording of messages: the library's errors in terms of options, plurals, and the line width."""

import re
import shutil

OPTIONS = {  # what the library's messages call a parameter, and what the command line calls it
    "the backend= argument: auto takes": "--backend auto takes",
    "the backend= argument": "--backend",
    "the hidden units of the network": "--hidden",
    "batch_size": "--batch-size",
    'choose backend "numpy"': "--backend numpy",
    "constants:": "--constants:",
    "data_dir": "--data-dir",
    "hidden_size": "--hidden",
    "learning_rate": "--learning-rate",
    "load_fashion_mnist": "--data fashion-mnist",
    "load_mnist": "--data mnist",
    "load_mnist_sample": "--data sample",
    "draw it with to_svg()": "draw it as svg",
    "choose one, graph_of": "name a function that returns graph_of",
    "resume it, or": "add --resume, or",
    "or graph_of": "or name one that returns graph_of",
    "weight_decay": "--weight-decay",
}
CURES = {  # for a command that runs out of memory
    "train": "lower --hidden or --batch-size",
    "bench": "try --quick",
    "check": "choose a smaller --shape or network",
    "graph": "draw a smaller network or fewer samples",
}
_NAMED = re.compile(
    rf"(?<![\w/\\.-])({'|'.join(map(re.escape, OPTIONS))})(?![\w/\\.:-])"
)  # not as part of a path


def in_options(message: str) -> str:
    """Return a message in one line, with options in place of parameters.

    >>> in_options("train: batch_size must be below 10")
    'train: --batch-size must be below 10'
    """
    return " ".join(_NAMED.sub(lambda found: OPTIONS[found[0]], message).split())


def out_of_memory(error: MemoryError, command: str) -> str:
    """Return how much could not be allocated, and what to lower."""
    first: BaseException = error
    while isinstance(first.__cause__, MemoryError):  # the outer one adds a cure in terms of parameters
        first = first.__cause__
    asked = f" ({first})" if str(first) else ""
    return f"out of memory{asked}" + (f"; {CURES[command]}" if command in CURES else "")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is 1.

    >>> counted(1, "iteration"), counted(2000, "iteration")
    ('1 iteration', '2,000 iterations')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def line_width() -> int:
    """Return the columns for running text: those of the terminal or COLUMNS, from 40 to 80."""
    return min(80, max(40, shutil.get_terminal_size((80, 24)).columns))
