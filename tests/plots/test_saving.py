"""A picture is written whole, or the old file stays."""

import os
from io import BytesIO

import pytest

from backprop.plots import plot_history
from backprop.training import History

HISTORY = History([2.0], [0, 1], [0.1, 0.2], [0.1, 0.2])


@pytest.mark.parametrize(("suffix", "head"), [("svg", b"<?xml"), ("PNG", b"\x89PNG"), ("pdf", b"%PDF")])
def test_a_picture_is_written_by_its_suffix_through_a_link(tmp_path, suffix, head):
    link, target = tmp_path / f"link.{suffix}", tmp_path / "target"
    link.symlink_to(target)
    plot_history(HISTORY, link)
    assert link.is_symlink() and target.read_bytes().startswith(head)


def test_a_full_disk_leaves_the_picture_that_was_there(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    file = tmp_path / "curves.svg"
    file.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        plot_history(HISTORY, file)
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_named_with_the_cure(tmp_path):
    file = tmp_path / "no" / "a.png"
    with pytest.raises(
        FileNotFoundError, match="plot: the folder of the file does not exist; create it"
    ) as no:
        HISTORY.plot(file)
    assert no.value.filename == str(file) and repr(str(file)) in str(no.value)


@pytest.mark.parametrize("file", [BytesIO(), 3, b"a.png"])
def test_what_is_no_name_of_a_file_is_refused_with_the_way_to_write_into_it(file):
    with pytest.raises(
        TypeError, match=r"^plot: file must be a path, such as 'a.png', got .*savefig\(file\)"
    ):
        HISTORY.plot(file)
