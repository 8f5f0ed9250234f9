"""`backprop predict`: what a network takes pictures and IDX files for."""

import gzip
import json
import struct

import numpy as np
import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")
pytest.importorskip("safetensors")
pytest.importorskip("PIL")
from PIL import Image

from backprop import Sequential, TwoLayerNet, load_mnist_sample, train
from backprop.cli.predict.images import shown
from backprop.layers import Affine
from backprop.losses import MeanSquaredError

(X, T), (X_TEST, T_TEST) = load_mnist_sample()
PIXELS = (X_TEST * 255).round().astype("uint8").reshape(-1, 28, 28)


@pytest.fixture(scope="module")
def net():
    net = TwoLayerNet(rng=0)
    train(net, X, T, epochs=5, learning_rate=0.3, rng=0, evaluate_every=None)
    return net


@pytest.fixture
def here(tmp_path, monkeypatch, net):
    monkeypatch.chdir(tmp_path)
    net.save("net.safetensors")
    return tmp_path


def idx(images):
    return struct.pack(">HBBIII", 0, 8, 3, *images.shape) + images.tobytes()


def document(file):
    return json.loads(file.read_text())


def test_a_picture_is_read_with_probability_and_runner_up(call, here, net):
    for index in range(3):
        Image.fromarray(255 - np.kron(PIXELS[index], np.ones((5, 5), "uint8"))).save(f"{index}.png")
    ran = call("predict", "net.safetensors", "0.png", "1.png", "2.png", "--json", "p.json")
    assert (ran.code, ran.err) == (0, "")
    found = document(here / "p.json")["images"]
    for index, (line, image) in enumerate(zip(ran.lines, found, strict=True)):
        probabilities = np.array(image["probabilities"])
        first, second = np.argsort(-probabilities)[:2]
        assert image["file"] == f"{index}.png" and image["index"] is None and image["label"] == first
        said = f"{first} ({probabilities[first]:.1%}), else {second} ({probabilities[second]:.1%})"
        assert line == f"{index}.png: {said}" and abs(probabilities.sum() - 1) < 1e-5
        assert first == int(net.predict_labels(X_TEST[index : index + 1])[0])


@pytest.mark.parametrize("zipped", [False, True])
def test_an_idx_file_is_read_image_by_image(call, here, net, zipped):
    content = idx(PIXELS[:200])
    (here / "images").write_bytes(gzip.compress(content) if zipped else content)
    ran = call("predict", "net.safetensors", "images", "--json", "p.json")
    assert ran.code == 0 and len(ran.lines) == 200
    assert ran.lines[17].startswith(f"images[17]: {net.predict_labels(X_TEST[17:18])[0]} (")
    found = document(here / "p.json")["images"]
    assert [image["label"] for image in found] == net.predict_labels(X_TEST[:200]).tolist()
    assert [image["index"] for image in found] == [*range(200)]
    assert np.allclose(
        [image["probabilities"] for image in found], net.predict_proba(X_TEST[:200]), atol=1e-6
    )


@pytest.mark.parametrize("suffix", ["ico", "tga", "jp2", "avif"])
def test_a_picture_that_begins_as_idx_does_is_read_as_a_picture(call, here, suffix):
    picture = Image.fromarray(255 - np.kron(PIXELS[0], np.ones((5, 5), "uint8")))
    picture.save("a.png")
    try:
        picture.save(f"a.{suffix}")
    except (KeyError, OSError):
        pytest.skip(f"this Pillow writes no {suffix}")
    assert (here / f"a.{suffix}").read_bytes()[:2] == b"\0\0"
    ran = call("predict", "net.safetensors", "a.png", f"a.{suffix}")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0].split()[1] == ran.lines[1].split()[1]


def test_an_image_is_never_overwritten(call, here):
    Image.fromarray(PIXELS[0]).save("a.png")
    before = (here / "a.png").read_bytes()
    ran = call("predict", "net.safetensors", "a.png", "--json", "./a.png")
    assert ran.code == 2 and "IMAGE and --json must be different files" in ran.error
    assert (here / "a.png").read_bytes() == before


def test_show_prints_what_the_network_sees(call, here):
    (here / "images").write_bytes(idx(PIXELS[:1]))
    ran = call("predict", "net.safetensors", "images", "--show")
    assert ran.lines[:28] == shown(X_TEST[0]).split("\n") and len(ran.lines) == 29
    inked = [[2 * x < len(line) and line[2 * x] != " " for x in range(28)] for line in ran.lines[:28]]
    assert (np.array(inked) == (X_TEST[0].reshape(28, 28) * 9 > 0.5)).all()
    assert max(map(len, ran.lines)) <= 80


def test_a_broken_image_is_told_and_the_others_are_read(call, here):
    Image.fromarray(PIXELS[0]).save("good.png")
    (here / "bad.png").write_bytes(b"\x89PNG but no more")
    (here / "cut").write_bytes(idx(PIXELS[:3])[:-1])
    Image.new("L", (50, 50), 255).save("blank.png")
    ran = call("predict", "net.safetensors", "bad.png", "none.png", "good.png", "cut", "blank.png", here)
    assert ran.code == 3 and len(ran.lines) == 1 and ran.lines[0].startswith("good.png: ")
    errors = ran.err.splitlines()
    assert [line.split(": ")[1] for line in errors[:4]] == ["bad.png", "none.png", "cut", "blank.png"]
    assert len(errors) == 5 and all(line.startswith("backprop predict: ") for line in errors)


def test_a_network_for_something_else_is_refused(call, here):
    Sequential([Affine(10)], 784, MeanSquaredError()).save("other.safetensors")
    Image.fromarray(PIXELS[0]).save("good.png")
    ran = call("predict", "other.safetensors", "good.png")
    assert ran.code == 2 and "must tell 10 classes apart" in ran.error
    ran = call("predict", "good.png", "good.png")
    assert ran.code == 3 and ran.error.startswith("backprop predict: good.png: is no safetensors file")


def test_without_pillow_one_line_says_what_to_install(call, here, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    (here / "seven.png").write_bytes(b"\x89PNG")
    ran = call("predict", "net.safetensors", "seven.png")
    assert ran.code == 3 and ran.error.endswith("pip install pillow")
