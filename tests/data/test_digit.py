"""A picture of a digit, however it was made, comes out as MNIST has its images."""

import os
import struct
import sys
import zlib

import numpy as np
import pytest

pytest.importorskip("PIL")
from PIL import Image, ImageDraw

from backprop import TwoLayerNet, load_mnist_sample, train
from backprop.data import DataError, load_digit

(X, T), (X_TEST, T_TEST) = load_mnist_sample()
COUNT = 200
PIXELS = (X_TEST[:COUNT] * 255).round().astype("uint8").reshape(-1, 28, 28)


@pytest.fixture(scope="module")
def net():
    net = TwoLayerNet(rng=0)
    train(net, X, T, epochs=20, learning_rate=0.3, rng=0, evaluate_every=None)
    return net


def larger(pixels):
    return np.asarray(Image.fromarray(pixels).resize((280, 280), Image.Resampling.BICUBIC))


def on_paper(pixels):
    """A photograph: grey ink on paper that is darker towards one side, off centre, with noise."""
    paper = np.full((420, 360), 225.0) - np.linspace(0, 40, 420)[:, None]
    paper[30:310, 60:340] -= 0.6 * larger(pixels)
    return (paper + np.random.default_rng(0).normal(0, 2, paper.shape)).clip(0, 255).astype("uint8")


WAYS = {
    "as it is": (lambda pixels: Image.fromarray(pixels), "png", 0.0),
    "larger": (lambda pixels: Image.fromarray(larger(pixels)), "png", 0.01),
    "dark on white": (lambda pixels: Image.fromarray(255 - larger(pixels)), "png", 0.01),
    "jpeg": (lambda pixels: Image.fromarray(255 - larger(pixels)), "jpeg", 0.01),
    "shifted": (lambda pixels: Image.fromarray(np.pad(pixels, ((40, 3), (2, 50)))), "png", 0.01),
    "photograph": (lambda pixels: Image.fromarray(on_paper(pixels)), "jpeg", 0.015),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_network_reads_the_pictures_as_it_reads_the_images(way, net, tmp_path):
    make, suffix, loss = WAYS[way]
    found = []
    for index, pixels in enumerate(PIXELS):
        path = tmp_path / f"{index}.{suffix}"
        make(pixels).save(path)
        found.append(load_digit(path))
    found = np.concatenate(found)
    assert found.shape == (COUNT, 784) and found.dtype == np.float32
    assert found.min() >= 0.0 and found.max(axis=1).min() > 0.9 and found.max() <= 1.0
    accuracy = net.accuracy(X_TEST[:COUNT], T_TEST[:COUNT])
    assert net.accuracy(found, T_TEST[:COUNT]) >= accuracy - loss
    if way == "as it is":
        assert np.mean(np.abs(found - X_TEST[:COUNT]).max(axis=1) == 0.0) > 0.5
        assert np.abs(found - X_TEST[:COUNT]).mean() < 0.02


def seven(mode, background, ink, size=(200, 260)):
    image = Image.new(mode, size, background)
    ImageDraw.Draw(image).line([(50, 60), (150, 66), (90, 210)], fill=ink, width=18, joint="curve")
    return image


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    path = tmp_path_factory.mktemp("usual") / "seven.png"
    seven("L", 255, 0).save(path)
    return load_digit(path)


IMAGES = {
    "light on dark": lambda: seven("L", 10, 250),
    "colour": lambda: seven("RGB", (240, 235, 200), (20, 40, 160)),
    "one bit": lambda: seven("1", 1, 0),
    "palette": lambda: seven("RGB", (255, 255, 255), (200, 0, 0)).convert("P"),
    "CMYK": lambda: seven("RGB", (255, 255, 255), (0, 0, 0)).convert("CMYK"),
    "16 bits": lambda: Image.fromarray(np.asarray(seven("L", 255, 0)).astype("uint16") * 257),
    "black ink on nothing": lambda: seven("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)),
    "white ink on nothing": lambda: seven("RGBA", (255, 255, 255, 0), (255, 255, 255, 255)),
    "grey with alpha": lambda: seven("LA", (0, 0), (60, 255)),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_every_kind_of_picture_shows_the_same_digit(kind, usual, tmp_path):
    path = tmp_path / ("seven.tif" if kind in ("CMYK", "16 bits") else "seven.png")
    IMAGES[kind]().save(path)
    assert np.abs(load_digit(path) - usual).mean() < 0.02


def test_the_orientation_of_a_photograph_is_followed(usual, tmp_path):
    image = seven("L", 255, 0).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by a quarter clockwise to see it
    image.save(tmp_path / "seven.jpg", exif=exif, quality=95)
    assert np.abs(load_digit(tmp_path / "seven.jpg") - usual).mean() < 0.02


def test_the_digit_is_centred_by_its_mass_and_20_pixels_long(usual):
    image = usual.reshape(28, 28)
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    assert max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 == 20
    centre = [(image.sum(axis=axis) @ np.arange(28)) / image.sum() for axis in (1, 0)]
    assert np.abs(np.array(centre) - 14.0).max() <= 0.5


def test_a_speck_and_a_shadow_do_not_count(usual, tmp_path):
    image = np.asarray(seven("L", 255, 0)).astype(float)
    image = image - np.linspace(0, 60, image.shape[1])  # a shadow across the paper
    image[240:243, 20:23] = 0  # and a speck of dust
    Image.fromarray(image.clip(0, 255).astype("uint8")).save(tmp_path / "seven.png")
    assert np.abs(load_digit(tmp_path / "seven.png") - usual).mean() < 0.02


def huge(width, height):
    """A PNG whose header promises a size, and that has no pixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


BROKEN = {
    "text": (b"not a picture", "is no picture that Pillow can read; save it as PNG"),
    "nothing": (b"", "is no picture"),
    "huge": (huge(60_000, 60_000), "must have at most 89,478,485 pixels"),
    "large": (huge(10_000, 10_000), "must have at most 89,478,485 pixels"),
    "promised": (huge(100, 100), "cannot be read: "),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n", "is EPS"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_picture_is_told_in_one_line(name, tmp_path):
    content, words = BROKEN[name]
    path = tmp_path / "seven.png"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_digit(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {words}") and len(message) < 200 + len(str(path))


def test_a_picture_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "seven.png"
    seven("L", 255, 0).save(path)
    content = path.read_bytes()
    for end in range(20, len(content) - 12, len(content) // 9):
        path.write_bytes(content[:end])
        with pytest.raises(DataError, match=r"cannot be read: |is no picture"):
            load_digit(path)


@pytest.mark.parametrize("grey", [0, 128, 255])
@pytest.mark.parametrize("size", [(1, 1), (28, 28), (300, 200)])
def test_a_blank_picture_shows_no_digit(grey, size, tmp_path):
    Image.new("L", size, grey).save(tmp_path / "blank.png")
    with pytest.raises(DataError, match="shows no digit, as nothing stands out from the background; use a"):
        load_digit(tmp_path / "blank.png")


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        load_digit(tmp_path / "none.png")
    with pytest.raises(DataError, match="is a directory"):
        load_digit(tmp_path)
    if not hasattr(os, "mkfifo"):
        return
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="is a pipe"):
        load_digit(tmp_path / "pipe")
    for wrong in (3, None, b"seven.png", "", "a\0b"):
        with pytest.raises((TypeError, ValueError), match="^load_digit: path must "):
            load_digit(wrong)


def test_without_pillow_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError, match=r"needs Pillow .*: pip install pillow$"):
        load_digit(tmp_path / "seven.png")
