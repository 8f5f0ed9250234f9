"""The common parts of all pictures: colours that colour-blind readers can tell apart, figure, file."""

from collections.abc import Sequence
from functools import partial
from io import BytesIO
from os import PathLike, fspath
from typing import Any

from backends import shown
from backprop.plots.title import require_drawable
from backprop.reporting.files import write

SUFFIXES = (".pdf", ".png", ".svg")
COLOURS = ("#1f5fa8", "#d9622b", "#2e8b57", "#8e5ea2")  # of lines, in order
INK, GREY, PALE = "#333333", "#b5b5b5", "#e6e6e6"  # of text, of axes, of the grid
DPI, SCREEN_DPI = 150, 110  # of a file, and in a notebook
LETTER = 0.087  # width of a letter in a title, in inches
Size = tuple[float, float]  # inches


def missing() -> str | None:
    """Return why no picture can be drawn and what to install, or None if matplotlib works."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        return f"needs matplotlib ({error}): pip install matplotlib"
    except Exception as error:  # a setting that it refuses, such as MPLBACKEND
        return f"needs matplotlib, which cannot be used: {shown(error, 80)}"
    return None


def new_figure(where: str, size: Size, title: Sequence[str] = (), pad: float = 0.08) -> Any:
    """Return an empty white figure, wide enough for the lines of its title.

    Raises ImportError without matplotlib, ValueError for a title that matplotlib cannot draw.
    """
    problem = missing()
    if problem:
        raise ImportError(f"{where} {problem}")
    require_drawable(where, title)
    # Not pyplot, which looks for a window system.
    from matplotlib.figure import Figure

    widest = max(map(len, title), default=0)
    size = max(size[0], 0.2 + LETTER * widest), size[1]
    figure: Any = Figure(figsize=size, dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained", h_pad=pad, w_pad=pad)
    if title:
        figure.suptitle("\n".join(title), x=0.012, ha="left", fontsize=10, color=INK)
    figure._repr_png_ = partial(_png, figure)  # shown in a notebook even if pyplot is not in use
    return figure


def style(panel: Any) -> None:
    """Style a panel: a pale grid behind, two thin axes, small numbers."""
    panel.set_facecolor("white")
    panel.grid(color=PALE, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.tick_params(length=0, labelsize=8, labelcolor=INK)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(GREY)


def write_centred(panel: Any, words: str) -> None:
    """Write words in the middle of a panel that has nothing to draw."""
    panel.text(0.5, 0.5, words, transform=panel.transAxes, ha="center", va="center", fontsize=9, color=INK)


def save(figure: Any, file: str | PathLike[str] | None) -> Any:
    """Write a figure in the format of the file's suffix and return it. Equal figures give equal bytes.

    Raises ValueError for another suffix, OSError if the file cannot be written.
    """
    if file is None:
        return figure
    if not isinstance(file, str | PathLike):
        cure = "leave it out and call savefig(file) of the figure"
        raise TypeError(f"plot: file must be a path, such as 'a.png', got {shown(file)}; {cure}")
    suffix = next((known for known in SUFFIXES if fspath(file).lower().endswith(known)), None)
    if suffix is None:
        raise ValueError(f"plot: file must end in one of {', '.join(SUFFIXES)}, got {file}")
    import matplotlib

    date = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {"Software": None}}[suffix]
    # Text stays text, so it can be searched and read aloud.
    with matplotlib.rc_context({"svg.hashsalt": "backprop", "svg.fonttype": "none", "pdf.fonttype": 42}):
        buffer = BytesIO()
        figure.savefig(buffer, format=suffix[1:], metadata=date)
    try:
        write(file, buffer.getvalue())
    except FileNotFoundError as error:
        rule = "plot: the folder of the file does not exist; create it first"
        raise FileNotFoundError(error.errno, rule, fspath(file)) from None
    return figure


def _png(figure: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=SCREEN_DPI, metadata={"Software": None})
    return buffer.getvalue()
