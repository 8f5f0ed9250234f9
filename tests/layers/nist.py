"""Tests of random bits from NIST SP 800-22, for many sequences at once.

Source: Rukhin and others, "A statistical test suite for random and pseudorandom number generators for
cryptographic applications", NIST Special Publication 800-22, revision 1a, 2010. The numbers in the comments
are those of its sections.

A test takes sequences of 0 and 1, one a row, (K, n), and returns K P-values: the probabilities that tosses of
a fair coin deviate as much.
"""

import math

import numpy as np

# --------------------------------------------------------------------------------------------- probabilities


def erfc(x):
    return np.array([*map(math.erfc, np.ravel(x))]).reshape(np.shape(x))


def igamc(a, x):
    """Return the regularized upper incomplete gamma function Q(a, x) for 2a = 1, 2, 3, …

    By its recurrence Q(a + 1, x) = Q(a, x) + xᵃ exp(-x) / Γ(a + 1), from Q(½, x) = erfc √x and
    Q(1, x) = exp(-x).
    """
    x = np.maximum(x, 1e-300)
    start = 0.5 if a % 1 else 1.0
    total = erfc(np.sqrt(x)) if a % 1 else np.exp(-x)
    for k in range(round(a - start)):
        total = total + np.exp((start + k) * np.log(x) - x - math.lgamma(start + k + 1))
    return total


def normal_cdf(x):
    return 0.5 * erfc(-np.asarray(x) / math.sqrt(2))


# ------------------------------------------------------------------------------------------------- the tests


def frequency(bits):  # 2.1
    """As many 1 as 0."""
    n = bits.shape[1]
    return erfc(abs(2.0 * bits.sum(axis=1) - n) / math.sqrt(2 * n))


def block_frequency(bits, size=128):  # 2.2
    """As many 1 as 0 in each block."""
    blocks = bits.shape[1] // size
    shares = bits[:, : blocks * size].reshape(-1, blocks, size).mean(axis=2)
    return igamc(blocks / 2, 2 * size * ((shares - 0.5) ** 2).sum(axis=1))


def runs(bits):  # 2.3
    """As many changes from bit to bit as bits that stay."""
    n, share = bits.shape[1], bits.mean(axis=1)
    changes = 1 + (bits[:, 1:] != bits[:, :-1]).sum(axis=1)
    spread = 2 * share * (1 - share)
    with np.errstate(divide="ignore"):  # all bits equal
        p = erfc(abs(changes - n * spread) / (math.sqrt(2 * n) * spread))
    return np.where(abs(share - 0.5) >= 2 / math.sqrt(n), 0.0, p)


LONGEST_RUNS = {  # size of a block: the shortest class, and the probabilities of the classes, section 3.4
    8: (1, (0.21484375, 0.3671875, 0.23046875, 0.1875)),
    128: (4, (0.1174035788, 0.242955959, 0.249363483, 0.17517706, 0.102701071, 0.112398847)),
}


def longest_run(bits):  # 2.4
    """The longest run of 1 in each block."""
    size = 8 if bits.shape[1] < 6272 else 128
    least, expected = LONGEST_RUNS[size]
    blocks = bits.shape[1] // size
    rows = bits[:, : blocks * size].reshape(-1, size).astype(int)
    run = longest = np.zeros(len(rows), int)
    for column in rows.T:
        run = (run + 1) * column
        longest = np.maximum(longest, run)
    classes = np.clip(longest - least, 0, len(expected) - 1).reshape(-1, blocks, 1)
    counts = (classes == np.arange(len(expected))).sum(axis=1)
    expected = blocks * np.array(expected)
    return igamc((len(expected) - 1) / 2, ((counts - expected) ** 2 / expected).sum(axis=1) / 2)


def rank(bits, size=32):  # 2.5
    """The ranks of square matrices of bits."""
    count = bits.shape[1] // size**2
    rows = bits[:, : count * size**2].reshape(-1, size, size)
    ranks = ranks_of((rows * (1 << np.arange(size, dtype="uint64"))).sum(axis=2).astype("uint64"))
    deficit = np.minimum(size - ranks, 2).reshape(-1, count, 1)
    expected = count * np.array([0.2888, 0.5776, 0.1336])
    counts = (deficit == np.arange(3)).sum(axis=1)
    return np.exp(-((counts - expected) ** 2 / expected).sum(axis=1) / 2)


def ranks_of(rows):
    """Return the ranks of matrices over the field of two elements.  rows: (K, size), their rows as bits."""
    rows, ranks = rows.copy(), 0
    for bit in range(rows.shape[1]):
        has = (rows >> np.uint64(bit)) & np.uint64(1)
        pivot = np.argmax(has, axis=1)[:, None]
        found = np.take_along_axis(has, pivot, axis=1)
        row = np.take_along_axis(rows, pivot, axis=1) * found
        rows ^= row * has  # this clears the pivot's own row, too
        ranks = ranks + found[:, 0].astype(int)
    return ranks


def spectral(bits):  # 2.6
    """No period: as many peaks of the spectrum as expected are below the bound that 95 % are below."""
    n = bits.shape[1]
    peaks = abs(np.fft.fft(2.0 * bits - 1.0, axis=1))[:, : n // 2]
    below = (peaks < math.sqrt(n * math.log(1 / 0.05))).sum(axis=1)
    return erfc(abs(below - 0.95 * n / 2) / math.sqrt(n * 0.95 * 0.05 / 4) / math.sqrt(2))


def patterns(bits, length):
    """Return how often each pattern of that length occurs in each row, which closes to a circle."""
    numbers = sum(np.roll(bits, -i, axis=1).astype(int) << (length - 1 - i) for i in range(length))
    numbers += (np.arange(len(bits)) << length)[:, None]  # one bincount for all rows
    return np.bincount(numbers.ravel(), minlength=len(bits) << length).reshape(len(bits), -1)


def serial(bits, length=5):  # 2.11, its first P-value
    """Every pattern of that length as often as the others."""
    return igamc(2 ** (length - 2), (_psi(bits, length) - _psi(bits, length - 1)) / 2)


def serial_again(bits, length=5):  # 2.11, its second P-value
    """The same, less what patterns of length - 1 tell."""
    change = _psi(bits, length) - 2 * _psi(bits, length - 1) + _psi(bits, length - 2)
    return igamc(2 ** (length - 3), change / 2)


def _psi(bits, length):
    n = bits.shape[1]
    return 2**length / n * (patterns(bits, length).astype(float) ** 2).sum(axis=1) - n


def approximate_entropy(bits, length=4):  # 2.12
    """The next bit as uncertain after `length` bits as without."""
    n, phi = bits.shape[1], []
    for m in (length, length + 1):
        share = np.maximum(patterns(bits, m) / n, 1e-300)
        phi.append((share * np.log(share)).sum(axis=1))
    return igamc(2 ** (length - 1), n * (math.log(2) - (phi[0] - phi[1])))


def cumulative_sums(bits):  # 2.13
    """A walk by steps of 1 and -1 that goes as far as a random one."""
    walk = np.cumsum(2 * bits.astype(int) - 1, axis=1)
    far = np.maximum(abs(walk).max(axis=1) / math.sqrt(bits.shape[1]), 0.2)[:, None]  # below, P is 1
    k = np.arange(-15, 16)
    one, three, minus = (normal_cdf((4 * k + shift) * far) for shift in (1, 3, -1))
    return np.clip(1 - (one - minus).sum(axis=1) + (three - one).sum(axis=1), 0, 1)


def cumulative_sums_backward(bits):  # 2.13
    """The same, from the end."""
    return cumulative_sums(bits[:, ::-1])


FAST = (
    *(frequency, block_frequency, runs, longest_run, spectral, serial, serial_again, approximate_entropy),
    *(cumulative_sums, cumulative_sums_backward),
)
ALL = (*FAST, rank)  # rank needs 38 matrices, n = 38,912


# ------------------------------------------------------------------------------------ many P-values together


def uniformity(p):  # 4.2.2
    """P-values equally often in each tenth of [0, 1]; the P-value of that."""
    counts = np.histogram(p, bins=10, range=(0, 1))[0]
    expected = len(p) / 10
    return float(igamc(4.5, ((counts - expected) ** 2 / expected).sum() / 2))


def proportion(p, significance=0.01):  # 4.2.1
    """Not too many P-values below the significance: the probability of at least as many."""
    n, failed = len(p), int((p < significance).sum())
    few = sum(math.comb(n, k) * significance**k * (1 - significance) ** (n - k) for k in range(failed))
    return max(0.0, 1.0 - few)
