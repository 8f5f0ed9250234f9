"""A number is written with all digits before the point, and its significant digits are correct."""

import math
from fractions import Fraction

import pytest

pytest.importorskip("hypothesis")
from hypothesis import given
from hypothesis import strategies as st

from backprop.graph.digits import shown

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def read(text):
    """Return the exact number that a text shows, and half a unit of its last digit."""
    mantissa, _, exponent = text.replace("−", "-").partition("e")
    digits = len(mantissa.partition(".")[2])
    scale = Fraction(10) ** int(exponent or 0)
    return Fraction(mantissa) * scale, scale / Fraction(10) ** digits / 2


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (100, "100"),
        (2.2, "2.2"),
        (220.00000000000003, "220"),
        (-74.12345, "−74.12"),
        (0.00123456, "0.001235"),
        (0.000123456, "1.235e−4"),
        (9999.6, "10000"),
        (99999.6, "100000"),
        (9.99996, "10"),
        (0.00099999, "0.001"),
        (1234567.8, "1234568"),
        (9999999.6, "1e7"),
        (12345678.0, "1.235e7"),
        (1000.5, "1001"),  # half away from zero, as a browser rounds
        (-1000.5, "−1001"),
        (5e-324, "4.941e−324"),
        (1.7976931348623157e308, "1.798e308"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "nan"),
    ],
)
def test_examples(number, text):
    assert shown(number) == text


@given(FINITE, st.integers(1, 17))
def test_what_is_written_is_the_number_to_its_last_digit(number, digits):
    value, half = read(shown(number, digits))
    assert abs(value - Fraction(number)) <= half


@given(FINITE)
def test_seventeen_digits_say_all(number):
    assert float(shown(number, 17).replace("−", "-")) == number


@given(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-3), st.integers(1, 17))
def test_no_zeros_at_the_end_of_a_fraction(number, digits):
    text = shown(number, digits)
    assert "." not in text or text[-1] not in "0."


@given(FINITE)
def test_a_number_is_never_wider_than_a_page_has_room_for(number):
    assert len(shown(number)) <= 9 or not 1e-9 < abs(number) < 1e10
