"""The title of a picture: one string or several, checked."""

from collections.abc import Sequence

from backends import is_line, shown

LETTERS, LINES = 200, 20  # the most a title may have, since the figure grows with it


def title_lines(where: str, title: str | Sequence[str]) -> list[str]:
    """Return the lines of a title. Raises TypeError if it is not text, ValueError if it is too long.

    >>> title_lines("plot", "My run"), title_lines("plot", ["My run", "of today"]), title_lines("plot", "")
    (['My run'], ['My run', 'of today'], [])
    """
    texts = [title] if isinstance(title, str) else title
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{where}: title must be a string or a list of strings, got {shown(title)}")
    lines = [line for text in texts for line in text.splitlines()]
    if len(lines) > LINES or any(len(line) > LETTERS for line in lines):
        got = f"{len(lines)} lines of up to {max(map(len, lines))} letters"
        raise ValueError(f"{where}: title must have at most {LINES} lines of {LETTERS} letters, got {got}")
    for line in lines:
        if not is_line(line):
            raise ValueError(f"{where}: title must be printable text, got {shown(line)}")
    return lines


def require_drawable(where: str, lines: Sequence[str], what: str = "title") -> None:
    """Raise ValueError for a formula that matplotlib cannot draw."""
    from matplotlib.cbook import is_math_text
    from matplotlib.mathtext import MathTextParser

    for line in lines:
        try:
            if is_math_text(line):
                MathTextParser("path").parse(line)
        except (ValueError, RuntimeError):
            cure = r"write a plain dollar sign as \$"
            raise ValueError(
                f"{where}: {what} must have only formulas that matplotlib can draw, got {shown(line)}; {cure}"
            ) from None
