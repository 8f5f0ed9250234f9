"""Which data `backprop train` takes and what it says of them, and what `backprop info` says."""

import gzip
import hashlib
import json
import os
import re
import zlib

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

from backprop.data.known import FASHION_MNIST, MNIST

FALLBACK = "using the bundled sample instead of MNIST: "
BRIEF = ("--iterations", 1, "--hidden", 2)


@pytest.fixture
def variable(monkeypatch):
    return lambda value: monkeypatch.setenv("BACKPROP_DATA_DIR", str(value))


def data_line(ran):
    (line,) = [line for line in ran.lines if line.startswith("data: ")]
    return line


@pytest.mark.parametrize("data", ["auto", "mnist"])
@pytest.mark.parametrize("way", ["option", "variable"])
def test_files_are_taken_where_they_are(call, mnist, variable, data, way):
    variable(mnist if way == "variable" else mnist.parent)
    option = ["--data-dir", mnist] if way == "option" else []
    ran = call("train", "--data", data, *option, *BRIEF, "--batch-size", 3)
    assert ran.code == 0
    assert data_line(ran) == f"data: images and labels in {mnist}: 6 training and 4 test images"


@pytest.mark.parametrize("known", [True, False], ids=["MNIST", "others"])
def test_mnist_is_called_mnist_and_other_images_are_not(call, mnist, tmp_path, monkeypatch, known):
    pytest.importorskip("matplotlib")
    json_file, titles = tmp_path / "run.json", []

    def plot_weights(net, file, title):
        titles.append(title)
        file.touch()

    monkeypatch.setattr("backprop.plots.plot_weights", plot_weights)
    if known:
        names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        content = [(mnist / f"{name}-ubyte").read_bytes() for name in names]
        monkeypatch.setattr(MNIST, "contents", tuple((zlib.crc32(data), len(data)) for data in content))
    outputs = ("--json", json_file, "--plot-weights", tmp_path / "weights.svg")
    ran = call("train", "--data-dir", mnist, *BRIEF, *outputs)
    assert ran.code == 0, ran.err
    source = f"MNIST in {mnist}" if known else f"images and labels in {mnist}"
    assert data_line(ran) == f"data: {source}: 6 training and 4 test images"
    assert json.loads(json_file.read_text())["data"] == source
    (title,) = titles
    assert title.endswith("on 6 images of MNIST" if known else "on 6 images")


@pytest.mark.parametrize("spoil", ["missing", "lacking", "corrupt", "swapped"])
@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_directory_that_is_named_insists_unless_auto_is_typed(call, mnist, variable, way, spoil):
    named = mnist
    images, labels = mnist / "train-images-idx3-ubyte", mnist / "train-labels-idx1-ubyte"
    if spoil == "missing":
        named = mnist / "nowhere"
    elif spoil == "lacking":
        images.unlink()
    elif spoil == "corrupt":
        images.write_bytes(gzip.compress(images.read_bytes())[:-9])
    else:
        content = images.read_bytes()
        images.write_bytes(labels.read_bytes())
        labels.write_bytes(content)
    option = ["--data-dir", named] if way == "option" else []
    if way == "variable":
        variable(named)
    ran = call("train", *option, *BRIEF)
    assert ran.code == 3
    assert ran.error.startswith(f"backprop train: {named}")
    origin = "--data-dir" if way == "option" else "BACKPROP_DATA_DIR"
    assert (f": {origin} " in ran.error) == (spoil in ("missing", "lacking"))
    assert "data_dir" not in ran.error
    ran = call("train", "--data", "auto", *option, *BRIEF)
    (line,) = ran.err.splitlines()
    assert ran.code == 0 and line.startswith(FALLBACK) and str(named) in line
    assert data_line(ran) == "data: the bundled sample of MNIST: 4,000 training and 1,000 test images"


def test_mnist_insists(call, tmp_path):
    ran = call("train", "--data", "mnist", *BRIEF)
    assert ran.code == 3 and "MNIST could not be downloaded" in ran.error
    assert ran.error.endswith("; connect to the network, set BACKPROP_DATA_DIR, or use --data sample")


def test_where_nothing_is_named_the_sample_does_without_a_network(call):
    ran = call("train", *BRIEF)
    (line,) = ran.err.splitlines()
    assert ran.code == 0 and line.startswith(FALLBACK) and "MNIST could not be downloaded" in line


def test_quiet_does_not_hide_that_the_sample_takes_the_place_of_mnist(call):
    ran = call("train", "--quiet", *BRIEF)
    assert ran.code == 0 and ran.error.startswith(FALLBACK)
    assert len(ran.lines) == 1 and ran.out.startswith("accuracy on the sample: ")


def test_the_option_and_the_variable_are_refused_in_the_same_words(call, tmp_path, variable):
    nowhere = tmp_path / "nowhere"
    by_option = call("train", "--data-dir", nowhere, *BRIEF)
    variable(nowhere)
    by_variable = call("train", *BRIEF)
    assert by_option.code == by_variable.code == 3
    assert (
        by_option.error.replace("omit --data-dir", "unset BACKPROP_DATA_DIR").replace(
            "--data-dir", "BACKPROP_DATA_DIR"
        )
        == by_variable.error
    )


def test_the_option_goes_before_the_variable(call, mnist, tmp_path, variable):
    variable(tmp_path / "nowhere")
    assert call("train", "--data-dir", mnist, *BRIEF).code == 0


@pytest.mark.parametrize("directory", ["", "a\0b"], ids=ascii)
def test_a_directory_has_a_name(call, directory, mnist, monkeypatch):
    monkeypatch.chdir(mnist)
    ran = call("train", "--data-dir", directory, *BRIEF)
    assert ran.code == 2 and "--data-dir must name a directory, got " in ran.error


def test_a_directory_is_of_no_use_to_the_sample(call, tmp_path):
    ran = call("train", "--data", "sample", "--data-dir", tmp_path)
    assert ran.code == 2
    assert "--data-dir has no effect with --data sample" in ran.error


def test_a_variable_is_of_no_use_to_the_sample_and_does_no_harm(call, tmp_path, variable):
    variable(tmp_path / "nowhere")
    assert call("train", "--data", "sample", *BRIEF).code == 0


def test_a_directory_whose_name_is_no_text(call_outside, mnist):
    directory = os.fsencode(mnist.parent) + b"/\xff"
    os.rename(mnist, directory)
    ran = call_outside("train", "--data-dir", os.fsdecode(directory), *BRIEF)
    assert (ran.code, ran.err) == (0, "")
    assert "/\ufffd: 6 training and 4 test images" in data_line(ran)


@pytest.fixture
def clothes(mnist, monkeypatch):
    """A directory with stand-ins for Fashion-MNIST's four .gz files, with its checksums."""
    folder, sums = mnist.parent / "clothes", {}
    folder.mkdir()
    for name in FASHION_MNIST.sha256:
        data = gzip.compress((mnist / name.removesuffix(".gz")).read_bytes(), mtime=0)
        (folder / name).write_bytes(data)
        sums[name] = hashlib.sha256(data).hexdigest()
    monkeypatch.setattr(FASHION_MNIST, "sha256", sums)
    return folder


@pytest.mark.parametrize("way", ["option", "variable"])
def test_fashion_mnist_is_named_and_its_classes_too(call, clothes, mnist, variable, way, tmp_path):
    pytest.importorskip("matplotlib")
    option = ["--data-dir", clothes] if way == "option" else []
    if way == "variable":
        clothes = clothes.rename(mnist / "fashion-mnist")
        variable(mnist)
    picture = tmp_path / "mistakes.svg"
    ran = call("train", "--data", "fashion-mnist", *option, *BRIEF, "--plot-mistakes", picture)
    assert (ran.code, ran.err) == (0, "")
    assert data_line(ran) == f"data: Fashion-MNIST in {clothes}: 6 training and 4 test images"
    drawn = picture.read_text()
    assert "on 6 images of Fashion-MNIST" in drawn and ("Pullover →" in drawn or "Dress →" in drawn)


def test_no_other_set_takes_the_place_of_fashion_mnist(call, clothes, mnist):
    ran = call("train", "--data", "fashion-mnist", "--data-dir", mnist, *BRIEF)
    assert ran.code == 3 and "cannot be told to be Fashion-MNIST's; " in ran.error
    ran = call("train", "--data-dir", clothes, *BRIEF)
    assert ran.code == 3 and ran.error.endswith(
        ": --data-dir holds Fashion-MNIST by its checksums, not MNIST; "
        "use --data fashion-mnist, or name another directory"
    )
    ran = call("train", "--data", "fashion-mnist", *BRIEF)
    assert ran.code == 3 and "Fashion-MNIST could not be downloaded to " in ran.error
    assert ran.error.endswith("; connect to the network, or pass its directory as --data-dir")


@pytest.fixture
def told(call):
    def run():
        ran = call("info")
        assert (ran.code, ran.err) == (0, "")
        told = re.split(r"\n(?! )", ran.out.rstrip())
        return {fact.split()[0]: re.sub(r"\n +", " ", fact[10:]) for fact in told}

    return run


def test_info_says_what_the_directories_hold(told, mnist, variable, monkeypatch):
    facts = told()
    assert facts["data"] == "BACKPROP_DATA_DIR is not set"
    assert facts["cache"].endswith(": missing")
    variable(mnist)
    assert told()["data"] == f"BACKPROP_DATA_DIR={mnist}: 6 + 4 images by the headers"
    (mnist / "t10k-images-idx3-ubyte").write_bytes(b"\x1f\x8b")
    facts = told()["data"]
    assert facts.startswith(f"BACKPROP_DATA_DIR={mnist}: unusable: t10k-images-idx3-ubyte: damaged gzip: ")
    (mnist / "fashion-mnist").mkdir()
    assert told()["fashion"] == f"in BACKPROP_DATA_DIR, {mnist}/fashion-mnist: empty"
    variable(mnist / "nowhere")
    assert told()["data"] == f"BACKPROP_DATA_DIR={mnist}/nowhere: missing"
