"""Pictures of a training and of what it made: curves, misread digits, weights. They need matplotlib.

history.py      loss and accuracies of a `History`; `History.plot` calls it
curves.py       the numbers that it takes of one
mistakes.py     the images that a network misreads, the surest first
weights.py      the weights of its first layer, an image for each hidden unit
pixels.py       a grid of images
title.py        the lines above a picture
canvas.py       what all pictures share: colours, axes, the file; it looks for matplotlib

Each function returns a `matplotlib.figure.Figure`, which a notebook shows, and writes it to `file` if one is
named: png, svg or pdf. pyplot is not used, so nothing here opens a window or keeps a figure.
"""

from backprop.plots.history import plot_history
from backprop.plots.mistakes import plot_mistakes
from backprop.plots.weights import plot_weights

__all__ = ["plot_history", "plot_mistakes", "plot_weights"]
