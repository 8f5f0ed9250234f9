"""A file's content is read as a stream; what is no regular file is refused before it is opened."""

import gzip
import os
import socket
import subprocess
import sys

import pytest

from backprop.data.content import content


@pytest.fixture
def read(tmp_path):
    """Read a file of these bytes, or what lies at `path`."""

    def read_all(data=None, path=tmp_path / "file"):
        if data is not None:
            path.write_bytes(data)
        with content(path) as (stream, limit):
            read = stream.read()
        assert len(read) <= limit
        return read

    return read_all


@pytest.mark.parametrize("data", [b"", b"\x1f", b"abc", bytes(1000)], ids=len)
def test_plain_and_zipped(read, data):
    assert read(data) == data
    assert read(gzip.compress(data)) == data


def test_no_deflate_exceeds_the_limit(read):
    assert len(read(gzip.compress(bytes(10**7)))) == 10**7


def test_gzip_of_several_members_and_padding(read):
    assert (
        read(gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two") + bytes(512)) == b"one two"
    )


def test_gzip_within_gzip_is_refused_without_unzipping_it(read, peak, error_line):
    data = gzip.compress(bytes(2**24), compresslevel=1)
    with peak() as memory:
        assert error_line(read, gzip.compress(data)).endswith("file: is gzip within gzip; unzip it once")
    assert memory.bytes < 2**20


LIMITED = """
import resource, sys
from backprop.data import DataError
from backprop.data.content import content
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
for path in sys.argv[1:]:
    try:
        with content(path) as (stream, limit):
            stream.read()
    except DataError as error:
        print(error)
"""


def test_what_never_ends_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    paths = [tmp_path / "pipe", tmp_path / "zeros"]
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, *paths], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.splitlines() == [
        f"{path}: is {what}; replace it with a regular file"
        for path, what in zip(paths, ["a pipe", "a device"], strict=True)
    ]


def test_directories_sockets_and_links_that_lead_nowhere(read, tmp_path, error_line, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nothing")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for name, words in {
            ".": "is a directory; replace it with a regular file",
            "socket": "is a socket; replace it with a regular file",
            "dangling": "cannot be read: No such file or directory; make it a readable file",
            "loop": "cannot be read: Too many levels of symbolic links; make it a readable file",
            "two\nlines": "cannot be read: No such file or directory; make it a readable file",
        }.items():
            assert error_line(read, path=name) == f"{' '.join(name.split())}: {words}"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_a_file_that_may_not_be_read(read, tmp_path, error_line):
    (tmp_path / "file").touch(mode=0)
    assert "file: cannot be read: Permission denied; " in error_line(read)


def test_a_file_that_cannot_be_read_to_its_end(error_line, tmp_path):
    (tmp_path / "file").touch()

    def read():
        with content(tmp_path / "file"):
            raise OSError(5, "Input/output error")

    assert "file: cannot be read: Input/output error; " in error_line(read)
