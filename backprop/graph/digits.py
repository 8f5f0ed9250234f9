"""The format of a number in a picture: four significant digits, correctly rounded.

The page formats the same numbers in JavaScript, so both round the exact value of the float half away from
zero, as `toFixed` and `toExponential` of ECMAScript do.
"""

import math
from decimal import ROUND_HALF_UP, Decimal

MINUS = "\u2212"  # as wide as a plus, and read aloud as "minus"
NONE = "\u2013"  # for a gradient that no backward has computed
SMALL, LARGE = -3, 7  # a number has an exponent below the first power of ten, and from the second on


def shown(number: float, digits: int = 4) -> str:
    """Return a number as a picture shows it: `digits` significant digits, and all before the point.

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
    """Return a positive number rounded to `places` decimal places."""
    return exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _plain(number: Decimal) -> str:
    """Return a number without exponent and without trailing zeros of a fraction."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
