"""The cache is filled from the first mirror that serves the four files as they should be."""

import io
import os
import socket
import sys
import time

import pytest

from backprop.data import load_mnist
from backprop.data.known import MNIST

pooch = pytest.importorskip("pooch")


def load_test_labels():
    return load_mnist()[1][1].tolist()


def test_a_new_cache_is_filled_once_and_silently(serve, digits, cache, capfd, monkeypatch):
    logger, records = pooch.get_logger(), []
    level = logger.level
    monkeypatch.setattr(logger, "handle", records.append)
    _, asked = serve(digits.gz_files, {})
    assert load_test_labels() == [7, 3, 0, 9]
    assert load_test_labels() == [7, 3, 0, 9]
    assert asked == [f"0/{name}" for name in digits.gz_files]
    assert {name: (cache / name).read_bytes() for name in os.listdir(cache)} == digits.gz_files
    assert (*capfd.readouterr(), records) == ("", "", [])
    assert logger.level == level


def test_a_terminal_sees_progress(serve, digits, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    serve(digits.gz_files)
    load_mnist()
    assert terminal.getvalue().count("100%") >= 4


@pytest.mark.parametrize("bad", [None, b"other bytes", b"cut short"])
@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"])
def test_the_second_mirror_goes_on_where_the_first_fails(serve, digits, cache, name, bad):
    good = list(digits.gz_files)
    _, asked = serve({**digits.gz_files, name: bad}, digits.gz_files)
    assert load_test_labels() == [7, 3, 0, 9]
    position = good.index(name)
    assert asked == [f"0/{n}" for n in good[: position + 1]] + [f"1/{n}" for n in good[position:]]
    assert sorted(os.listdir(cache)) == sorted(good)


def test_a_dead_mirror_is_passed_over(serve, digits, monkeypatch):
    urls, _ = serve(digits.gz_files)
    monkeypatch.setattr(MNIST, "mirrors", ("http://127.0.0.1:9/", *urls))
    assert load_test_labels() == [7, 3, 0, 9]


def test_no_mirror_serves(serve, digits, cache, error_line):
    name = "train-labels-idx1-ubyte.gz"
    serve({**digits.gz_files, name: b"other"}, {})
    message = error_line(load_mnist)
    assert message.startswith(f"MNIST could not be downloaded to {cache}: 127.0.0.1:")
    assert "(wrong SHA-256), 127.0.0.1:" in message and "(HTTP status 404); connect" in message
    assert "load_mnist_sample" in message
    assert os.listdir(cache) == ["train-images-idx3-ubyte.gz"]


def test_no_network(cache, error_line):
    message = error_line(load_mnist)
    no_connection = "no connection to 127.0.0.1:9, 127.0.0.1:9; connect to the network, "
    assert message.startswith(f"MNIST could not be downloaded to {cache}: {no_connection}")
    assert os.listdir(cache) == []


def test_a_mirror_that_never_answers_is_given_up(error_line, monkeypatch):
    monkeypatch.setattr("backprop.data.download.TIMEOUT", (5, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(MNIST, "mirrors", (f"http://{address}/",))
        start = time.monotonic()
        assert f"{address} (ReadTimeout); " in error_line(load_mnist)
        assert time.monotonic() - start < 4


@pytest.mark.parametrize("gz", [True, False], ids=["gz", "plain"])
def test_a_damaged_cache_is_mended(serve, digits, cache, gz):
    digits.write(cache, gz=gz)
    name = "t10k-labels-idx1-ubyte" + ".gz" * gz
    (cache / name).write_bytes(b"damaged")
    _, asked = serve(digits.gz_files)
    assert load_test_labels() == [7, 3, 0, 9]
    assert asked == ([f"0/{name}"] if gz else [f"0/{name}" for name in digits.gz_files])


def test_other_data_in_the_cache_is_not_mixed_with_mnist(serve, digits, idx, cache):
    digits.write(cache)
    (cache / "train-images-idx3-ubyte.gz").unlink()
    (cache / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(digits.t_test[::-1].copy()))
    serve(digits.gz_files)
    assert load_test_labels() == [7, 3, 0, 9]


def test_whole_files_in_the_cache_need_no_network(digits, cache):
    digits.write(cache, gz=False)
    assert load_test_labels() == [7, 3, 0, 9]


def test_the_cache_cannot_be_written(cache, error_line, monkeypatch):
    cache.parent.mkdir(parents=True)
    cache.touch()
    message = error_line(load_mnist)
    assert f"{cache}: the cache cannot be written: File exists; make it writable, or set" in message
    cache.unlink()
    cache.mkdir()

    def refuse(**kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert "the cache cannot be written: Permission denied" in error_line(load_mnist)
