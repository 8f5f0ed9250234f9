"""The group of private scripts in the GPU report: all run, and a failure is shown without being ours."""

import pytest

from benchmarks.gpu_report import private
from benchmarks.gpu_report.document import Judgement
from benchmarks.gpu_report.groups import GROUPS
from benchmarks.gpu_report.processes import DONE, Ending
from benchmarks.gpu_report.rows import Recorder, found, read
from benchmarks.gpu_report.settings import REHEARSAL, Settings
from benchmarks.gpu_report.wrong import is_wrong

SETTINGS = Settings(limit=40.0)


@pytest.fixture
def run(tmp_path, capfd):
    """A function `run(scripts)`: the rows and the output for scripts given by name."""

    def run_scripts(scripts, settings=SETTINGS):
        folder = tmp_path / "private"
        folder.mkdir()
        for name, text in scripts.items():
            (folder / name).write_text(text)
        record = Recorder(tmp_path / "rows", "private")
        private.measure(record, settings, folder)
        return read(record.path), capfd.readouterr().out

    return run_scripts


def test_they_run_in_order_with_the_data_and_one_that_fails_is_shown(run, tmp_path):
    scripts = {
        "b.py": "import os; print('data in', os.environ['BACKPROP_DATA_DIR'])",
        "a.py": "print('before'); raise SystemExit('no such device')",
        "c.txt": "no script",
    }
    rows, printed = run(scripts, Settings(limit=40.0, mnist="/somewhere"))
    a, b = found(rows, "private")
    assert (a["name"], a["how"], a["status"]) == ("a.py", "exit status 1: no such device", 1)
    assert (b["name"], b["how"], b["output"]) == ("b.py", DONE, ["data in /somewhere"])
    assert "before\n" in printed and "data in /somewhere\n" in printed and "exit status 1: no such" in printed
    endings = {"private": Ending(DONE, 1.0)}
    assert GROUPS["private"].of_others and not is_wrong(rows, Judgement(rows, endings, False), endings)


def test_one_that_hangs_leaves_the_next_its_time(run):
    settings = Settings(limit=private.MARGIN + 4)
    rows, _ = run({"a.py": "import time; time.sleep(60)", "b.py": "print('there')"}, settings)
    assert [row["how"] for row in found(rows, "private")] == ["cut off after 2 s", DONE]


def test_none_is_one_line_and_no_failure(run):
    rows, printed = run({})
    assert rows == [] and len(printed.splitlines()) == 1 and "no script in" in printed


def test_a_rehearsal_compiles_them(run):
    rows, printed = run({"a.py": "raise SystemExit(1)", "b.py": "1 +"}, REHEARSAL)
    assert "a.py: compiled; not run in a rehearsal" in printed
    assert [(row["name"], row["reason"].partition(":")[0]) for row in rows] == [("b.py", "SyntaxError")]


def test_they_import_this_checkout_from_wherever_they_lie(run, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    (other / "backprop.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(other))
    rows, _ = run({"a.py": "import backprop; print(backprop.__file__)"})
    assert found(rows, "private")[0]["output"] == [str(private.CHECKOUT / "backprop" / "__init__.py")]
