"""How wide and high a text is at most, in any of the fonts that a viewer may have in place of ours.

Numbers are set in a monospaced font: a cell is 0.6 em in DejaVu Sans Mono, Menlo, Courier New and Liberation
Mono, less in Consolas. Other texts are bounded letter by letter, after the widest of the common serif fonts
(DejaVu Serif).
"""

import unicodedata

NUMBERS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
WORDS = "Georgia, 'DejaVu Serif', 'Times New Roman', serif"
CELL = 0.62  # of a monospaced font, in em
BOLD = 1.18  # how much wider the letters of a bold text are
ABOVE, BELOW = 0.95, 0.25  # what a text takes above and below its base line, in em

_NARROW = dict.fromkeys("ijl|!.,:;' ", 0.42) | dict.fromkeys("()[]/ft-r", 0.53)
_WIDE = dict.fromkeys("mwMWOQGDHNKURA@%→", 1.04) | dict.fromkeys("#&^~×+=−÷<>∞ω", 0.9)


def number_width(text: str, size: float) -> float:
    """The width of a text in the monospaced font at that size."""
    return size * sum(_full(letter) or CELL for letter in text)


def word_width(text: str, size: float, bold: bool = False) -> float:
    """An upper bound of the width of a text in the serif font at that size."""
    size *= BOLD if bold else 1.0
    return size * sum(
        _full(letter) or _NARROW.get(letter) or _WIDE.get(letter) or _letter(letter) for letter in text
    )


def _full(letter: str) -> float:
    """The width of an East Asian letter, 0 for others."""
    return 1.06 if unicodedata.east_asian_width(letter) in "WF" else 0.0


def _letter(letter: str) -> float:
    return 0.82 if letter.isupper() else 0.7
