"""Convolution in NumPy without copies of windows: small products, many in one call of `matmul`.

The formula copies every window into a column, which takes much of its time. Here images lie in memory as
(row, sample, column, channel), and are handed on as views (N, C, H, W) of that. So what is under one row of
the kernel is a run of width · C numbers, and for one place of the window the samples of a batch are the rows
of a matrix, which is a view of the images.

Two rows of the output are a tile. Several tiles are computed at a time, as many as stay in the cache. On the
way, they get their biases and pass through ReLU and the pooling. Threads share the batch, in parts.

In reading order:

geometry.py   the sizes of a convolution, and images with their padding in this layout
form.py       what the three ways to compute a convolution have in common
direct.py     the direct one, for any kernel and stride
winograd.py   for 3 × 3 and stride 1: four products of rows in place of six
narrow.py     for few channels, where rows of the kernel would be too short: another layout
pooling.py    ReLU and a pooling of 2 × 2 on tiles, and back
part.py       a part of the batch, and its memory
passes.py     the two passes over the parts
twins.py      the twins

The gradient of the image is itself a convolution: of the gradient of the output, spread by the stride and
surrounded by zeros, with the filters turned round (`Geometry.of_dx`, `spread`).
"""

from backends.numpy.conv2d import twins

__all__ = ["twins"]
