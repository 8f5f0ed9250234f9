"""Arguments of the wrong kind are refused in a line that names the function and the argument."""

from pathlib import Path

import numpy as np
import pytest

from backprop.data import load_fashion_mnist, load_mnist, load_mnist_sample


class BytesPath:
    def __fspath__(self):
        return b"/tmp"


@pytest.mark.parametrize("value", ["no", 0, 1, None, [], np.array([True, False]), 1.0], ids=repr)
@pytest.mark.parametrize("flag", ["normalize", "flatten", "one_hot_label"])
@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist, load_mnist_sample])
def test_a_flag_is_true_or_false(load, flag, value):
    with pytest.raises(TypeError, match=f"^{load.__name__}: {flag} must be True or False, got ") as caught:
        load(**{flag: value})
    assert len(str(caught.value)) <= 200 and len(str(caught.value).splitlines()) == 1


def test_a_directory_in_the_place_of_the_first_flag_is_pointed_to_its_own():
    with pytest.raises(TypeError, match=r"got '/data/mnist'; pass a directory as data_dir=…$"):
        load_mnist("/data/mnist")
    with pytest.raises(TypeError, match=r"pass a directory as data_dir=…$"):
        load_mnist(Path("/data/mnist"))


def test_numpys_truth_is_a_flag():
    (x, _), _ = load_mnist_sample(normalize=np.False_)
    assert x.dtype == np.uint8


@pytest.mark.parametrize(
    "value", [3, 3.5, True, b"/tmp", ["/tmp"], BytesPath(), object()], ids=lambda value: type(value).__name__
)
@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist])
def test_a_directory_is_a_path(load, value):
    rule = "data_dir must be a path, str or os.PathLike, got "
    with pytest.raises(TypeError, match=f"^{load.__name__}: {rule}"):
        load(data_dir=value)


@pytest.mark.parametrize("value", ["", "a\0b", "\ud800"], ids=ascii)
@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist])
def test_a_directory_is_a_path_that_there_can_be(load, value):
    with pytest.raises(ValueError, match=f"^{load.__name__}: data_dir must name a directory, got '"):
        load(data_dir=value)


def test_the_longest_value_is_told_in_short():
    with pytest.raises(TypeError) as caught:
        load_mnist(normalize="x" * 1000)
    assert len(str(caught.value)) <= 200
