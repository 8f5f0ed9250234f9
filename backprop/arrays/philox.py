"""Philox 4x64-10: random bits as a pure function of a counter and a key, so the same on every backend.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11, 2011. NumPy has
the same generator, as numpy.random.Philox.
"""

from typing import Any

from backends import Array, Namespace

ROUNDS = 10
MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157  # of words 0 and 2
KEY_STEPS = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B  # 2⁶⁴ / golden ratio, and 2⁶⁴ (√3 - 1)
LOW = 2**32 - 1  # mask of the low half of a word


def philox(xp: Namespace, even: Array, odd: Array, key: Array) -> tuple[Array, Array]:
    """Return four words of random bits for each of B counters of four words.

    All arrays are uint64. even: words 0 and 2, (2, B).  odd: words 1 and 3, (2, B) or (2, 1), as key.
    Returns words 0 and 2, and words 1 and 3, (2, B) each.
    """
    (high, low), (step_high, step_low) = (halved(xp, pair, even.dtype) for pair in (MULTIPLIERS, KEY_STEPS))
    factors, steps = (high << 32) + low, (step_high << 32) + step_low
    for _ in range(ROUNDS):
        above, below = high_word(even, high, low), even * factors
        even, odd, key = above[::-1, ...] ^ odd ^ key, below[::-1, ...], key + steps
    return even, odd


def high_word(a: Array, high: Array, low: Array) -> Array:
    """Return the upper 64 of the 128 bits of a · (high · 2³² + low), from products of 32-bit halves."""
    a_low, a_high = a & LOW, a >> 32
    middle = a_high * low + (a_low * low >> 32)
    other = a_low * high + (middle & LOW)
    return a_high * high + (middle >> 32) + (other >> 32)


def halved(xp: Namespace, numbers: tuple[int, ...], dtype: Any) -> tuple[Array, Array]:
    """Return the high and the low halves of numbers below 2⁶⁴, (2, 1): some libraries take no larger int."""
    halves = [[number >> 32] for number in numbers], [[number & LOW] for number in numbers]
    return xp.asarray(halves[0], dtype=dtype), xp.asarray(halves[1], dtype=dtype)


def random_bits(xp: Namespace, count: int, key: Array, first: Array, second: Array) -> Array:
    """Return 8 numbers of 32 random bits for each of `count` counters, (count, 8), as uint64.

    The counters are (first, second, 0, 0), (first + 1, second, 0, 0), …; the numbers are the halves of each
    word, the low one first.  key, first, second: uint64 (1,); the second word of the key is 0.
    """
    zero = key ^ key
    counted = first + xp.arange(count, dtype=key.dtype)
    even = xp.reshape(xp.concat([counted, counted ^ counted]), (2, count))
    odd, key = (xp.reshape(xp.concat([word, zero]), (2, 1)) for word in (second, key))
    even, odd = philox(xp, even, odd, key)
    words = (even[0, :], odd[0, :], even[1, :], odd[1, :])
    return xp.concat([half[:, None] for word in words for half in (word & LOW, word >> 32)], axis=1)
