"""A file is written whole or not at all: whatever ends the writing, what was there stays as it was."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from backprop.reporting.files import reserve, write

resource = pytest.importorskip("resource")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def old(tmp_path):
    """A file that holds something."""
    file = tmp_path / "run.json"
    file.write_text("old")
    return file


def outside(code, *arguments, **options):
    """Run a program in another process; it imports the module as `files`."""
    code = f"import os, sys\nfrom backprop.reporting import files\n{code}"
    options = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], **options)


@pytest.mark.parametrize(("content", "expected"), [("é\n", b"\xc3\xa9\n"), (b"\0\r\n", b"\0\r\n"), ("", b"")])
def test_what_is_written_is_there_and_nothing_else(old, content, expected):
    for file in (old, old.with_name("new.json"), old.with_name("n" * 255)):
        write(file, content)
        assert file.read_bytes() == expected
    assert len(list(old.parent.iterdir())) == 3


@pytest.mark.parametrize("kind", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_fails_or_is_interrupted_leaves_the_file_as_it_was(old, monkeypatch, call, kind):
    def fail(*arguments):
        raise kind

    monkeypatch.setattr(os, call, fail)
    for file in (old, old.with_name("new.json")):
        with pytest.raises(type(kind)):
            write(file, "new")
    assert list(old.parent.iterdir()) == [old] and old.read_text() == "old"


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EPERM, errno.EACCES])
def test_what_cannot_be_moved_is_kept_beside_it_and_the_error_says_where(old, monkeypatch, number):
    """As where the file is mounted by itself, or another user's in a sticky folder."""

    def fail(source, target):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match=r"run\.json\..*\.kept") as raised:
        write(old, "new")
    (kept,) = set(old.parent.iterdir()) - {old}
    assert (old.read_text(), kept.read_text()) == ("old", "new")
    assert str(kept) in raised.value.strerror


def test_a_limit_of_the_size_leaves_the_file_as_it_was(old):
    program = outside(
        "files.write(sys.argv[1], 'x' * 10**6)",
        old,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
    )
    _, err = program.communicate(timeout=60)
    assert program.returncode == 1 and "File too large" in err
    assert list(old.parent.iterdir()) == [old] and old.read_text() == "old"


def test_a_kill_in_the_middle_leaves_the_file_as_it_was(old):
    program = outside(
        "os.fsync = lambda descriptor: print('written', flush=True) or sys.stdin.read()\n"
        "files.write(sys.argv[1], 'new')",
        old,
        stdin=subprocess.PIPE,
    )
    with program:
        assert program.stdout.readline() == "written\n"
        program.send_signal(signal.SIGKILL)
    assert old.read_text() == "old"
    (left,) = set(old.parent.iterdir()) - {old}
    assert left.name.startswith("run.json.") and left.suffix == ".part", "a name that tells what it is"


def test_a_mode_is_kept_and_a_new_file_has_that_of_the_umask(old):
    old.chmod(0o640)
    before = os.umask(0o027)
    try:
        for file, mode in ((old, 0o640), (old.with_name("new.json"), 0o640), (old.with_name("x"), 0o640)):
            write(file, "new")
            assert stat.S_IMODE(file.stat().st_mode) == mode
    finally:
        os.umask(before)
    old.chmod(0o604)
    write(old, "newer")
    assert stat.S_IMODE(old.stat().st_mode) == 0o604


@pytest.mark.parametrize("target", ["run.json", "to come.json"])
def test_a_link_stays_and_its_target_is_written(old, target):
    folder = old.parent / "links"
    folder.mkdir()
    link = folder / "link.json"
    link.symlink_to(f"../{target}")
    assert reserve(link) is None and link.is_symlink()
    write(link, "new")
    assert link.is_symlink() and old.with_name(target).read_text() == "new"
    assert list(folder.iterdir()) == [link]


REFUSED = {  # a name in a folder that has `file` and `loop`, and the reason
    "a folder": (".", "Is a directory"),
    "no such folder": ("no/run.json", "No such file or directory: "),
    "a file as folder": ("file/run.json", "Not a directory"),
    "a name too long": ("n" * 256, "File name too long"),
    "a link to itself": ("loop", "Too many levels of symbolic links"),
    "a link into no folder": ("astray", "No such file or directory: "),
    "a pipe that nobody reads": ("pipe", "no process reads from it"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_written_is_refused_before_and_then(tmp_path, kind):
    (tmp_path / "file").write_text("old")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "astray").symlink_to("no/run.json")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    name, reason = REFUSED[kind]
    for attempt in (reserve, lambda file: write(file, "new")):
        with pytest.raises(OSError) as refusal:
            attempt(tmp_path / name)
        assert refusal.value.strerror.startswith(reason)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("which", ["the folder", "the file"])
def test_what_is_read_only_is_refused(old, monkeypatch, which):
    """The system lets root write everywhere, so it is asked as for another user."""
    if which == "the folder":
        monkeypatch.setattr("builtins.open", denied)
    else:
        monkeypatch.setattr(os, "access", lambda file, mode: False)
    for attempt in (reserve, lambda file: write(file, "new")):
        with pytest.raises(PermissionError) as refusal:
            attempt(old)
        assert refusal.value.strerror.startswith("Permission denied")
    assert old.read_text() == "old"


def denied(file, mode="r"):
    raise PermissionError(13, "Permission denied", file)


def test_a_pipe_is_held_open_until_it_is_written(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with open(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        held = reserve(tmp_path / "pipe")
        assert reader.read() is None, "no end yet"
        write(tmp_path / "pipe", "new")
        os.close(held)
        assert reader.read() == b"new"


def test_devices_are_written_to(tmp_path):
    write("/dev/null", "new")
    with pytest.raises(OSError, match="No space left"):
        write("/dev/full", "new")


@pytest.mark.parametrize("stream", [1, 2])
def test_the_file_of_a_standard_stream_is_not_replaced(old, stream):
    with old.open("a") as opened:
        name = {1: "stdout", 2: "stderr"}[stream]
        program = outside(f"files.write('/dev/{name}', 'new')", **{name: opened})
        program.communicate(timeout=60)
    assert program.returncode == 0 and old.read_text() == "oldnew"
