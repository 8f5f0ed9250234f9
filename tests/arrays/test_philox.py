"""Philox: the published numbers, NumPy's generator, and products of 64-bit words."""

import numpy as np
import pytest

from backends import to_numpy
from backprop.arrays.philox import halved, high_word, philox, random_bits

ALL_ONES = 2**64 - 1
PI = 0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89
PI_KEY = 0x452821E638D01377, 0xBE5466CF34E90C6C
# Counter, key and result of philox4x64-10 in the file kat_vectors of Random123, by the authors of the paper.
KNOWN = [
    (
        (0,) * 4,
        (0,) * 2,
        (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B),
    ),
    (
        (ALL_ONES,) * 4,
        (ALL_ONES,) * 2,
        (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
    ),
    (PI, PI_KEY, (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6)),
]


def column(backend, *numbers):
    return backend.asarray(np.array(numbers, "uint64").reshape(-1, 1))


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN, ids=["zeros", "ones", "digits of pi"])
def test_the_published_numbers(backend, counter, key, result):
    words = (column(backend, *each) for each in (counter[::2], counter[1::2], key))
    even, odd = (to_numpy(each) for each in philox(backend.xp, *words))
    assert [*map(int, (even[0, 0], odd[0, 0], even[1, 0], odd[1, 0]))] == [*result]


@pytest.mark.parametrize("first", [0, 1, 2**63 - 2, 2**64 - 6])
def test_numpy_has_the_same_generator(backend, first):
    """Which adds 1 to the counter before it generates."""
    key, second = 2**64 - 2, 2**63 + 1
    given = (backend.asarray(np.array([each], "uint64")) for each in (key, first + 1, second))
    bits = to_numpy(random_bits(backend.xp, 5, *given))
    start = np.array([first, second, 0, 0], "uint64")
    words = np.random.Philox(key=np.array([key, 0], "uint64"), counter=start).random_raw(20)
    assert bits.shape == (5, 8) and bits.dtype == "uint64" and (bits < 2**32).all()
    np.testing.assert_array_equal(bits[:, ::2] | bits[:, 1::2] << np.uint64(32), words.reshape(5, 4))


def test_products_of_words(backend):
    rng, edges = np.random.default_rng(0), (0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1)
    numbers = [*edges, *map(int, rng.integers(2**64, size=20, dtype="uint64"))]
    for by in numbers:
        factors = halved(backend.xp, (by,), backend.asarray(np.zeros(1, "uint64")).dtype)
        high = to_numpy(high_word(column(backend, *numbers), *factors))
        assert [*map(int, high[:, 0])] == [number * by >> 64 for number in numbers]
