"""Images of weights: white is zero, red positive, blue negative, on one scale for all."""

from collections.abc import Sequence
from math import inf
from typing import Any

from backprop.plots.canvas import INK
from backprop.plots.pixels import draw_grid

CLIPPED = 0.002  # fraction of weights beyond the colour scale; scaling to the largest would pale the rest
NO_NUMBER = "every weight is NaN or infinite"


def end_of_scale(*arrays: Any) -> float | None:
    """Return the magnitude that all but a few weights stay below, or None if no weight is finite."""
    sizes = sorted(size for W in arrays for size in abs(W[abs(W) < inf]).ravel().tolist())
    if not sizes:
        return None
    return sizes[min(len(sizes) - 1, int((1.0 - CLIPPED) * len(sizes)))] or 1.0


def draw_signed(panel: Any, images: Any, names: Sequence[str], columns: int, end: float) -> Any:
    """Draw images (N, height, width) in a grid, and mark those that are not finite."""
    finite = [bool((abs(image) < inf).all()) for image in images]
    captions = [name if known else f"{name}: nan" for name, known in zip(names, finite, strict=True)]
    return draw_grid(panel, images, captions, columns, cmap="RdBu_r", vmin=-end, vmax=end)


def add_scale(figure: Any, drawn: Any, panels: Any, height: float) -> None:
    """Add the colour scale beside the panels.  height: of the grid, in inches."""
    bar = figure.colorbar(drawn, ax=panels, extend="both", shrink=min(1.0, 2.2 / height), aspect=16, pad=0.01)
    bar.set_label("weight", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7, labelcolor=INK, length=0)
    bar.outline.set_visible(False)
