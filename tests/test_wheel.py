"""The content of a wheel: the current files of the packages, and no leftovers of an earlier build."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("backends", "backprop")


def setuptools_is_new():
    try:
        return int(version("setuptools").split(".")[0]) >= 77
    except PackageNotFoundError:
        return False


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not setuptools_is_new(), reason="builds with the setuptools that is installed, >= 77"),
]


def build(kind, source, target):
    """The archive that setuptools builds: `kind` is wheel or sdist."""
    code = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
    target.mkdir()
    subprocess.run([sys.executable, "-c", code, target], cwd=source, check=True, capture_output=True)
    (archive,) = target.iterdir()
    return archive


@pytest.fixture
def source(tmp_path):
    """A copy of the project in which an earlier build has left a file of a package, and a package."""
    copied = tmp_path / "source"
    shutil.copytree(
        ROOT, copied, ignore=shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "private")
    )
    for stale in ("backprop/layers/removed.py", "backprop/removed/__init__.py", "removed.py"):
        file = copied / "build" / "lib" / stale
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return copied


def files_of(folder):
    """The files of the packages in a folder."""
    files = [path for package in PACKAGES for path in (folder / package).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix() for path in files if "__pycache__" not in path.parts}


def in_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_a_wheel_holds_what_is_there_now(source, tmp_path):
    assert in_wheel(build("wheel", source, tmp_path / "first")) == files_of(source)
    (source / "backprop" / "layers" / "relu.py").unlink()
    assert in_wheel(build("wheel", source, tmp_path / "second")) == files_of(source)


def test_a_wheel_of_the_source_distribution_holds_the_same(source, tmp_path):
    with tarfile.open(build("sdist", source, tmp_path / "sdist")) as archive:
        assert not [name for name in archive.getnames() if "removed" in name]
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert in_wheel(build("wheel", unpacked, tmp_path / "wheel")) == files_of(source)
