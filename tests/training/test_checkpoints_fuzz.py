"""Whatever stands in a checkpoint, a run goes on from it, or it is refused in one line."""

import os
import tracemalloc
import warnings

import numpy as np
import pytest

pytest.importorskip("hypothesis")
pytest.importorskip("safetensors")
from hypothesis import given, settings

from backprop import Sequential, train
from backprop.layers import Affine, BatchNorm, Dropout
from backprop.networks import FileError
from backprop.optimizers import Adam
from backprop.training import Diverged
from backprop.training import checkpoints as module
from tests.networks import tensor_files as files

OVERHEAD = 2**20  # bytes: of a run with its data, whatever the checkpoint
X, T = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
NAME = "iteration-0000000012.safetensors"


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def run(folder, resume=True):
    net = Sequential([Affine(3), BatchNorm(), Dropout(0.2), Affine(2)], 3, rng=0)
    options = {"shuffle": "epochs", "validation": 0.25, "patience": 9, "rng": 5, "batch_size": 6}
    train(net, X, T, iterations=12, optimizer=Adam(), checkpoint=folder, resume=resume, **options)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    run(folder, resume=False)
    return (folder / NAME).read_bytes()


def sealed(content):
    """Return the content with the checksum that it should have, if it has a place for one."""
    at = content.find(module.SEAL)
    if at < 0 or len(content) < at + len(module.SEAL) + 64:
        return content
    at += len(module.SEAL)
    blank = content[:at] + module.BLANK + content[at + 64 :]
    return blank[:at] + module.hashlib.sha256(blank).hexdigest().encode() + blank[at + 64 :]


def judge(folder, content):
    """Go on from a checkpoint of these bytes; return whether it was refused."""
    for path in folder.iterdir():
        path.unlink()
    (folder / NAME).write_bytes(content)
    tracemalloc.start()
    try:
        run(folder)
        return False
    except (FileError, Diverged) as error:
        assert str(error).startswith((str(folder), "train: ")) and len(str(error).splitlines()) == 1
    except ValueError as error:
        assert str(error).startswith(f"train: {folder}/{NAME} is of a run with")
    finally:
        assert tracemalloc.get_traced_memory()[1] <= 4 * len(content) + OVERHEAD
        tracemalloc.stop()
    return True


def fuzz(sound, folder, examples, seal):
    accepted = []

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True)
    @given(files.mutations, files.damages)
    def each(mutations, damages):
        header, numbers = files.taken_apart(sound)
        for mutation in mutations if seal else []:
            header = files.mutated(header, *mutation)
        content = files.put_together(header, numbers) if seal else sound
        for damage in damages:
            content = files.damaged(content, *damage)
        if not judge(folder, sealed(content) if seal else content):
            accepted.append(content)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # RuntimeWarnings of weights that are not finite any more
        each()
    return accepted


def test_no_damage_escapes_the_checksum(sound, tmp_path):
    assert {*fuzz(sound, tmp_path, 300, seal=False)} <= {sound}


def test_three_hundred_forged_checkpoints(sound, tmp_path):
    fuzz(sound, tmp_path, 300, seal=True)


@pytest.mark.slow
@pytest.mark.parametrize("examples", [5_000, 100_000])
@pytest.mark.parametrize("seal", [True, False])
def test_many_checkpoints(examples, seal, sound, tmp_path):
    accepted = fuzz(sound, tmp_path, examples // 2, seal)
    assert seal or {*accepted} <= {sound}


def test_the_sound_checkpoint_is_accepted(sound, tmp_path):
    assert not judge(tmp_path, sound)
    header, numbers = files.taken_apart(sound)
    assert not judge(tmp_path, sealed(files.put_together(header, numbers)))
