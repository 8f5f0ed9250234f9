"""The same number of threads for all: of BLAS, of OpenMP, and of the library's own."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.peers.one_thread import one_thread

CHOICES = (1, 2)


def add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, choices=CHOICES, default=1, help="of each (%(default)s)")


def threads_asked_for(arguments: Sequence[str]) -> int:
    """Return the value of --threads before all other options are known."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_threads(parser)
    try:
        return int(parser.parse_known_args(arguments)[0].threads)
    except argparse.ArgumentError:
        return 1  # the command's own parser will refuse it


@contextmanager
def limited_to(threads: int) -> Iterator[None]:
    """Limit BLAS in the block. One thread keeps to one core.

    The library takes its own number of threads from BLAS. PyTorch is limited by its racers.
    """
    from threadpoolctl import threadpool_limits

    with one_thread() if threads == 1 else threadpool_limits(threads):
        yield
