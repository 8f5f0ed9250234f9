"""All racers by name."""

from benchmarks.convolution.book_loop import Book, BookSingle
from benchmarks.convolution.ours import Ours
from benchmarks.convolution.pytorch import ChannelsLast, Eager
from benchmarks.convolution.racer import Racer

RACERS: dict[str, type[Racer]] = {
    racer.name: racer for racer in (Ours, Eager, ChannelsLast, BookSingle, Book)
}
