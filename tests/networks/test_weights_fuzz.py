"""Whatever stands in a file of weights, it is loaded, or refused in one line, and takes no memory."""

import os
import tracemalloc
import warnings

import numpy as np
import pytest

pytest.importorskip("hypothesis")
pytest.importorskip("safetensors")
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop import Sequential, TwoLayerNet
from backprop.layers import Affine, BatchNorm, Dropout, LeakyReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import FileError, Network
from tests.networks import tensor_files as files

OVERHEAD = 2**18  # bytes: Python's own, for a file of any size


def written(net, folder):
    net.save(folder / "net.safetensors")
    return (folder / "net.safetensors").read_bytes()


def deep():
    layers = [Affine(3), BatchNorm(), LeakyReLU(0.1), Dropout(0.2), Affine(2)]
    return Sequential(layers, 4, SoftmaxCrossEntropy(0.1), rng=0)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    return [files.taken_apart(written(net, folder)) for net in (deep(), TwoLayerNet(4, 3, 2, rng=0))]


OTHER = deep()


def judge(path, content):
    """Load a file of these bytes: only FileError, in one line, and no memory above four times the file."""
    path.write_bytes(content)
    other = OTHER
    before = other.params.flat.tobytes()
    tracemalloc.start()
    try:
        net, fits = refused(path, Network.load), not refused(path, other.load_weights)
        assert tracemalloc.get_traced_memory()[1] <= 4 * len(content) + OVERHEAD
    finally:
        tracemalloc.stop()
    assert fits or other.params.flat.tobytes() == before
    if isinstance(net, Network):
        assert net.predict(np.ones((1, *net.input_shape))).shape == (1, *net.output_shape)


def refused(path, load):
    """Return what is loaded, or the error that refuses it."""
    try:
        return load(path)
    except FileError as error:
        assert str(error).startswith(f"{path}: ") and len(str(error).splitlines()) == 1
        assert len(str(error)) < 200 + len(str(path))
        return error


def fuzz(sound, path, examples):
    @settings(max_examples=examples, deadline=None, database=None, derandomize=True)
    @given(st.integers(0, 1), files.mutations, files.damages)
    def run(which, mutations, damages):
        header, numbers = sound[which]
        for each in mutations:
            header = files.mutated(header, *each)
        content = files.put_together(header, numbers)
        for each in damages:
            content = files.damaged(content, *each)
        judge(path, content)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of weights that are not finite any more
        run()


def test_five_hundred_files(sound, tmp_path):
    fuzz(sound, tmp_path / "net.safetensors", 500)


@pytest.mark.slow
@pytest.mark.parametrize("examples", [5_000, 100_000])
def test_many_files(examples, sound, tmp_path):
    fuzz(sound, tmp_path / "net.safetensors", examples)


def test_the_sound_files_are_loaded(sound, tmp_path):
    for header, numbers in sound:
        judge(tmp_path / "net.safetensors", files.put_together(header, numbers))
        assert Network.load(tmp_path / "net.safetensors").params
    assert os.listdir(tmp_path) == ["net.safetensors"]
