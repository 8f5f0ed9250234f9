"""The group `tests` of the GPU report, on made-up tests: a folder whose process dies affects no other."""

from dataclasses import replace
from importlib.util import find_spec

import pytest

from benchmarks.gpu_report import gpu_tests
from benchmarks.gpu_report.document import Judgement
from benchmarks.gpu_report.groups import GROUPS
from benchmarks.gpu_report.processes import DONE
from benchmarks.gpu_report.rows import Recorder, found, read
from benchmarks.gpu_report.running import run_all
from benchmarks.gpu_report.settings import REHEARSAL, Settings
from benchmarks.gpu_report.tests_summary import summary
from benchmarks.gpu_report.wrong import is_wrong

DEADLY = """
import os, pytest
def test_good(): pass
def test_bad(): assert 1 == 2, "so it is"
@pytest.fixture
def broken(): raise ValueError
def test_of_broken(broken): pass
def test_deadly(): os.kill(os.getpid(), 9)
def test_late(): pass
"""
GOOD = "def test_of_a_good_folder(): pass\n"
SKIPPED = "import pytest\ndef test_that_is_skipped(): pytest.skip('for a reason')\n"


@pytest.fixture(params=[True, False], ids=["xdist", "one process"])
def with_xdist(request, monkeypatch):
    if request.param and find_spec("xdist") is None:
        pytest.skip("pytest-xdist is not installed")
    monkeypatch.setattr(gpu_tests, "WORKERS", 2 if request.param else 1)
    monkeypatch.setattr(gpu_tests, "TESTS_OF_A_WORKER", 1)
    monkeypatch.setattr(gpu_tests.os, "cpu_count", lambda: 16)
    return request.param


@pytest.fixture
def run(tmp_path):
    """A function `run(files)`: the rows, the summary and the output of made-up tests, given by path."""

    def run_tests(files, limit=60.0):
        for name, text in files.items():
            path = tmp_path / "made_up" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        settings = replace(REHEARSAL, tests=str(tmp_path / "made_up"), limit=limit)
        record = Recorder(tmp_path / "rows", "tests")
        gpu_tests.measure(record, settings)
        rows = read(record.path)
        return rows, summary(rows)

    return run_tests


def last(names):
    return sorted(name.rpartition("::")[2] for name in names)


def test_a_folder_that_dies_costs_itself_alone(with_xdist, run, capsys):
    files = {"a/test_a.py": GOOD, "b/test_b.py": DEADLY, "c/d/test_c.py": SKIPPED, "test_root.py": GOOD}
    rows, tests = run(files | {"none/helper.py": ""})
    endings = {row["name"].rpartition("made_up/")[2]: row["how"] for row in found(rows, "unit")}
    assert list(endings) == ["a", "b", "c", "test_root.py"]
    others = {name: how for name, how in endings.items() if name != "b"}
    assert set(others.values()) == {DONE}
    assert (tests.collected, tests.skipped) == (8, 1)
    texts = {name.rpartition("::")[2]: text for name, text in tests.failed.items()}
    assert "assert 1 == 2" in texts["test_bad"] and "so it is" in texts["test_bad"]
    words = tests.in_words()
    if with_xdist:  # a worker died and was replaced
        assert last(tests.failed) == ["test_bad", "test_deadly", "test_of_broken"]
        assert "crashed" in texts["test_deadly"]
        assert (tests.passed, tests.unfinished) == (4, 0)
    else:
        assert endings["b"] == "ended by SIGKILL"
        assert last(tests.failed) == ["test_bad", "test_of_broken"]
        assert last(tests.running) == ["test_deadly"] and tests.unfinished == 2
        assert tests.passed == 3
        assert "/b: ended by SIGKILL" in words and "::test_deadly" in words
    assert "so it is" in words
    assert "/c: done" in capsys.readouterr().out
    assert is_wrong(rows, Judgement(rows, {}, True), {})


def test_one_that_hangs_is_cut_off_and_the_later_ones_run(with_xdist, run, monkeypatch, capsys):
    monkeypatch.setattr(gpu_tests, "FEWEST", 15.0)
    hangs = "import time\ndef test_that_hangs(): time.sleep(60)\n"
    rows, tests = run({"a/test_a.py": hangs, "test_b.py": GOOD}, limit=gpu_tests.MARGIN + 30)
    assert [row["how"] for row in found(rows, "unit")] == ["cut off after 15 s", DONE]
    assert (tests.passed, tests.unfinished, last(tests.running)) == (1, 1, ["test_that_hangs"])
    assert "cut off after 15 s" in tests.in_words()
    assert is_wrong(rows, Judgement(rows, {}, True), {})


def test_what_the_time_does_not_reach_is_named(run):
    rows, tests = run({"test_a.py": GOOD}, limit=gpu_tests.MARGIN)
    assert [row["how"] for row in found(rows, "unit")] == ["not begun: the time was up"]
    assert tests.collected is None and "test_a.py: not begun" in tests.in_words()


def test_one_that_cannot_be_collected_is_a_failure_with_its_text(with_xdist, run):
    rows, tests = run({"test_a.py": "import no_such_module", "test_b.py": GOOD})
    assert [name.rpartition("/")[2] for name in tests.failed] == ["test_a.py"]
    assert "no_such_module" in tests.in_words()
    assert (tests.passed, tests.unfinished) == (1, 0)


def test_where_there_is_no_test_of_the_kind_nothing_is_wrong_unless_there_is_none_at_all(run):
    slow = "import pytest\npytestmark = pytest.mark.slow\ndef test_slow(): pass\n"
    ini = {"pytest.ini": "[pytest]\nmarkers = slow: made up"}
    rows, tests = run(ini | {"test_a.py": slow, "test_b.py": GOOD})
    assert not is_wrong(rows, Judgement(rows, {}, True), {})
    assert tests.counts() == "1 passed, 0 failed, 0 skipped, 0 not finished"
    rows = [row for row in rows if "test_b" not in row["name"]]
    assert is_wrong(rows, Judgement(rows, {}, True), {})


def test_how_long_each_took_and_why_one_was_skipped_is_kept(with_xdist, run):
    may_fail = "import pytest\n@pytest.mark.xfail(reason='not yet')\ndef test_it(): assert 0\n"
    marked = "import pytest\n@pytest.mark.skip(reason='for a reason')\ndef test_it(): pass\n"
    slow = "import time\ndef test_slow(): time.sleep(0.2)"
    rows, tests = run({"test_a.py": SKIPPED, "test_b.py": marked, "test_c.py": may_fail, "test_d.py": slow})
    assert tests.reasons == {"for a reason": 2, "expected to fail: not yet": 1}
    assert "  skipped, 2: for a reason" in tests.in_words().splitlines()
    (took,) = (row["seconds"] for row in found(rows, "test") if row["name"].endswith("test_slow"))
    assert took >= 0.2


def test_they_are_counted_first_and_few_of_them_share_one_process(run, monkeypatch, capsys):
    monkeypatch.setattr(gpu_tests, "find_spec", lambda name: True)
    monkeypatch.setattr(gpu_tests.os, "cpu_count", lambda: 16)
    assert [gpu_tests.workers(tests) for tests in (1, 7, 8, 30, 200, None)] == [1, 1, 2, 4, 8, 8]
    slow = "import pytest\npytestmark = pytest.mark.slow\ndef test_slow(): pass\n"
    ini = {"pytest.ini": "[pytest]\nmarkers = slow: made up"}
    rows, _ = run(ini | {"a/test_a.py": GOOD + GOOD.replace("good", "second"), "b/test_b.py": slow})
    printed = [line.rpartition("/")[2] for line in capsys.readouterr().out.splitlines()]
    assert printed[1].startswith("a: 2 tests, processes: 1, at most ")
    assert len(printed) == 3  # no line for b, which has no test
    assert [row["how"] for row in found(rows, "unit")] == [DONE, "none of these tests"]


def test_they_are_counted_in_a_checkout_behind_a_link_too(tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(gpu_tests.CHECKOUT)
    monkeypatch.setattr(gpu_tests, "CHECKOUT", tmp_path / "link")
    (count,) = gpu_tests.counts(Recorder(tmp_path / "rows", "tests"), REHEARSAL, 60.0).values()
    assert count > 0


def test_where_they_cannot_be_counted_all_of_them_run(run, monkeypatch):
    monkeypatch.setattr(gpu_tests, "COLLECTING", 0.0)
    _, tests = run({"test_a.py": GOOD, "test_b.py": GOOD.replace("good", "other")})
    assert tests.counts() == "2 passed, 0 failed, 0 skipped, 0 not finished"


def test_what_it_asks_of_pytest_on_a_gpu(with_xdist, monkeypatch):
    options = gpu_tests.options(Settings(), gpu_tests.workers(100))
    assert options[1:3] == ["-m", "gpu"] and ("xdist.plugin" in options) == with_xdist
    variables = gpu_tests.environment(Settings(mnist="/somewhere"))
    assert variables["BACKPROP_REQUIRE_GPU"] == variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] == "1"
    assert variables["BACKPROP_DATA_DIR"] == "/somewhere"
    assert GROUPS["tests"].without_cub and GROUPS["numerical"].without_cub


def test_a_foreign_plugin_and_a_deprecation_spoil_no_test(run, tmp_path, monkeypatch):
    site = tmp_path / "site"
    (site / "foreign-1.dist-info").mkdir(parents=True)
    (site / "foreign-1.dist-info" / "METADATA").write_text("Name: foreign\nVersion: 1\n")
    (site / "foreign-1.dist-info" / "entry_points.txt").write_text("[pytest11]\nforeign = foreign\n")
    (site / "foreign.py").write_text("raise RuntimeError('a foreign plugin')")
    monkeypatch.setenv("PYTHONPATH", str(site))
    warns = "import warnings\ndef test_it():\n"
    warns += "".join(f"    warnings.warn('it goes', {kind}Warning)\n" for kind in ("Deprecation", "Future"))
    _, tests = run({"pytest.ini": "[pytest]\nfilterwarnings = error", "test_a.py": warns})
    assert tests.counts() == "1 passed, 0 failed, 0 skipped, 0 not finished"


def test_the_tests_of_this_project_are_found(tmp_path):
    units = list(gpu_tests.units(gpu_tests.CHECKOUT / Settings().tests))
    assert 0 <= units.index("tests/backends") < units.index("tests/test_every_gradient.py")  # folders first


def test_the_group_in_a_process_of_its_own(tmp_path):
    (tmp_path / "test_a.py").write_text(GOOD)
    settings = replace(REHEARSAL, tests=str(tmp_path / "test_a.py"))
    endings = run_all({"tests": GROUPS["tests"]}, settings, 60, tmp_path / "rows")
    assert endings["tests"].how == DONE and summary(read(tmp_path / "rows")).passed == 1
