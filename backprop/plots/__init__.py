"""Pictures of a training run and its result: curves, misread digits, weights. They need matplotlib.

::

    history.py      losses, accuracies and rates of a `History`; `History.plot` calls it
    curves.py       the lists of a `History` that are drawn, checked
    rate_range.py   the loss over the learning rate; `LearningRateRange.plot` calls it
    mistakes.py     the images that a network misreads, the most confident answers first
    weights.py      the weights of the first layer, an image per hidden unit
    filters.py      the filters of a convolution, before and after training
    signed.py       images of weights on one scale, with white for zero
    pixels.py       a grid of images
    title.py        the lines above a picture
    canvas.py       the common parts: colours, axes, the file, the search for matplotlib

Each function returns a `matplotlib.figure.Figure`, which a notebook shows, and also writes it to `file` if
given: png, svg or pdf. pyplot is not used, so no window opens and no figure stays in memory.
"""

from backprop.plots.filters import plot_filters
from backprop.plots.history import plot_history
from backprop.plots.mistakes import plot_mistakes
from backprop.plots.weights import plot_weights

__all__ = ["plot_filters", "plot_history", "plot_mistakes", "plot_weights"]
