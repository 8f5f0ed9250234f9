"""The picture of the windows is the one that its code draws, and shows what Conv2D does."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from backprop.layers import Conv2D
from docs import windows

SVG = "{http://www.w3.org/2000/svg}"


def test_the_committed_picture_is_drawn_by_its_code():
    assert Path(windows.FILE).read_text(encoding="utf-8") == windows.picture()


def texts():
    """Every text of the picture with its place."""
    root = ElementTree.fromstring(windows.picture())
    return [(text.text, float(text.get("x")), float(text.get("y"))) for text in root.iter(f"{SVG}text")]


def test_the_terms_of_each_pixel_are_those_of_the_layer():
    """With one weight and one output gradient at 1, dx is 1 where the picture has their product, else 0."""
    drawn = [text for text in texts() if re.fullmatch(r"[pqrs]g[₀-₃]", text[0]) and text[1] < 290]
    assert len(drawn) == 16
    for text, x, y in drawn:
        W, dout = np.zeros(4), np.zeros(4)
        W["pqrs".index(text[0])] = dout["₀₁₂₃".index(text[2])] = 1.0
        layer = Conv2D(W.reshape(1, 1, 2, 2), np.zeros(1))
        layer.forward(np.ones((1, 1, 3, 3)))
        dx = layer.backward(dout.reshape(1, 1, 2, 2))[0, 0]
        row, column = int((y - windows.BACKWARD - 12) // windows.LARGE), int((x - 24) // windows.LARGE)
        assert dx[row, column] == 1.0 == dx.sum()


def test_no_text_leaves_the_picture():
    for text, x, y in texts():
        half = 0.31 * 16 * len(text)
        assert half < x < windows.WIDTH - half and 16 < y < windows.HEIGHT
