"""The sample holds 5,000 images of MNIST's training set, in mixed order."""

import os
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

from backprop.data import load_mnist, load_mnist_sample
from backprop.data.sample import SAMPLE_PATH

MNIST = os.environ.get("BACKPROP_DATA_DIR")


def test_shapes_and_values():
    (x_train, t_train), (x_test, t_test) = load_mnist_sample()
    assert (x_train.shape, x_train.dtype, t_train.shape, t_train.dtype) == ((4000, 784), "f4", (4000,), "i8")
    assert (x_test.shape, x_test.dtype, t_test.shape, t_test.dtype) == ((1000, 784), "f4", (1000,), "i8")
    assert (x_train.min(), x_train.max()) == (0, 1)
    assert np.bincount(t_train).tolist() == [400] * 10
    assert np.bincount(t_test).tolist() == [100] * 10


def test_options():
    (x, t), _ = load_mnist_sample(normalize=False, flatten=False, one_hot_label=True)
    assert (x.shape, x.dtype, t.shape, t.dtype) == ((4000, 1, 28, 28), "u1", (4000, 10), "f4")
    (flat, labels), _ = load_mnist_sample()
    np.testing.assert_array_equal(flat, x.reshape(4000, 784).astype(np.float32) / 255)
    np.testing.assert_array_equal(t.argmax(axis=1), labels)


def test_batches_in_order_are_mixed():
    for _, t in load_mnist_sample():
        counts = np.array([np.bincount(batch, minlength=10) for batch in t.reshape(-1, 100)])
        assert counts.min() >= 1
        assert counts.max() <= 25


def test_no_image_occurs_twice():
    (x_train, _), (x_test, _) = load_mnist_sample(normalize=False)
    assert len({image.tobytes() for image in (*x_train, *x_test)}) == 5000


def test_a_library_without_its_sample(tmp_path, monkeypatch, error_line):
    monkeypatch.setattr("backprop.data.sample.SAMPLE_PATH", tmp_path / "gone.npz")
    assert "gone.npz: cannot be read: No such file" in error_line(load_mnist_sample)


@pytest.mark.parametrize("keep", [0, 100, 50_000, -30])
def test_a_damaged_sample(tmp_path, monkeypatch, error_line, keep):
    whole = Path(SAMPLE_PATH).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:keep])
    monkeypatch.setattr("backprop.data.sample.SAMPLE_PATH", tmp_path / "cut.npz")
    assert "cut.npz: cannot be read: " in error_line(load_mnist_sample)


def test_a_sample_of_other_arrays(tmp_path, monkeypatch, error_line):
    np.savez(tmp_path / "other.npz", x_train=np.zeros((2, 3), np.uint8))
    monkeypatch.setattr("backprop.data.sample.SAMPLE_PATH", tmp_path / "other.npz")
    assert "other.npz: cannot be read: " in error_line(load_mnist_sample)


@pytest.mark.skipif(not MNIST, reason="BACKPROP_DATA_DIR does not name a directory with MNIST")
def test_the_sample_is_of_mnist(monkeypatch):
    monkeypatch.setenv("BACKPROP_DATA_DIR", MNIST)
    (x_train, t_train), (x_test, t_test) = load_mnist(normalize=False)
    assert (x_train.shape, t_train.shape) == ((60000, 784), (60000,))
    assert (x_test.shape, t_test.shape) == ((10000, 784), (10000,))
    pairs = {(image.tobytes(), label) for image, label in zip(x_train, t_train.tolist(), strict=True)}
    for x, t in load_mnist_sample(normalize=False):
        assert {(image.tobytes(), label) for image, label in zip(x, t.tolist(), strict=True)} <= pairs


def test_it_takes_the_arguments_of_load_mnist():
    assert [*signature(load_mnist_sample).parameters] == [*signature(load_mnist).parameters]
