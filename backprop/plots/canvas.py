"""What all pictures share: colours that the colour-blind can tell apart, a figure, its file."""

from collections.abc import Sequence
from functools import partial
from io import BytesIO
from os import PathLike, fspath
from typing import Any

from backends import shown
from backprop.plots.title import require_drawable
from backprop.reporting.files import write

SUFFIXES = (".pdf", ".png", ".svg")
COLOURS = ("#1f5fa8", "#d9622b", "#2e8b57", "#8e5ea2")  # of lines, in their order
INK, GREY, PALE = "#333333", "#b5b5b5", "#e6e6e6"  # of text, of axes, of the grid
DPI, SCREEN_DPI = 150, 110  # of a file, and in a notebook
LETTER = 0.087  # inches that a letter of a title takes
Size = tuple[float, float]  # inches


def missing() -> str | None:
    """Why no picture can be drawn, and what is to be installed, in words; None where nothing is."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        return f"needs matplotlib ({error}): pip install matplotlib"
    except Exception as error:  # of a setting that it refuses, such as MPLBACKEND
        return f"needs matplotlib, which cannot be used: {shown(error, 80)}"
    return None


def new_figure(where: str, size: Size, title: Sequence[str] = (), pad: float = 0.08) -> Any:
    """An empty white figure with lines of text at its top, and wide enough for them.

    Raises ImportError without matplotlib, ValueError for a title that it cannot draw.
    """
    problem = missing()
    if problem:
        raise ImportError(f"{where} {problem}")
    require_drawable(where, title)
    # Why not pyplot: it would look for a window system, which a file has no need of.
    from matplotlib.figure import Figure

    widest = max(map(len, title), default=0)
    size = max(size[0], 0.2 + LETTER * widest), size[1]
    figure: Any = Figure(figsize=size, dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained", h_pad=pad, w_pad=pad)
    if title:
        figure.suptitle("\n".join(title), x=0.012, ha="left", fontsize=10, color=INK)
    figure._repr_png_ = partial(_png, figure)  # a notebook shows it, whether pyplot is in use or not
    return figure


def style(panel: Any) -> None:
    """Make a panel plain: a pale grid behind, two thin axes, small numbers."""
    panel.set_facecolor("white")
    panel.grid(color=PALE, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.tick_params(length=0, labelsize=8, labelcolor=INK)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(GREY)


def say(panel: Any, words: str) -> None:
    """Write words where there is nothing to draw."""
    panel.text(0.5, 0.5, words, transform=panel.transAxes, ha="center", va="center", fontsize=9, color=INK)


def save(figure: Any, file: str | PathLike[str] | None) -> Any:
    """Write a figure whole, the same bytes each time, in the format of its suffix; returns the figure.

    Raises ValueError for another suffix, OSError for a file that cannot be written.
    """
    if file is None:
        return figure
    if not isinstance(file, str | PathLike):
        cure = "the figure that is returned without a file has savefig(file)"
        raise TypeError(f"plot: file must be a name, such as 'a.png', got {shown(file)}; {cure}")
    suffix = next((known for known in SUFFIXES if fspath(file).lower().endswith(known)), None)
    if suffix is None:
        raise ValueError(f"plot: the file's name must end in one of {', '.join(SUFFIXES)}, got {file}")
    import matplotlib

    date = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {"Software": None}}[suffix]
    # Text stays text, which can be searched and read aloud.
    with matplotlib.rc_context({"svg.hashsalt": "backprop", "svg.fonttype": "none", "pdf.fonttype": 42}):
        buffer = BytesIO()
        figure.savefig(buffer, format=suffix[1:], metadata=date)
    write(file, buffer.getvalue())
    return figure


def _png(figure: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=SCREEN_DPI, metadata={"Software": None})
    return buffer.getvalue()
