"""Upper bounds on the size of a text in any font that a viewer may substitute for ours.

Numbers are set in a monospaced font. A cell is 0.6 em in DejaVu Sans Mono, Menlo, Courier New and Liberation
Mono, less in Consolas. Other texts are bounded letter by letter by the widest common serif font, DejaVu
Serif.
"""

import unicodedata

NUMBERS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
WORDS = "Georgia, 'DejaVu Serif', 'Times New Roman', serif"
CELL = 0.62  # width of a monospaced letter, in em
BOLD = 1.18  # bold letters are wider by this factor
ABOVE, BELOW = 0.95, 0.25  # height of a text above and below its baseline, in em

_NARROW = dict.fromkeys("ijl|!.,:;' ", 0.42) | dict.fromkeys("()[]/ft-r", 0.53)
_WIDE = dict.fromkeys("mwMWOQGDHNKURA@%→", 1.04) | dict.fromkeys("#&^~×+=−÷<>∞ω", 0.9)


def number_width(text: str, size: float) -> float:
    """Return the width of a text in the monospaced font."""
    return size * sum(_full(letter) or CELL for letter in text)


def word_width(text: str, size: float, bold: bool = False) -> float:
    """Return an upper bound on the width of a text in the serif font."""
    size *= BOLD if bold else 1.0
    return size * sum(
        _full(letter) or _NARROW.get(letter) or _WIDE.get(letter) or _letter(letter) for letter in text
    )


def _full(letter: str) -> float:
    """Return the width of a full-width East Asian letter, 0 for others."""
    return 1.06 if unicodedata.east_asian_width(letter) in "WF" else 0.0


def _letter(letter: str) -> float:
    return 0.82 if letter.isupper() else 0.7
