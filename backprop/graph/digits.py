"""How a number is written in a picture: four significant digits, every one of them right, and no more.

The page writes the same numbers in its own language, so the rule is one that both can keep: the exact value
of the float is rounded half away from zero, as `toFixed` and `toExponential` in ECMAScript do.
"""

import math
from decimal import ROUND_HALF_UP, Decimal

MINUS = "\u2212"  # as wide as a plus, and read aloud as "minus"
NONE = "\u2013"  # for a gradient that no backward has brought yet
SMALL, LARGE = -3, 7  # powers of ten below and from which on a number is written with an exponent


def shown(number: float, digits: int = 4) -> str:
    """A number as a picture shows it: `digits` significant ones, and all of those before the point.

    >>> shown(220.00000000000003), shown(1 / 3), shown(-1234.56), shown(123456.78), shown(1.23456e-5)
    ('220', '0.3333', '−1235', '123457', '1.235e−5')
    """
    if not math.isfinite(number):
        return "nan" if math.isnan(number) else "∞" if number > 0 else MINUS + "∞"
    exact = abs(Decimal(number))
    sign = MINUS if number < 0 else ""
    rounded = _rounded(exact, digits - 1 - exact.adjusted()) if exact else exact
    power = rounded.adjusted() if exact else 0
    if SMALL <= power < LARGE:
        return sign + _plain(_rounded(exact, max(0, digits - 1 - power)))
    return f"{sign}{_plain(rounded.scaleb(-power))}e{power}".replace("e-", f"e{MINUS}")


def _rounded(exact: Decimal, places: int) -> Decimal:
    """A positive number rounded to so many decimal places."""
    return exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _plain(number: Decimal) -> str:
    """Without an exponent, and without zeros at the end of a fraction."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
