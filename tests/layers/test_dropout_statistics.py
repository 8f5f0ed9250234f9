"""Dropout's masks are as good as coin tosses, by tests of NIST SP 800-22: in every direction, in all bits.

Sequences of mask bits are taken along one direction: samples, values of a sample, passes, or layers, which
have neighbouring seeds here. What neighbouring sequences have in common is tested, too.

Each test of NIST gives a P-value per sequence, and two P-values for all sequences: of their uniformity, and
of the share below 0.01. A test fails if one of these two is below 1e-4. In the default run there are 200 of
them, so that perfect masks would fail for two seeds in a hundred; the seeds are fixed.
"""

import nist
import numpy as np
import pytest

from backends import Workspace, find, load
from backprop.arrays import philox
from backprop.layers import Dropout

LEAST = 1e-4
WORKSPACE = Workspace(load("numpy"), np.dtype("float32"))
SEED = 20101
PI = (  # the first 100 binary digits of π, the example of most sections
    "1100100100001111110110101010001000100001011010001100001000110100110001001100011001100010100010111000"
)
LONG = (
    "1100110000010101011011000100110011100000000000100100110101010001"
    "0001001111010110100000001101011111001100111001101101100010110010"
)


def bits_of(text):
    return np.array([[*map(int, text)]], "uint8")


@pytest.mark.parametrize(
    ("test", "text", "options", "p"),
    [
        (nist.frequency, "1011010101", {}, 0.527089),
        (nist.frequency, PI, {}, 0.109599),
        (nist.block_frequency, "0110011010", {"size": 3}, 0.801252),
        (nist.block_frequency, PI, {"size": 10}, 0.706438),
        (nist.runs, "1001101011", {}, 0.147232),
        (nist.runs, PI, {}, 0.500798),
        (nist.longest_run, LONG, {}, 0.180609),
        (nist.spectral, PI, {}, 0.646355),  # for 48 low peaks; printed there for 46
        (nist.rank, "01011001001010101101", {"size": 3}, 0.741948),
        (nist.serial, "0011011101", {"length": 3}, 0.808792),
        (nist.serial_again, "0011011101", {"length": 3}, 0.670320),
        (nist.approximate_entropy, "0100110101", {"length": 3}, 0.261961),
        (nist.approximate_entropy, PI, {"length": 2}, 0.235301),
        (nist.cumulative_sums, PI, {}, 0.219194),
        (nist.cumulative_sums_backward, PI, {}, 0.114866),
    ],
)
def test_the_published_examples(test, text, options, p):
    assert test(bits_of(text), **options)[0] == pytest.approx(p, abs=2e-6)


def mask_of(seed, passes, shape, ratio=0.5):
    """Return the mask of one pass, 0 and 1."""
    layer, state = Dropout(ratio), np.array([[seed], [passes], [0]], "uint64")
    twin = find("numpy", "float32", layer.compute)
    _, (factor,), _ = twin(layer, WORKSPACE, np.ones(shape, "float32"), *state)
    return (factor > 0).astype("uint8")


def along(direction, count, length, mask=mask_of):
    """Return sequences of mask bits along a direction, (count, length); the others hardly vary.

    count: a multiple of 8.
    """
    if direction == "samples":
        return mask(SEED, 0, (length, count)).T
    if direction == "values":
        return mask(SEED, 0, (count, length))
    shape = count // 8, 8
    if direction == "passes":
        masks = [mask(SEED, i, shape) for i in range(length)]
    else:
        masks = [mask(i, 0, shape) for i in range(length)]  # seeds next to each other
    return np.stack([each.ravel() for each in masks], axis=1)


def failures(bits, tests=nist.FAST):
    """Return the names of the tests that sequences, or what neighbours have in common, do not pass."""
    found = []
    for what, rows in (("", bits), (" of neighbours", bits[1:] ^ bits[:-1])):
        for test in tests:
            p = test(rows)
            if min(nist.uniformity(p), nist.proportion(p)) < LEAST:
                found.append(test.__name__ + what)
    return found


DIRECTIONS = ("samples", "values", "passes", "layers")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_masks_are_random_in_every_direction(direction):
    assert failures(along(direction, 64, 2**11)) == []


def test_all_bits_of_the_numbers_are_random():
    """Those that decide at other ratios than 0.5."""
    assert failures(every_bit(2**11)) == []


def every_bit(length):
    """Return a sequence of each of the 32 bits, at each of two places in a block: (64, length)."""
    one = np.ones(1, "uint64")
    numbers = philox.random_bits(np, length, SEED * one, one, one)[:, [0, 5]]
    rows = [(numbers[:, i] >> np.uint64(bit)) & one for i in (0, 1) for bit in range(32)]
    return np.stack(rows).astype("uint8")


@pytest.mark.slow
@pytest.mark.parametrize("direction", [*DIRECTIONS, "bits"])
def test_longer_sequences_are_random(direction):
    length = 2**16
    bits = every_bit(length) if direction == "bits" else along(direction, 128, length)
    assert failures(bits, nist.ALL) == []


@pytest.mark.parametrize("ratio", [0.1, 0.75])
def test_as_many_values_are_dropped_as_the_ratio_says(ratio):
    """In blocks along each direction: the sum of squares has the distribution of chi²."""
    size = 64
    for shape in ((size, 1024), (1024, size)):
        dropped = 1.0 - mask_of(SEED, 1, shape, ratio)
        for axis in (0, 1):
            n = dropped.shape[axis]
            z = (dropped.sum(axis=axis) - n * ratio) / np.sqrt(n * ratio * (1 - ratio))
            p = float(nist.igamc(len(z) / 2, (z**2).sum() / 2))
            assert 1e-4 < p < 1 - 1e-4


# ------------------------------------------------------------------------------------------------ weak masks


def by_formula(seed, passes, shape):
    """Return the mask that the formula gives, with as many rounds as philox.ROUNDS says now."""
    layer, state = Dropout(), np.array([[seed], [passes], [0]], "uint64")
    return (layer.compute(np, np.ones(shape), *state)[0] > 0).astype("uint8")


def of_one_pass(seed, passes, shape):
    return mask_of(seed, 0, shape)


def of_one_seed(seed, passes, shape):
    return mask_of(SEED, passes, shape)


def in_pairs(seed, passes, shape):
    """Two neighbouring samples have the same mask."""
    return np.repeat(mask_of(seed, passes, (shape[0] // 2, shape[1])), 2, axis=0)


def a_little_too_many(seed, passes, shape):
    return mask_of(seed, passes, shape, ratio=0.52)


@pytest.mark.parametrize(
    ("mask", "direction", "test"),
    [
        (of_one_pass, "passes", "runs"),
        (of_one_seed, "layers", "runs"),
        (in_pairs, "samples", "runs"),
        (in_pairs, "values", "frequency of neighbours"),
        (a_little_too_many, "samples", "frequency"),
    ],
)
def test_weak_masks_are_found_out(mask, direction, test):
    assert test in failures(along(direction, 64, 2**10, mask))


@pytest.mark.parametrize("direction", [*DIRECTIONS, "bits"])
def test_a_generator_of_too_few_rounds_is_found_out(direction, monkeypatch):
    """With three of its ten rounds it fails most tests in all directions."""
    monkeypatch.setattr(philox, "ROUNDS", 3)
    bits = every_bit(2**11) if direction == "bits" else along(direction, 64, 2**9, by_formula)
    assert len(failures(bits)) > len(nist.FAST)


def test_every_test_can_fail(monkeypatch):
    monkeypatch.setattr(philox, "ROUNDS", 2)
    bits = along("samples", 8, 2**16, by_formula)
    assert {*failures(bits, nist.ALL)} >= {test.__name__ for test in nist.ALL}
